from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resonate_resources.instruments.faust import Synthesiser
from resonate_resources.instruments.instrument import Instrument
from resonate_resources.instruments.playing import play_in_segments
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import write_samples
from resonate_resources.regeneration.candidate import Part
from resonate_resources.regeneration.excerpts import EXCERPT_S, RATE, excerpts
from resonate_resources.regeneration.faust_search import (
    INSTRUMENTS,
    candidates,
    log_mel,
    matched_distance,
    search,
)

FRAMES = 8 * 44_100
LINE = tuple(
    Note(0.5 * index, 0.5 * index + 0.4, pitch, 90)
    for index, pitch in enumerate((57, 60, 64, 57, 62, 65, 69, 62, 55, 59, 62, 67, 60, 64, 67, 72))
)


def played(instrument: Instrument) -> np.ndarray:
    return np.concatenate(list(play_in_segments(instrument, LINE, FRAMES)), axis=1)


def stem(instrument: Instrument, folder: Path) -> Part:
    return Part("other", write_samples(folder / "stem.wav", played(instrument), 44_100), LINE, 44_100)


def apart(instrument: Instrument, other: Instrument) -> float:
    """dB, of the whole, heard at half of the rate."""
    one, two = (log_mel(played(each).mean(axis=0)[: 6 * 44_100 : 2]) for each in (instrument, other))
    return matched_distance(one, two)


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_an_instrument_has_at_most_twelve_parameters(name: str) -> None:
    ranges = Synthesiser(name, 44_100, {"release": 0.1}).parameters
    assert 8 <= len(ranges) <= 12
    assert all(low < high for low, high in ranges.values())


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_a_note_may_have_begun_before(name: str) -> None:
    instrument = Synthesiser(name, 44_100, {"release": 0.1})
    whole = instrument.play([Note(0.0, 1.0, 57, 90)], 44_100)
    late = instrument.play([Note(-0.25, 0.75, 57, 90)], 22_050)
    assert np.abs(late - whole[:, 11_025 : 11_025 + 22_050]).max() < 1e-6


def test_the_settings_of_a_sound_are_come_near(tmp_path: Path) -> None:
    # A dull square without sustain, and a bright organ-like pad: sounds that the fixed voice is far from.
    truth = Synthesiser(
        "subtractive",
        44_100,
        {"attack": 0.005, "decay": 0.25, "sustain": 0.05, "release": 0.1, "square": 1.0, "cutoff": 6.0},
    )
    sought, fixed = candidates(stem(truth, tmp_path))
    assert sought.kind == fixed.kind == "faust"
    # The same sound would be 0; listeners hear differences of timbre from about 2 dB.
    assert apart(sought.instrument, truth) < 0.6 * apart(fixed.instrument, truth)


def test_a_search_ends_the_same_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resonate_resources.regeneration.faust_search._TABLE", 2)
    monkeypatch.setattr("resonate_resources.regeneration.faust_search._BETTERED", 16)
    part = stem(Synthesiser("fm", 44_100, {"release": 0.1, "index": 4.0}), tmp_path)
    assert search(part) == search(part)


def test_an_equaliser_and_a_gain_are_no_difference() -> None:
    rng = np.random.default_rng(0)
    levels = rng.uniform(-60, 0, (100, 40)).astype(np.float32)
    gains = rng.uniform(-6, 6, 40).astype(np.float32)
    assert matched_distance(levels + gains - 20, levels) < 1e-4
    assert matched_distance(levels + np.where(np.arange(40) < 20, -30, 30), levels) > 15  # 12 dB are granted


def test_excerpts_are_the_busiest_of_their_part_of_the_track() -> None:
    sparse = [Note(4.0 * index, 4.0 * index + 1, 60, 90) for index in range(10)]
    busy = [Note(21 + 0.1 * index, 21 + 0.1 * index + 0.1, 64, 90) for index in range(15)]
    (first, _), (second, heard) = excerpts(sorted(sparse + busy))
    assert first < 18
    assert second == pytest.approx(21, abs=0.05)
    assert len(heard) >= 15
    assert all(-3 < note.onset_s < EXCERPT_S for note in heard)


def test_kits_and_parts_without_notes_get_the_fixed_voices_alone(tmp_path: Path) -> None:
    recording = write_samples(tmp_path / "d.wav", np.zeros((2, RATE), np.float32), RATE)
    for name, notes in (("drums", LINE), ("other", ())):
        assert [one.settings["program"] for one in candidates(Part(name, recording, notes, 44_100))] == [name]
