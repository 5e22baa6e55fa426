from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import mir_eval
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.music import Music
from resonate_resources.recordings.recording import Samples, silent, write_samples
from resonate_resources.separation.spectral.engine import SpectralSeparator
from resonate_resources.transcription.attacks import attack_times, cut_at_attacks, with_overtones
from resonate_resources.transcription.basic_pitch import BasicPitch, frame_time, nearest_frame
from resonate_resources.transcription.brief import TranscriptionBrief
from resonate_resources.transcription.note_creation import LOWEST_PITCH, FrameNote
from resonate_resources.transcription.resource import PARTS, TranscriptionResource
from resonate_studio.demo import bass_onset_f
from resonate_studio.demo_song import DemoSong, PhoneRecording

RATE = 22050
BASS = PARTS["bass"].voice


def plucked(pitches: list[int], seconds: float) -> Samples:
    """A string damped for 20 ms before each pluck, twelve partials: (1, frames)."""
    time = np.arange(round(seconds * RATE)) / RATE
    edges = np.clip(time / 0.004, 0, 1) * np.clip((seconds - 0.02 - time) / 0.01, 0, 1)
    notes = []
    for pitch in pitches:
        hertz = 440 * 2 ** ((pitch - 69) / 12)
        partials = sum(
            np.exp(-(1 + n) * time) * np.sin(2 * np.pi * hertz * n * time) / n for n in range(1, 13)
        )
        notes.append(0.3 * edges * partials)
    return np.concatenate(notes)[np.newaxis].astype(np.float32)


def kick(level: float) -> Samples:
    """A swept sine, as of a drum machine: (frames,)."""
    time = np.arange(round(0.3 * RATE)) / RATE
    phase = 2 * np.pi * (50 * time + 4 * (1 - np.exp(-time / 0.03)))
    return (level * np.sin(phase) * np.exp(-time / 0.1)).astype(np.float32)


def heard(audio: Samples, path: Path) -> list[Note]:
    return BasicPitch().notes(write_samples(path / "bass.wav", audio, RATE), BASS)


def test_a_note_struck_again_at_the_same_pitch_is_a_new_note(tmp_path: Path) -> None:
    notes = heard(plucked([33] * 16, 0.25), tmp_path)
    assert [note.pitch for note in notes] == [33] * 16
    np.testing.assert_allclose([note.onset_s for note in notes], 0.25 * np.arange(16), atol=0.025)


def test_a_kick_that_leaks_into_a_held_note_begins_no_note(tmp_path: Path) -> None:
    line = plucked([33, 40, 36], 1.0)
    for at in (0.4, 0.7, 1.4, 1.7, 2.4, 2.65):
        leak = kick(0.1)
        line[0, round(at * RATE) :][: len(leak)] += leak
    assert [note.pitch for note in heard(line, tmp_path)] == [33, 40, 36]


def test_octave_and_twelfth_vouch_for_a_fundamental_that_is_weaker() -> None:
    # E1 (28) as a small microphone leaves it, then E2 (40) with the overtones of its own.
    notes = np.zeros((80, 88), np.float32)
    for start, activations in ((0, {28: 0.5, 40: 0.6, 47: 0.5}), (40, {40: 0.6, 52: 0.4})):
        for pitch, activation in activations.items():
            notes[start : start + 40, pitch - LOWEST_PITCH] = activation
    vouched = with_overtones(notes, slice(2, 34))
    cut = cut_at_attacks([FrameNote(0, 80, 40, 0.6)], [0, 40], vouched, LOWEST_PITCH + 2, 7)
    assert [(note.start, note.end, note.pitch) for note in cut] == [(0, 40, 28), (40, 80, 40)]


def test_a_change_of_pitch_without_an_attack_begins_a_note() -> None:
    vouched = np.zeros((60, 33), np.float32)
    vouched[:30, 5] = vouched[30:, 7] = 0.7
    line = [FrameNote(0, 30, 29, 0.7), FrameNote(30, 60, 31, 0.7)]
    cut = cut_at_attacks(line, [0], vouched, 24, 7)
    assert [(note.start, note.end, note.pitch) for note in cut] == [(0, 30, 29), (30, 60, 31)]


@pytest.mark.parametrize("frames", [1, RATE])
def test_silence_has_no_attacks(frames: int, tmp_path: Path) -> None:
    assert attack_times(write_samples(tmp_path / "s.wav", np.zeros((2, frames), np.float32), RATE)) == []


def test_attacks_are_right_to_twenty_milliseconds_at_any_level(tmp_path: Path) -> None:
    for level_db in (0.0, -30.0):
        audio = np.zeros((1, 4 * RATE), np.float32)
        for at in (0.0, 1.0, 1.37, 2.2):
            note = plucked([40], 0.3)[0] * np.float32(10 ** (level_db / 20))
            audio[0, round(at * RATE) :][: len(note)] = note
        attacks = attack_times(write_samples(tmp_path / f"{level_db}.wav", audio, RATE))
        np.testing.assert_allclose(attacks, [0.0, 1.0, 1.37, 2.2], atol=0.02)


@given(st.integers(0, 500_000))
@example(27_406)
def test_a_frames_time_leads_back_to_it(frame: int) -> None:
    assert nearest_frame(frame_time(frame)) == frame


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(1, 60), st.integers(28, 50)), max_size=12),
    st.sets(st.integers(0, 900)),
)
def test_cut_notes_follow_each_other_and_last(gaps: list[tuple[int, int, int]], struck: set[int]) -> None:
    line, at = [], 0
    for rest, length, pitch in gaps:
        line.append(FrameNote(at + rest, at + rest + length, pitch, 0.5))
        at += rest + length
    vouched = np.zeros((1000, 33), np.float32)
    for note in line:
        vouched[note.start : note.end, note.pitch - 24] = 0.5
    notes = cut_at_attacks(line, sorted(struck), vouched, 24, 7)
    begun = struck | {note.start for note in line}
    for note in notes:
        assert note.start in begun
        assert note.end - note.start > 7
    for note, following in pairwise(notes):
        assert note.end <= following.start


def test_a_line_through_a_small_microphone_is_heard_note_by_note(
    phone_recording: PhoneRecording, demo_song: DemoSong
) -> None:
    begun = np.array([note.onset_s for note in demo_song.composition.notes["bass"]])
    onsets = np.array([note.onset_s for note in BasicPitch().notes(phone_recording.stems["bass"], BASS)])
    assert mir_eval.onset.f_measure(begun, onsets, window=0.05)[0] >= 0.95


@pytest.mark.parametrize("by_phone", [False, True])
def test_the_separated_bass_line_is_recognisably_itself(
    by_phone: bool, demo_song: DemoSong, phone_recording: PhoneRecording, tmp_path: Path
) -> None:
    mix = phone_recording.mix if by_phone else demo_song.mix
    stems = SpectralSeparator().separate(mix, tmp_path, silent)
    composed = demo_song.composition
    product = TranscriptionResource().transcribe(
        {"bass": stems["bass"]}, Music(composed.tempo_bpm), TranscriptionBrief(), tmp_path
    )
    assert bass_onset_f(product.files["bass.mid"], composed) >= 0.7
