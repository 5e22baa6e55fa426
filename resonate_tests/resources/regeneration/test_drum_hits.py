from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from resonate_resources.instruments.playing import play_in_segments
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Samples, write_samples
from resonate_resources.regeneration.candidate import Candidate, Part
from resonate_resources.regeneration.common_sound import common_magnitudes, only_common
from resonate_resources.regeneration.drum_hits import best_hits, candidates
from resonate_resources.regeneration.likeness import distance_db, mel_powers

RATE = 44_100
KICK, SNARE, HAT = 36, 38, 42
MARKER_HZ = 15_000.0


def kick() -> npt.NDArray[np.float64]:
    time = np.arange(RATE // 4) / RATE
    return np.asarray(0.6 * np.sin(2 * np.pi * 55 * time) * np.exp(-time / 0.05))


def snare(seed: int) -> npt.NDArray[np.float64]:
    time = np.arange(RATE // 5) / RATE
    return np.asarray(0.2 * np.random.default_rng(seed).standard_normal(len(time)) * np.exp(-time / 0.03))


def groove(path: Path, marked: int | None = None) -> Part:
    """Kicks and snares by turns; the marked stroke has a whistle."""
    notes: list[Note] = []
    sound = np.zeros(10 * RATE)
    for beat in range(18):
        strokes = [(KICK, kick())] if beat % 2 == 0 else [(SNARE, snare(beat))]
        for pitch, stroke in strokes:
            at = beat * RATE // 2
            sound[at : at + len(stroke)] += stroke
            if len(notes) == marked:
                whistle = np.sin(2 * np.pi * MARKER_HZ * np.arange(len(stroke)) / RATE)
                sound[at : at + len(stroke)] += 0.05 * whistle
            notes.append(Note(beat / 2, beat / 2 + 0.1, pitch, 90))
    stereo = np.stack([sound, sound]).astype(np.float32)
    return Part("drums", write_samples(path / "drums.wav", stereo, RATE), tuple(notes), RATE)


def kit(part: Part) -> Candidate:
    return next(iter(candidates(part)))


def left_out(part: Part, made: Candidate) -> Samples:
    return np.concatenate(list(play_in_segments(made.leaving_out, part.notes, part.recording.frames)), axis=1)


def test_left_out_the_groove_is_heard_as_it_was(tmp_path: Path) -> None:
    part = groove(tmp_path)
    original, made = (
        mel_powers(iter([sound]), RATE) for sound in (part.recording.read(), left_out(part, kit(part)))
    )
    nothing = mel_powers(iter([np.zeros((2, part.recording.frames), np.float32)]), RATE)
    assert distance_db(original, made) < 0.15 * distance_db(original, nothing)


@pytest.mark.parametrize("number", [0, 3, 8])
def test_left_out_no_stroke_is_its_own_recording(number: int, tmp_path: Path) -> None:
    part = groove(tmp_path, number)
    start = round(part.notes[number].onset_s * RATE)
    sound = left_out(part, kit(part))[0, start : start + RATE // 5].astype(np.float64)
    against = np.exp(-2j * np.pi * MARKER_HZ * np.arange(len(sound)) / RATE)
    own = part.recording.read()[0, start : start + RATE // 5].astype(np.float64)
    assert abs(sound @ against) < 0.3 * abs(own @ against)


def test_no_hit_lasts_into_the_next_stroke() -> None:
    notes = [Note(0.0, 0.1, KICK, 90), Note(0.25, 0.3, HAT, 90), Note(1.0, 1.1, KICK, 90)]
    for hit in best_hits(notes, KICK, 2.0):
        assert hit.start_s + hit.length_s <= {0.0: 0.25, 1.0: 2.0}[hit.start_s]


def test_hits_that_are_struck_alone_come_first() -> None:
    notes = [Note(0.0, 0.1, KICK, 90), Note(0.0, 0.1, HAT, 90), Note(1.0, 1.1, KICK, 90)]
    assert [hit.start_s for hit in best_hits(notes, KICK, 2.0)] == [1.0, 0.0]


def test_one_stroke_is_silent_without_its_recording(tmp_path: Path) -> None:
    part = groove(tmp_path)
    lonely = Part("drums", part.recording, part.notes[:1], RATE)
    assert not left_out(lonely, kit(lonely)).any()


def test_what_strokes_share_is_kept_and_what_sounds_with_some_is_not() -> None:
    whistle = 0.2 * np.sin(2 * np.pi * 6000 * np.arange(RATE // 4) / RATE)
    strokes = [
        np.stack([kick() + whistle * (number % 4 == 0)] * 2).astype(np.float32) for number in range(12)
    ]
    common = common_magnitudes(strokes)
    assert common is not None
    cleaned = only_common(strokes[0], common)
    clean = strokes[1]
    known = slice(0, cleaned.shape[1])
    left = np.square(cleaned - clean[:, known]).sum()
    assert left < 0.02 * np.square(strokes[0] - clean)[:, known].sum()
    assert cleaned.shape[1] > 0.85 * clean.shape[1]


def test_too_few_strokes_tell_nothing_they_share() -> None:
    assert common_magnitudes([np.stack([kick()] * 2).astype(np.float32)] * 4) is None


def test_other_stems_have_no_drums(tmp_path: Path) -> None:
    part = groove(tmp_path)
    assert list(candidates(Part("bass", part.recording, part.notes, RATE))) == []
