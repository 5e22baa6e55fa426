from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from resonate_resources.recordings.recording import Recording, Samples, write_samples
from resonate_resources.recordings.tempo_map import Grid, TempoMap, TimeSignature
from resonate_resources.remixing.chops import Chop, chop_name, cut, find_chops, pitch_name, told
from resonate_resources.signal.spelling import pitch_names

RATE = 44_100
NAMES = pitch_names(None)


def sung(notes: list[tuple[float, float, float | None]], seconds: float) -> Samples:
    """(begin, end, Hz or None for breath) of a voice: twelve partials with vibrato, or noise."""
    audio = np.zeros(round(seconds * RATE))
    rng = np.random.default_rng(0)
    for begin, end, hertz in notes:
        time = np.arange(round((end - begin) * RATE)) / RATE
        if hertz is None:
            note = rng.standard_normal(len(time)) * 0.1
        else:
            phase = 2 * np.pi * hertz * (time + 0.004 / (2 * np.pi) * np.sin(2 * np.pi * 5 * time))
            note = sum(np.sin(partial * phase) / partial for partial in range(1, 13)) * 0.1
        note = note * np.minimum(1, np.minimum(time / 0.008, (time[-1] - time) / 0.03))
        audio[round(begin * RATE) : round(begin * RATE) + len(time)] += note
    return audio[np.newaxis].astype(np.float32)


def stem(folder: Path, notes: list[tuple[float, float, float | None]], seconds: float = 8.0) -> Recording:
    return write_samples(folder / "vocals.wav", sung(notes, seconds), RATE)


LINE: list[tuple[float, float, float | None]] = [
    (0.5, 1.1, 440.0), (1.5, 1.9, 220.0), (1.93, 2.4, 261.63), (3.0, 3.25, None), (4.013, 6.0, 329.63),
]  # fmt: skip


def test_every_note_is_a_chop_from_just_before_its_onset_to_its_end(tmp_path: Path) -> None:
    chops = find_chops(stem(tmp_path, LINE))
    assert len(chops) == len(LINE)
    for chop, (begin, end, _) in zip(chops, LINE, strict=True):
        assert chop.onset / RATE == pytest.approx(begin, abs=0.01)
        assert 0.003 < (chop.onset - chop.start) / RATE < 0.01
        assert chop.end / RATE == pytest.approx(end, abs=0.06)


def test_chops_are_called_by_their_pitch_and_breath_has_none(tmp_path: Path) -> None:
    chops = find_chops(stem(tmp_path, LINE))
    assert [pitch_name(chop.hertz, NAMES) for chop in chops] == ["A4", "A3", "C4", "unpitched", "E4"]
    for chop, (*_, hertz) in zip(chops, LINE, strict=True):
        assert (chop.hertz is None) == (hertz is None)
        assert hertz is None or 1200 * abs(np.log2(chop.hertz / hertz)) < 20  # type: ignore[operator]


def test_no_chop_runs_into_the_next(tmp_path: Path) -> None:
    chops = find_chops(stem(tmp_path, LINE))
    assert all(before.end <= after.start for before, after in itertools.pairwise(chops))


def test_chops_begin_and_end_in_silence_and_are_untouched_between(tmp_path: Path) -> None:
    vocals = stem(tmp_path, LINE)
    for chop in find_chops(vocals):
        samples = cut(vocals, chop)
        assert samples.shape == (1, chop.end - chop.start)
        assert np.abs(samples[:, [0, -1]]).max() < 1e-3
        np.testing.assert_array_equal(samples[:, 200:-500], vocals.read(chop.start, chop.end)[:, 200:-500])


@pytest.mark.parametrize("level", [0.0, 1e-5])
def test_silence_and_dither_give_none(tmp_path: Path, level: float) -> None:
    audio = level * np.random.default_rng(0).standard_normal((2, 5 * RATE)).astype(np.float32)
    assert find_chops(write_samples(tmp_path / "vocals.wav", audio, RATE)) == []


def test_what_other_stems_left_in_the_rests_is_no_chop(tmp_path: Path) -> None:
    left = 0.001 * sung([(2.6 + 0.2 * number, 2.7 + 0.2 * number, None) for number in range(20)], 8.0)
    vocals = write_samples(tmp_path / "vocals.wav", sung(LINE[:3], 8.0) + left, RATE)
    assert len(find_chops(vocals)) == 3


def test_a_chop_that_comes_before_the_beat_says_by_how_much(tmp_path: Path) -> None:
    beats = [0.5 * number for number in range(20)]
    tempo = TempoMap.of(Grid(beats, beats[::4], [TimeSignature(0, 4, 4)]), 120.0)
    early = Chop(round(2.470 * RATE), round(2.480 * RATE), round(3.480 * RATE), 440.0)
    placed = told(early, RATE, tempo, NAMES)
    assert (placed["bar"], placed["beat"], placed["step_s"]) == (2, 2.0, 2.5)
    assert placed["ahead_ms"] == pytest.approx(20, abs=0.6)  # a tick is 0.5 ms
    assert placed["length_quarters"] == pytest.approx(2.0, abs=0.002)


def test_without_a_tempo_nothing_is_said_of_bars() -> None:
    placed = told(Chop(0, 100, 44_100, None), RATE, TempoMap.steady(None), NAMES)
    assert placed["bar"] is None
    assert placed["pitch"] == "unpitched"


def test_names_tell_number_pitch_and_time() -> None:
    chop = Chop(0, round(83.456 * RATE), 90 * RATE, 440.0)
    assert chop_name(12, 3, chop, RATE, NAMES) == "Chop_012_A4_01m23.456s.wav"
    late = Chop(0, 59 * RATE + round(0.9996 * RATE), 61 * RATE, None)
    assert chop_name(1, 4, late, RATE, NAMES) == "Chop_0001_unpitched_01m00.000s.wav"


@pytest.mark.parametrize(("hertz", "key", "name"), [
    (261.63, None, "C4"), (246.94, None, "B3"), (246.94, "Gb major", "Cb4"), (466.16, "F major", "Bb4"),
    (466.16, "B major", "A#4"), (27.5, None, "A0"),
])  # fmt: skip
def test_octaves_begin_with_c_as_in_scientific_notation(hertz: float, key: str | None, name: str) -> None:
    assert pitch_name(hertz, pitch_names(key)) == name
