"""Segments of sound are one signal again, and stand where they stood."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from resonate_resources.recordings.recording import Recording, Samples, write_samples
from resonate_resources.signal.resampling import at_rate
from resonate_studio.hearing.segments import (
    LEAD_FRAMES,
    RATE,
    SEGMENT_FRAMES,
    TAIL_FRAMES,
    encode_segment,
    frames_at_rate,
    read_at_rate,
    segment_count,
)

_RATES = (8000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 192_000)


def music(seconds: float, rate: int, channels: int = 2) -> Samples:
    """Tones that swell, strokes and some noise: nothing repeats, so that only one lag fits."""
    rng = np.random.default_rng(7)
    t = np.arange(round(seconds * rate)) / rate
    chord = sum(np.sin(2 * np.pi * hertz * t + hertz) for hertz in (110.0, 277.2, 659.3, 1760.0))
    strokes = np.exp(-20 * (t % 0.61)) * rng.standard_normal(t.size)
    mono = 0.1 * chord * (1 + 0.5 * np.sin(0.7 * t)) + 0.2 * strokes
    return np.stack([np.roll(mono, 5 * channel) for channel in range(channels)]).astype(np.float32)


def decoded(data: bytes) -> npt.NDArray[np.float32]:
    """By FFmpeg: (channels, frames)."""
    with av.open(io.BytesIO(data)) as container:
        return np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)


def played(recording: Recording) -> npt.NDArray[np.float32]:
    """All segments, one behind the other, as a page puts them."""
    made = [encode_segment(recording, number) for number in range(segment_count(recording))]
    return np.concatenate(
        [decoded(segment.data)[:, LEAD_FRAMES : LEAD_FRAMES + segment.frames] for segment in made], axis=1
    )


def resampled(recording: Recording) -> npt.NDArray[np.float32]:
    """The whole recording in one go, by soxr."""
    blocks = at_rate(
        recording.blocks(), recording.sample_rate, RATE, recording.channels, frames_at_rate(recording)
    )
    return np.concatenate(list(blocks), axis=1)


def decibels(power: float) -> float:
    return float(10 * np.log10(power + 1e-30))


@pytest.mark.parametrize("rate", [*_RATES, 11_025, 44_056])
def test_any_stretch_is_what_the_whole_recording_is_there_once_resampled(tmp_path: Path, rate: int) -> None:
    recording = write_samples(tmp_path / "a.wav", music(12.3, rate), rate)
    whole = resampled(recording)
    for start, stop in ((0, 1000), (236_160, 480_960), (239_999, 240_001), (480_000, whole.shape[1])):
        difference = read_at_rate(recording, start, stop) - whole[:, start:stop]
        # 44,056 Hz and 48,000 have no short common period: soxr's own phases are rounded there.
        assert decibels(np.mean(difference**2)) < (-110 if rate == 44_056 else -160)


def test_what_is_beyond_a_recording_is_silence(tmp_path: Path) -> None:
    recording = write_samples(tmp_path / "a.wav", music(1.0, 44_100) + 0.5, 44_100)
    read = read_at_rate(recording, -100, RATE + 100)
    assert read.shape == (2, RATE + 200)
    assert not read[:, :100].any() and not read[:, -100:].any()
    assert not read_at_rate(recording, -200, -100).any()
    assert not read_at_rate(recording, RATE + 100, RATE + 200).any()


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_segments_put_together_are_the_recording_at_no_lag(tmp_path: Path, rate: int) -> None:
    recording = write_samples(tmp_path / "a.wav", music(12.3, rate), rate)
    whole, heard = resampled(recording), played(recording)
    assert heard.shape == whole.shape
    fits = [
        float(np.sum(heard[0, 9:-9] * whole[0, 9 + lag : whole.shape[1] - 9 + lag])) for lag in range(-8, 9)
    ]
    assert int(np.argmax(fits)) - 8 == 0


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_nothing_is_heard_of_a_seam(tmp_path: Path, rate: int) -> None:
    recording = write_samples(tmp_path / "a.wav", music(25.2, rate), rate)
    error = played(recording) - resampled(recording)
    steps = np.abs(np.diff(error, axis=1)).max(axis=0)
    seams = [number * SEGMENT_FRAMES - 1 for number in range(1, segment_count(recording))]
    # A step at a seam is one of what the codec does anywhere: no larger than one in a thousand is.
    assert steps[seams].max() <= np.quantile(steps, 0.999)
    around = [decibels(np.mean(error[:, seam - 240 : seam + 240] ** 2)) for seam in seams]
    elsewhere = decibels(np.mean(error**2))
    assert max(around) < elsewhere + 6


def test_a_segment_says_how_long_it_is_and_its_file_is_that_long(tmp_path: Path) -> None:
    recording = write_samples(tmp_path / "a.wav", music(10.3, 44_100), 44_100)
    made = [encode_segment(recording, number) for number in range(3)]
    assert [segment.frames for segment in made] == [240_000, 240_000, 14_400]
    for segment in made:
        assert decoded(segment.data).shape == (2, LEAD_FRAMES + segment.frames + TAIL_FRAMES)
    with pytest.raises(IndexError):
        encode_segment(recording, 3)
    with pytest.raises(IndexError):
        encode_segment(recording, -1)


def test_levels_are_kept_and_peaks_over_full_scale_with_them(tmp_path: Path) -> None:
    t = np.arange(5 * RATE) / RATE
    for gain in (0.001, 0.5, 1.6):
        tone = (gain * np.sin(2 * np.pi * 997 * t)).astype(np.float32)
        recording = write_samples(tmp_path / "a.wav", np.stack([tone, tone]), RATE)
        heard = played(recording)[:, RATE:-RATE]
        assert decibels(np.mean(heard**2)) == pytest.approx(20 * np.log10(gain) - 3.01, abs=0.1)
        assert np.abs(heard).max() == pytest.approx(gain, rel=0.03)


def test_mono_stays_mono_and_surround_is_folded_down_after_bs775(tmp_path: Path) -> None:
    mono = write_samples(tmp_path / "mono.wav", music(2.0, 44_100, 1), 44_100)
    assert decoded(encode_segment(mono, 0).data).shape[0] == 1
    centre = np.zeros((6, 2 * RATE), np.float32)
    centre[2] = music(2.0, RATE, 1)[0]
    read = read_at_rate(write_samples(tmp_path / "centre.wav", centre, RATE), 0, 2 * RATE)
    np.testing.assert_allclose(read, np.stack([centre[2], centre[2]]) * 0.5**0.5, atol=1e-6)


def test_the_same_segment_is_the_same_bytes(tmp_path: Path) -> None:
    recording = write_samples(tmp_path / "a.wav", music(6.0, 44_100), 44_100)
    assert encode_segment(recording, 0) == encode_segment(recording, 0)


def test_all_rates_have_one_grid(tmp_path: Path) -> None:
    counts = set()
    for rate in _RATES:
        recording = write_samples(tmp_path / "a.wav", np.zeros((1, 11 * rate), np.float32), rate)
        counts.add((frames_at_rate(recording), segment_count(recording)))
    assert counts == {(11 * RATE, 3)}
