from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resonate_resources.recordings.recording import Samples, silent, write_samples
from resonate_resources.restoration.comb import Decomb, find_spacing, find_teeth, without
from resonate_resources.restoration.step import Facts
from resonate_resources.signal.traces import find_traces

RATE = 44_100


def music(seconds: float = 12, channels: int = 2, rate: int = RATE) -> Samples:
    """Notes of half a second with five partials each, over soft noise: nothing in it is steady."""
    chance = np.random.default_rng(1)
    frames = round(seconds * rate)
    sound = 1e-4 * chance.standard_normal((channels, frames))
    for start in range(0, frames, rate // 2):
        time = np.arange(min(rate // 2, frames - start)) / rate
        pitch = 110 * 2 ** (chance.integers(0, 24) / 12)
        for partial in range(1, 6):
            tone = np.exp(-5 * time) * np.sin(2 * np.pi * pitch * partial * time) / partial
            sound[:, start : start + len(time)] += 0.2 * chance.uniform(0.5, 1, (channels, 1)) * tone
    return sound.astype(np.float32)


def lines(spacing: float, frames: int, rate: int = RATE, level: float = 2e-4) -> Samples:
    """(1, frames): a cosine at each multiple of spacing up to 0.95 of the Nyquist frequency, phases by chance."""
    chance = np.random.default_rng(2)
    time = np.arange(frames) / rate
    made = np.zeros(frames)
    for tooth in range(1, int(0.475 * rate / spacing) + 1):
        made += level * np.cos(2 * np.pi * (tooth * spacing * time + chance.uniform()))
    return made[None].astype(np.float32)


def error_db(one: Samples, other: Samples, against: Samples) -> float:
    return float(10 * np.log10(np.square(one - other).sum() / np.square(against).sum()))


@pytest.mark.parametrize("spacing", [50.0, 86.1328125, 100 / 3 * 4])
def test_a_decoder_s_comb_goes_and_the_music_under_it_stays(tmp_path: Path, spacing: float) -> None:
    clean = music()
    comb = lines(spacing, clean.shape[1])
    recording = write_samples(tmp_path / "in.wav", clean + comb, RATE)

    mended = Decomb().mend(
        recording, Facts("track", find_traces(recording)), "balanced", tmp_path / "out.wav", silent
    )

    assert mended.measures["comb_spacing_hz"] == pytest.approx(spacing, abs=1e-3)
    after = mended.recording.read()
    assert after.shape == clean.shape
    assert error_db(after, clean, np.broadcast_to(comb, clean.shape)) < -20


@pytest.mark.parametrize(
    "samples",
    [music(), music(channels=1), np.zeros((2, 1), np.float32), np.zeros((1, 12 * RATE), np.float32)],
    ids=["music", "mono", "a sample", "silence"],
)
def test_what_has_no_comb_is_the_very_recording(tmp_path: Path, samples: Samples) -> None:
    recording = write_samples(tmp_path / "in.wav", samples, RATE)

    mended = Decomb().mend(
        recording, Facts("track", find_traces(recording)), "balanced", tmp_path / "out.wav", silent
    )

    assert mended.recording is recording


def test_lines_stop_being_subtracted_where_they_stop(tmp_path: Path) -> None:
    clean = music(20)
    comb = lines(75.0, clean.shape[1])
    comb[:, 14 * RATE :] = 0
    recording = write_samples(tmp_path / "in.wav", clean + comb, RATE)
    spacing = find_spacing(recording)
    assert spacing is not None
    teeth = find_teeth(recording, spacing)
    assert teeth is not None

    after = np.concatenate(list(without(recording, teeth)), axis=1)

    assert np.array_equal(after[:, 17 * RATE :], clean[:, 17 * RATE :])
    assert error_db(after[:, : 12 * RATE], clean[:, : 12 * RATE], np.repeat(comb[:, : 12 * RATE], 2, 0)) < -20


@pytest.mark.parametrize("rate", [16_000, 96_000])
def test_other_rates_and_more_channels_have_their_combs_found(tmp_path: Path, rate: int) -> None:
    clean = music(10, 3, rate)
    recording = write_samples(tmp_path / "in.wav", clean + lines(100.0, clean.shape[1], rate), rate)

    spacing = find_spacing(recording)

    assert spacing == pytest.approx(100.0, abs=0.02)


def test_a_drone_with_many_partials_is_music(tmp_path: Path) -> None:
    time = np.arange(12 * RATE) / RATE
    drone = np.zeros(len(time))
    for partial in range(1, 180):
        drone += 0.2 / partial * np.sin(2 * np.pi * 110 * partial * time + partial)
    recording = write_samples(tmp_path / "in.wav", drone[None].astype(np.float32), RATE)

    mended = Decomb().mend(
        recording, Facts("track", find_traces(recording)), "balanced", tmp_path / "out.wav", silent
    )

    assert mended.recording is recording
