"""Waveforms show every peak, or say that they don't."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resonate_resources.recordings.recording import write_samples
from resonate_studio.hearing import peaks as peaks_module
from resonate_studio.hearing.peaks import FRAMES_PER_ENTRY, make_outline, peaks_of

_RATE = 8000


def noise(frames: int, channels: int = 1) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    rng = np.random.default_rng(3)
    swell = 0.2 + 0.6 * np.abs(np.sin(np.arange(frames) / 20_000))
    return (swell * rng.uniform(-1, 1, (channels, frames))).astype(np.float32)


def test_a_short_stretch_shows_the_extremes_of_its_columns(tmp_path: Path) -> None:
    samples = noise(10_000)
    recording = write_samples(tmp_path / "a.wav", samples, _RATE)
    found = peaks_of(recording, 2000, 8000, 60, None)
    columns = np.rint(samples[0, 2000:8000].reshape(60, 100) * 127)
    assert found.exact
    np.testing.assert_array_equal(found.extremes, np.stack([columns.min(1), columns.max(1)], 1))


def test_the_outline_of_a_long_recording_shows_the_same_as_all_its_samples(tmp_path: Path) -> None:
    frames = 3_000_000
    samples = noise(frames)
    samples[0, 1_234_567] = 0.999  # that is the highest of all
    recording = write_samples(tmp_path / "a.wav", samples, _RATE)
    outline = make_outline(recording)
    assert len(outline) == 2 * -(-frames // FRAMES_PER_ENTRY)
    found = peaks_of(recording, 0, frames, 500, outline)
    assert found.exact
    steps = np.rint(samples[0] * 127)
    for column, (low, high) in enumerate(found.extremes.tolist()):
        # Whole entries: at its edges up to one of its neighbour's.
        first, last = column * 6000 // 256 * 256, -(-(column + 1) * 6000 // 256) * 256
        assert (low, high) == (steps[first:last].min(), steps[first:last].max())
    assert found.extremes[1_234_567 // 6000, 1] == 127


def test_without_its_outline_a_long_recording_shows_its_shape_and_says_it_is_not_exact(
    tmp_path: Path,
) -> None:
    frames = 3_000_000
    samples = np.zeros((2, frames), np.float32)
    samples[:, 1_000_000:2_000_000] = 0.5 * np.sign(noise(1_000_000))
    recording = write_samples(tmp_path / "a.wav", samples, _RATE)
    found = peaks_of(recording, 0, frames, 300, None)
    assert not found.exact
    shown = found.extremes[:, 1]
    assert not shown[:99].any() and not shown[201:].any()
    assert (shown[101:199] == round(0.5 * 127)).all()
    assert (found.extremes[101:199, 0] == -round(0.5 * 127)).all()


def test_a_disk_that_answers_slowly_gives_a_coarser_shape_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = 3_000_000
    ramp = np.linspace(0, 1, frames, dtype=np.float32)[np.newaxis]
    recording = write_samples(tmp_path / "a.wav", ramp, _RATE)
    ticks = iter(np.arange(0, 1000, 0.004))  # a look takes 8 ms, so that there is time for some 20
    monkeypatch.setattr(peaks_module.time, "monotonic", lambda: next(ticks))
    shown = peaks_of(recording, 0, frames, 1024, None).extremes[:, 1].astype(int)
    assert (np.diff(shown) >= 0).all()
    assert 8 < len(set(shown)) < 64
    assert np.abs(shown - np.linspace(0, 127, 1024)).max() < 127 / 8


def test_more_columns_than_samples_show_each_sample(tmp_path: Path) -> None:
    samples = np.array([[0.1, -0.5, 1.0, 2.0]], np.float32)
    recording = write_samples(tmp_path / "a.wav", samples, _RATE)
    shown = peaks_of(recording, 0, 4, 8, None).extremes
    np.testing.assert_array_equal(shown[:, 1], [13, 13, -64, -64, 127, 127, 127, 127])  # at most full scale


def test_channels_that_cancel_are_not_shown_as_silence(tmp_path: Path) -> None:
    left = 0.5 * np.sign(noise(20_000))
    recording = write_samples(tmp_path / "a.wav", np.concatenate([left, -left]), _RATE)
    assert (peaks_of(recording, 0, 20_000, 10, None).extremes[:, 1] == 64).all()
