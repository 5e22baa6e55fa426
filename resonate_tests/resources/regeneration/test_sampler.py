from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from resonate_resources.instruments.playing import play_excerpt, play_in_segments
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Recording, Samples, write_samples
from resonate_resources.regeneration.candidate import Part
from resonate_resources.regeneration.sampler import Sampler, candidates, moments_of

RATE = 44_100
MARKER_HZ = 15_000.0


def hertz(pitch: float) -> float:
    return float(440 * 2 ** ((pitch - 69) / 12))


def tone(pitch: float, seconds: float, marked: bool = False) -> npt.NDArray[np.float64]:
    """A sine that dies away within 50 ms behind its end, with a marker that tells which recording it is."""
    time = np.arange(round((seconds + 0.05) * RATE)) / RATE
    fall = np.clip((seconds + 0.05 - time) / 0.05, 0, 1) * np.clip(time / 0.003, 0, 1)
    sound = 0.3 * np.sin(2 * np.pi * hertz(pitch) * time)
    return (sound + marked * 0.1 * np.sin(2 * np.pi * MARKER_HZ * time)) * fall


def part_of(path: Path, notes: list[Note], marked: int | None = None) -> Part:
    length = max(note.offset_s for note in notes) + 0.5
    sound = np.zeros(round(length * RATE))
    for number, note in enumerate(notes):
        at = round(note.onset_s * RATE)
        own = tone(note.pitch, note.duration_s, number == marked)
        sound[at : at + len(own)] += own[: len(sound) - at]
    stereo = np.stack([sound, sound]).astype(np.float32)
    return Part("bass", write_samples(path / "stem.wav", stereo, RATE), tuple(sorted(notes)), RATE)


def played(part: Part, leaving_out: bool = True, notes: list[Note] | None = None) -> Samples:
    made = next(iter(candidates(part)))
    instrument = made.leaving_out if leaving_out else made.instrument
    if notes is not None:
        instrument = Sampler(part.recording, notes, 0.0)
    return np.concatenate(
        list(play_in_segments(instrument, notes or part.notes, part.recording.frames)), axis=1
    )


def strongest_hz(sound: Samples, start_s: float, stop_s: float) -> float:
    piece = sound[0, round(start_s * RATE) : round(stop_s * RATE)]
    spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), 1 << 18))
    return float(spectrum.argmax() * RATE / (1 << 18))


def marker(sound: Samples, start_s: float, stop_s: float) -> float:
    piece = sound[0, round(start_s * RATE) : round(stop_s * RATE)].astype(np.float64)
    return float(np.abs(np.mean(piece * np.exp(-2j * np.pi * MARKER_HZ * np.arange(len(piece)) / RATE))))


LINE = [Note(0.5 * i, 0.5 * i + 0.4, pitch, 90) for i, pitch in enumerate((40, 43, 45, 40, 43, 45, 40, 43))]


def test_left_out_every_note_sounds_on_its_pitch(tmp_path: Path) -> None:
    sound = played(part_of(tmp_path, LINE))
    for note in LINE:
        heard = strongest_hz(sound, note.onset_s + 0.05, note.offset_s - 0.05)
        assert 1200 * abs(np.log2(heard / hertz(note.pitch))) < 15


def test_left_out_no_note_is_played_by_its_own_recording(tmp_path: Path) -> None:
    for number, note in enumerate(LINE):
        sound = played(part_of(tmp_path, LINE, number))
        assert marker(sound, note.onset_s + 0.05, note.offset_s - 0.05) < 1e-4


def test_a_note_that_was_recorded_once_is_played_from_its_neighbour_within_four_semitones(
    tmp_path: Path,
) -> None:
    notes = [Note(0.0, 0.4, 52, 90), Note(0.5, 0.9, 55, 90), Note(1.0, 1.4, 64, 90)]
    sound = played(part_of(tmp_path, notes))
    for note in notes[:2]:
        heard = strongest_hz(sound, note.onset_s + 0.05, note.offset_s - 0.1)
        assert 1200 * abs(np.log2(heard / hertz(note.pitch))) < 15


def test_a_note_that_bends_is_bent(tmp_path: Path) -> None:
    part = part_of(tmp_path, LINE)
    bent = [*LINE[:-1], Note(3.5, 3.9, 43, 90, ((0.0, 0.0), (0.05, 2.0)))]
    sound = np.concatenate(
        list(
            play_in_segments(
                Sampler(part.recording, bent, 0.0, leaving_out=True), bent, part.recording.frames
            )
        ),
        axis=1,
    )
    assert 1200 * abs(np.log2(strongest_hz(sound, 3.65, 3.85) / hertz(45))) < 25


def test_a_note_longer_than_all_recordings_has_no_hole(tmp_path: Path) -> None:
    notes = [*LINE, Note(4.0, 6.0, 40, 90)]
    sound = played(part_of(tmp_path, notes))[0, round(4.05 * RATE) : round(5.95 * RATE)]
    levels = np.sqrt(np.square(sound[: len(sound) // 882 * 882]).reshape(-1, 882).mean(axis=1))
    assert levels.min() > 0.25 * levels.max()


def test_seams_do_not_click(tmp_path: Path) -> None:
    sound = played(part_of(tmp_path, LINE))
    steepest = 2 * np.pi * hertz(45) / RATE * 0.3
    faded = 0.3 / (0.003 * RATE)  # as the notes themselves begin
    assert np.abs(np.diff(sound[0])).max() < 2 * (steepest + faded)


def test_chords_are_played_by_chords(tmp_path: Path) -> None:
    triads = [(60, 64, 67), (65, 69, 72), (60, 64, 67), (65, 69, 72)]
    notes = [Note(0.6 * i, 0.6 * i + 0.5, pitch, 90) for i, chord in enumerate(triads) for pitch in chord]
    sound = played(part_of(tmp_path, notes))
    for number, chord in enumerate(triads):
        piece = sound[0, round((0.6 * number + 0.05) * RATE) : round((0.6 * number + 0.45) * RATE)]
        spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece))))
        strongest = sorted(np.argsort(spectrum)[-12:] * RATE / len(piece))
        for pitch in chord:
            assert min(abs(1200 * np.log2(found / hertz(pitch))) for found in strongest) < 40


def test_what_is_copied_is_what_sounds_as_it_was_recorded(tmp_path: Path) -> None:
    notes = [Note(0.0, 0.4, 40, 90), Note(1.0, 1.4, 75, 90)]  # nothing like either
    part = part_of(tmp_path, notes)
    made = next(iter(candidates(part)))
    assert [start for start, _ in made.copies] == [0.0, 1.0]
    original = part.recording.read()[0, : round(0.3 * RATE)]
    sound = played(part, leaving_out=False)[0, : round(0.3 * RATE)]
    np.testing.assert_allclose(sound[1000:], original[1000:], atol=1e-5)


def test_a_single_note_is_silent_without_its_recording(tmp_path: Path) -> None:
    part = part_of(tmp_path, [Note(0.2, 0.6, 50, 90)])
    assert not played(part).any()
    assert played(part, leaving_out=False).any()


def test_an_excerpt_sounds_as_it_does_in_the_whole(tmp_path: Path) -> None:
    part = part_of(tmp_path, LINE)
    instrument = next(iter(candidates(part))).leaving_out
    whole = np.concatenate(list(play_in_segments(instrument, part.notes, part.recording.frames, 1)), axis=1)
    excerpt = play_excerpt(instrument, part.notes, RATE, 2 * RATE)
    np.testing.assert_allclose(excerpt, whole[:, RATE : 2 * RATE], atol=1e-6)


def test_notes_within_fifty_milliseconds_are_one_moment() -> None:
    notes = [Note(0.0, 1.0, 60, 80), Note(0.04, 0.5, 64, 100), Note(0.6, 0.9, 67, 90)]
    moments = moments_of(notes, 2.0)
    assert [len(moment.struck) for moment in moments] == [2, 1]
    assert moments[1].held == (60,)
    assert moments[0].gap_s == pytest.approx(0.6)
    assert moments[1].length_s == pytest.approx(0.4)


def test_drums_are_played_by_strokes_of_the_same_drum_at_their_own_pitch(tmp_path: Path) -> None:
    """Keys of drums are instruments: one is never made of another by shifting it."""
    notes = [Note(0.5 * beat, 0.5 * beat + 0.2, 38 if beat % 2 else 36, 90) for beat in range(8)]
    recording = part_of(tmp_path, notes).recording
    part = Part("drums", Recording.open(recording.path), tuple(notes), RATE)
    (made,) = candidates(part)
    assert (made.kind, made.label) == ("sampler", "own strokes")
    sound = played(part)
    for note in notes:
        assert strongest_hz(sound, note.onset_s + 0.02, note.onset_s + 0.2) == pytest.approx(
            hertz(note.pitch), abs=2
        )
