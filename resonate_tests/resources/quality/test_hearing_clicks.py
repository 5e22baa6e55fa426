"""What is sharp where nothing sharp was; and what is not, though samples differ."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resonate_resources.quality.comparison import Comparison, compare, listen
from resonate_resources.recordings.recording import Samples, write_samples

RATE = 44_100


def hits(seconds: int) -> Samples:
    """Noise struck four times a second that dies away by 60 dB within half a second, over a held chord."""
    rng = np.random.default_rng(0)
    time = np.arange(seconds * RATE) / RATE
    struck = rng.standard_normal((2, time.size)) * 0.1 * 10 ** (-6 * (time % 0.25))
    chord = sum(np.sin(2 * np.pi * hz * time) for hz in (220.0, 277.2, 329.6))
    return np.asarray(struck + 0.05 * chord, np.float32)


def with_click(samples: Samples, at_s: float, level: float) -> Samples:
    """A tick of 0.3 ms in the left channel."""
    made = samples.copy()
    start = round(at_s * RATE)
    made[0, start : start + 13] += (
        np.float32(level) * np.cos(np.arange(13) * 0.8) * np.exp(-np.arange(13) / 4)
    )
    return made


def compared(folder: Path, reference: Samples, candidate: Samples) -> Comparison:
    heard = listen(write_samples(folder / "reference.wav", reference, RATE))
    return compare(heard, write_samples(folder / "candidate.wav", candidate, RATE))


@pytest.mark.parametrize("seconds", [10, 60])
def test_one_click_is_heard_however_long_the_music_is(tmp_path: Path, seconds: int) -> None:
    original = hits(seconds)
    comparison = compared(tmp_path, original, with_click(original, 6.2, 0.3))
    assert not comparison.accepted
    assert comparison.lowest == "onset_pattern"
    course = comparison.differences["onset_pattern"].by_second
    assert course is not None
    assert int(course.argmax()) == 6
    assert "click" in comparison.differences["onset_pattern"].detail


def test_a_gap_of_10_ms_is_heard_however_long_the_music_is(tmp_path: Path) -> None:
    gapped = hits(30)
    gapped[:, round(6.2 * RATE) : round(6.21 * RATE)] = 0
    comparison = compared(tmp_path, hits(30), gapped)
    assert not comparison.accepted
    assert comparison.lowest == "onset_pattern"
    assert "gap" in comparison.differences["onset_pattern"].detail


def test_a_click_that_a_stroke_hides_is_none(tmp_path: Path) -> None:
    original = hits(10)
    assert compared(tmp_path, original, with_click(original, 6.001, 0.05)).scores["onset_pattern"] > 98


def test_steady_hiss_is_noise_and_no_clicks(tmp_path: Path) -> None:
    original = hits(10)
    hiss = np.random.default_rng(1).standard_normal(original.shape).astype(np.float32) * np.float32(0.003)
    comparison = compared(tmp_path, original, original + hiss)
    assert comparison.lowest == "noise_floor"
    assert "click" not in comparison.differences["onset_pattern"].detail


def test_an_offset_is_not_heard(tmp_path: Path) -> None:
    original = hits(10)
    comparison = compared(tmp_path, original, original + np.float32(0.005))
    assert comparison.total > 99


@pytest.mark.parametrize("frames", [-882, 441, 1323])
def test_what_comes_late_as_a_whole_is_brought_to_its_place_to_the_sample(
    tmp_path: Path, frames: int
) -> None:
    original = np.pad(hits(10), ((0, 0), (RATE // 10, RATE // 10)))
    moved = np.pad(original, ((0, 0), (frames, 0))) if frames > 0 else original[:, -frames:]
    comparison = compared(tmp_path, original, moved)
    assert comparison.lag_s == pytest.approx(frames / RATE, abs=1 / 32_000)  # the rate that is compared at
    assert min(score for name, score in comparison.scores.items() if name != "bpm_phase") > 97


def test_chords_are_not_asked_for_again_where_pitch_classes_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = listen(write_samples(tmp_path / "reference.wav", hits(10), RATE))

    def chords_like(*_: object) -> None:
        raise AssertionError("asked")

    monkeypatch.setattr("resonate_resources.quality.comparison.chords_like", chords_like)
    softer = write_samples(tmp_path / "softer.wav", 0.5 * hits(10), RATE)
    assert compare(heard, softer).scores["harmonic_progression"] == 100
    time = np.arange(10 * RATE) / RATE
    other = hits(10) + np.asarray(0.05 * np.sin(2 * np.pi * 466.16 * time) * (time > 7), np.float32)
    with pytest.raises(AssertionError, match="asked"):
        compare(heard, write_samples(tmp_path / "other.wav", other, RATE))
