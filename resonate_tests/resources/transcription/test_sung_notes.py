from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import av
import mir_eval
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resonate_resources.recordings.midi import Note, read_notes, write_notes
from resonate_resources.recordings.recording import Recording, write_samples
from resonate_resources.recordings.tempo_map import TempoMap
from resonate_resources.signal.pitch_track import pitch_track
from resonate_resources.transcription.resource import PARTS
from resonate_resources.transcription.sung_notes import SungNotes
from resonate_studio.demo_song import DemoSong
from resonate_tests.programs import required

VOICE = PARTS["vocals"].voice
RATE = 44100

Curve = npt.NDArray[np.float64]


def voiced(semitones: Curve, rate: int = RATE) -> Curve:
    """Ten harmonics of a pitch curve, a value a sample, faded in over 30 ms and out over 60."""
    phase = 2 * np.pi * np.cumsum(440 * 2 ** ((semitones - 69) / 12)) / rate
    harmonics = sum(np.sin(n * phase) / n for n in range(1, 11))
    t = np.arange(len(semitones)) / rate
    return 0.2 * harmonics * np.minimum(1, np.minimum(t / 0.03, (t[-1] - t) / 0.06).clip(0))


def held(pitch: float, seconds: float, vibrato: float = 0.0, rate: int = RATE) -> Curve:
    t = np.arange(round(seconds * rate)) / rate
    return pitch + vibrato * np.sin(2 * np.pi * 5.5 * t)


def sung(parts: Sequence[Curve], rest_s: float, path: Path, rate: int = RATE, gain: float = 1.0) -> Recording:
    """Curves as notes, each with a rest before it."""
    rest = np.zeros(round(rest_s * rate))
    samples = np.concatenate([piece for part in parts for piece in (rest, voiced(part, rate))] + [rest])
    return write_samples(path, (gain * samples[np.newaxis]).astype(np.float32), rate)


def heard(stem: Recording) -> list[Note]:
    return SungNotes().notes(stem, VOICE)


@given(
    pitches=st.lists(st.integers(48, 76), min_size=1, max_size=6),
    vibrato=st.floats(0, 0.8),
    seconds=st.floats(0.3, 1),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_parted_notes_have_their_onsets_and_pitches_and_vibrato_cuts_none(
    pitches: list[int], vibrato: float, seconds: float, tmp_path: Path
) -> None:
    notes = heard(sung([held(pitch, seconds, vibrato) for pitch in pitches], 0.2, tmp_path / "line.wav"))
    assert [note.pitch for note in notes] == pitches
    onsets = 0.2 + (0.2 + seconds) * np.arange(len(pitches))
    np.testing.assert_allclose([note.onset_s for note in notes], onsets, atol=0.05)
    np.testing.assert_allclose([note.offset_s for note in notes], onsets + seconds, atol=0.08)


@pytest.mark.parametrize("rate", [8000, 48000, 192000])
def test_any_rate_and_a_quiet_recording_give_the_same_notes(rate: int, tmp_path: Path) -> None:
    line = [held(pitch, 0.5, 0.3, rate) for pitch in (60, 64, 62)]
    for gain in (1.0, 10 ** (-45 / 20)):  # −60 dBFS RMS and a little
        notes = heard(sung(line, 0.2, tmp_path / "line.wav", rate, gain))
        assert [note.pitch for note in notes] == [60, 64, 62]


def test_a_step_without_a_rest_begins_a_note(tmp_path: Path) -> None:
    legato = np.concatenate([held(60, 0.6), held(64, 0.6), held(57, 0.6)])
    notes = heard(sung([legato], 0.3, tmp_path / "legato.wav"))
    assert [note.pitch for note in notes] == [60, 64, 57]
    np.testing.assert_allclose([note.onset_s for note in notes], [0.3, 0.9, 1.5], atol=0.05)


@given(
    pitches=st.lists(st.integers(55, 67), min_size=2, max_size=8),
    seconds=st.lists(st.floats(0.2, 0.7), min_size=8, max_size=8),
)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_legato_line_can_be_written_with_its_bends(
    pitches: list[int], seconds: list[float], tmp_path: Path
) -> None:
    legato = np.concatenate([held(p, s, 0.4) for p, s in zip(pitches, seconds, strict=False)])
    notes = heard(sung([legato], 0.3, tmp_path / "legato.wav"))
    assert all(note.offset_s <= following.onset_s for note, following in pairwise(notes))
    write_notes(tmp_path / "legato.mid", notes, tempo=TempoMap.steady(97), name="vocals", program=52)
    assert [note.pitch for note in read_notes(tmp_path / "legato.mid")] == [note.pitch for note in notes]


def test_bends_follow_the_pitch_that_was_sung(tmp_path: Path) -> None:
    """62.3 with a vibrato of 0.6 semitones: between the keys, and around."""
    curve = held(62.3, 1.0, 0.6)
    (note,) = heard(sung([curve], 0.2, tmp_path / "vibrato.wav"))
    errors = []
    for (at, bend), (following, _) in pairwise([*note.bends, (note.duration_s, 0.0)]):
        second = note.onset_s + (at + min(following, at + 0.01)) / 2 - 0.2
        if 0.1 < second < 0.9:
            errors.append(note.pitch + bend - curve[round(second * RATE)])
    assert note.pitch == 62
    assert len(errors) > 40
    assert np.abs(errors).max() < 0.25
    assert np.sqrt(np.mean(np.square(errors))) < 0.1


def test_a_note_is_whole_where_blocks_of_half_a_minute_meet(tmp_path: Path) -> None:
    stem = sung([held(57, 8.0), held(60, 29.0)], 25.0, tmp_path / "long.wav")
    notes = heard(stem)
    assert [note.pitch for note in notes] == [57, 60]
    np.testing.assert_allclose([note.onset_s for note in notes], [25, 58], atol=0.05)
    track = pitch_track(stem, VOICE.lowest_hz, VOICE.highest_hz)
    assert len(track.hertz) == 100 * (25 * 3 + 37) + 1
    np.testing.assert_allclose(track.hertz[2600:3200], 220.0, rtol=0.002)  # A3
    np.testing.assert_allclose(track.hertz[5900:8600], 261.63, rtol=0.002)  # C4


def test_louder_notes_are_struck_harder(tmp_path: Path) -> None:
    loud, soft = voiced(held(60, 0.6)), 0.25 * voiced(held(60, 0.6))
    samples = np.concatenate([loud, np.zeros(RATE // 4), soft, np.zeros(RATE // 4)])
    first, second = heard(write_samples(tmp_path / "two.wav", samples[np.newaxis].astype(np.float32), RATE))
    # A player's gain is the square of velocity: 12 dB are a factor of two.
    assert first.velocity / second.velocity == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize("level_db", [-np.inf, -120.0, -90.0, -30.0])
def test_noise_has_no_notes(level_db: float, tmp_path: Path) -> None:
    noise = np.random.default_rng(1).standard_normal((2, RATE * 5)) * 10 ** (level_db / 20)
    assert heard(write_samples(tmp_path / "noise.wav", noise.astype(np.float32), RATE)) == []


@pytest.mark.parametrize("frames", [0, 1, 100, 441])
def test_a_recording_of_a_few_samples_has_no_notes(frames: int, tmp_path: Path) -> None:
    assert heard(write_samples(tmp_path / "short.wav", np.full((1, frames), 0.5, np.float32), RATE)) == []


def test_the_demo_songs_voice_is_heard_one_note_at_a_time(demo_song: DemoSong) -> None:
    notes = heard(demo_song.stems["vocals"])
    composed = [(note.onset_s, note.offset_s) for note in demo_song.composition.notes["vocals"]]
    spans = np.array([(note.onset_s, note.offset_s) for note in notes])
    _, _, f_measure = mir_eval.transcription.onset_precision_recall_f1(np.array(composed), spans)
    assert f_measure >= 0.9
    assert all(note.offset_s <= following.onset_s for note, following in pairwise(notes))
    assert notes[-1].offset_s <= demo_song.mix.duration


def test_progress_ends_at_one(tmp_path: Path) -> None:
    seen: list[float] = []
    SungNotes().notes(sung([held(60, 0.5)], 0.1, tmp_path / "one.wav"), VOICE, seen.append)
    assert seen[-1] == 1.0


def test_real_speech_whose_pitch_is_nowhere_held_has_no_notes(tmp_path: Path) -> None:
    with av.open(
        str(required("asterisk-core-sounds-en-g722") / "demo-congrats.g722"), format="g722"
    ) as container:
        samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    speech = samples[np.newaxis].astype(np.float32) / 32768  # half a minute of sentences
    assert heard(write_samples(tmp_path / "speech.wav", speech, 16000)) == []


@pytest.mark.parametrize("vibrato", [0.5, 1.5])
def test_a_wide_vibrato_is_sung_and_a_pitch_that_only_glides_is_not(vibrato: float, tmp_path: Path) -> None:
    sung_notes = heard(sung([held(60, 0.8, vibrato), held(64, 0.8, vibrato)], 0.4, tmp_path / "sung.wav"))
    assert {60, 64} <= {note.pitch for note in sung_notes}
    glides = [np.linspace(low, low + 6, RATE // 4) for low in (50, 54, 48, 52, 55, 49)]
    assert heard(sung(glides, 0.4, tmp_path / "glides.wav")) == []
