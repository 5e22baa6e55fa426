from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Recording, write_samples
from resonate_resources.regeneration.strikes import struck

RATE = 44_100
STRUCK_S = (0.5, 1.0, 1.5, 2.0)


def strokes(folder: Path) -> Recording:
    sound = 0.001 * np.random.default_rng(0).standard_normal(3 * RATE)
    time = np.arange(RATE // 4) / RATE
    for second in STRUCK_S:
        at = round(second * RATE)
        sound[at : at + len(time)] += 0.3 * np.sin(2 * np.pi * 300 * time) * np.exp(-time / 0.06)
    return write_samples(folder / "stem.wav", sound[None].astype(np.float32), RATE)


@settings(max_examples=15, deadline=None)
@given(off_s=st.lists(st.floats(-0.015, 0.015), min_size=4, max_size=4))
def test_notes_come_to_where_the_stem_is_struck(off_s: list[float]) -> None:
    with TemporaryDirectory() as folder:
        notes = [Note(s + off, s + 0.2, 60, 90) for s, off in zip(STRUCK_S, off_s, strict=True)]
        for note, second in zip(struck(notes, strokes(Path(folder))), STRUCK_S, strict=True):
            assert note.onset_s == pytest.approx(second, abs=0.004)


def test_notes_of_a_chord_stay_together(tmp_path: Path) -> None:
    notes = [Note(0.49, 0.9, 60, 90), Note(0.50, 0.9, 64, 90)]
    moved = struck(notes, strokes(tmp_path))
    assert moved[1].onset_s - moved[0].onset_s == pytest.approx(0.01)


def test_a_note_where_nothing_is_struck_stays(tmp_path: Path) -> None:
    held = write_samples(
        tmp_path / "held.wav", 0.3 * np.sin(np.arange(2 * RATE) / 20).astype(np.float32)[None], RATE
    )
    notes = [Note(1.0, 1.5, 60, 90)]
    assert struck(notes, held) == notes


def test_notes_at_the_ends_of_a_stem_stay(tmp_path: Path) -> None:
    notes = [Note(0.0, 0.1, 60, 90), Note(2.995, 3.0, 60, 90)]
    assert struck(notes, strokes(tmp_path)) == notes
