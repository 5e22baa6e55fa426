from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import mir_eval
import numpy as np
import pytest
from basic_pitch.inference import run_inference
from hypothesis import example, given, settings
from hypothesis import strategies as st

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Recording, Samples, write_samples
from resonate_resources.transcription.basic_pitch import (
    WINDOW_FRAMES,
    BasicPitch,
    Window,
    activations,
    decode_windows,
    frame_time,
)
from resonate_resources.transcription.note_creation import LOWEST_PITCH
from resonate_resources.transcription.resource import PARTS
from resonate_resources.transcription.transcriber import Voice
from resonate_studio.demo_song import DemoSong

BASS = PARTS["bass"].voice
ANY = Voice(27.5, 4200, 0.1, monophonic=False)


def tone(seconds: float, hertz: float, sample_rate: int = 22050, amplitude: float = 0.3) -> Samples:
    """A plucked tone with eight partials, (1, frames)."""
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    partials = sum(np.sin(2 * np.pi * hertz * n * time) / n for n in range(1, 9))
    return (amplitude * partials * np.exp(-time))[np.newaxis].astype(np.float32)


def onset_f_measure(notes: list[Note], composed: list[tuple[float, float]]) -> float:
    """mir_eval's, with 50 ms tolerance."""
    heard = np.array([(note.onset_s, note.offset_s) for note in notes]).reshape(-1, 2)
    _, _, f_measure = mir_eval.transcription.onset_precision_recall_f1(
        np.array(composed), heard, onset_tolerance=0.05
    )
    return float(f_measure)


@pytest.fixture(scope="module")
def model_path() -> Path:
    import basic_pitch

    return Path(basic_pitch.__file__).parent / "saved_models/icassp_2022/nmp.onnx"


def test_activations_equal_basic_pitchs_own_inference(demo_song: DemoSong, model_path: Path) -> None:
    peer = run_inference(demo_song.mix.path, model_path)
    windows = list(activations(demo_song.mix))
    frames = len(peer["note"])
    ours = {
        "note": np.concatenate([window.notes for window in windows])[:frames],
        "onset": np.concatenate([window.onsets for window in windows])[:frames],
    }
    for name, values in ours.items():
        np.testing.assert_allclose(values, peer[name], atol=1e-4, rtol=0)


@pytest.mark.parametrize("sample_rate", [8000, 48000])
def test_activations_equal_the_peers_at_other_rates_and_channel_counts(
    sample_rate: int, tmp_path: Path, model_path: Path
) -> None:
    left, right = (np.tile(tone(1.0, hertz, sample_rate), 5) for hertz in (220.0, 330.0))
    recording = write_samples(tmp_path / "chord.wav", np.concatenate([left, right]), sample_rate)
    peer = run_inference(recording.path, model_path)["note"]
    ours = np.concatenate([window.notes for window in activations(recording)])[: len(peer)]
    np.testing.assert_allclose(ours, peer, atol=1e-4, rtol=0)


def test_the_bass_line_is_recognisably_itself(demo_song: DemoSong) -> None:
    composed = [(note.onset_s, note.offset_s) for note in demo_song.composition.notes["bass"]]
    heard = BasicPitch().notes(demo_song.stems["bass"], BASS)
    assert onset_f_measure(heard, composed) >= 0.95


def test_notes_have_the_pitch_and_the_time_that_was_played(tmp_path: Path) -> None:
    pitches = [40, 52, 47, 59, 64]
    melody = np.concatenate([tone(0.5, 440 * 2 ** ((pitch - 69) / 12)) for pitch in pitches], axis=1)
    heard = BasicPitch().notes(
        write_samples(tmp_path / "melody.wav", melody, 22050), Voice(60, 500, 0.1, True)
    )
    assert [note.pitch for note in heard] == pitches
    np.testing.assert_allclose([note.onset_s for note in heard], 0.5 * np.arange(5), atol=0.03)


def test_times_do_not_drift_over_minutes(tmp_path: Path) -> None:
    audio = np.zeros((1, 22050 * 120), np.float32)
    starts = [1.0, 60.0, 118.0]
    for start in starts:
        audio[:, round(start * 22050) :][:, :22050] += tone(1.0, 220.0)
    heard = BasicPitch().notes(write_samples(tmp_path / "three.wav", audio, 22050), ANY)
    onsets = [note.onset_s for note in heard if note.pitch == 57]
    np.testing.assert_allclose(onsets, starts, atol=0.02)


def test_a_note_in_the_last_moments_of_a_recording_is_heard(tmp_path: Path) -> None:
    # Basic Pitch's own inference leaves out the last 0.7 % of a recording: 0.4 s of a minute.
    audio = np.zeros((1, 22050 * 60), np.float32)
    audio[:, -8000:] = tone(8000 / 22050, 220.0)
    heard = BasicPitch().notes(write_samples(tmp_path / "late.wav", audio, 22050), ANY)
    assert 57 in [note.pitch for note in heard]
    assert max(note.offset_s for note in heard) <= 60.0


def test_notes_stay_within_the_range_of_the_voice(demo_song: DemoSong) -> None:
    heard = BasicPitch().notes(demo_song.mix, Voice(110, 440, 0.1, monophonic=False))
    pitches = {note.pitch for note in heard}
    assert pitches
    assert min(pitches) >= 45  # A2 is 110 Hz
    assert max(pitches) <= 69  # A4 is 440 Hz


def test_a_monophonic_voice_plays_one_note_at_a_time(demo_song: DemoSong) -> None:
    heard = BasicPitch().notes(demo_song.mix, BASS)
    assert len(heard) > 20
    for note, following in pairwise(heard):
        assert note.onset_s < note.offset_s <= following.onset_s


@pytest.mark.parametrize("level_db", [-np.inf, -120.0, -90.0])
def test_noise_that_cannot_be_heard_has_no_notes(level_db: float, tmp_path: Path) -> None:
    noise = np.random.default_rng(1).standard_normal((2, 44100 * 5)) * 10 ** (level_db / 20)
    recording = write_samples(tmp_path / "noise.wav", noise.astype(np.float32), 44100)
    assert BasicPitch().notes(recording, ANY) == []


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_noise_that_can_be_heard_has_no_bass_line(seed: int, tmp_path: Path) -> None:
    """Pink, as of rain and tape: of 10 s of it some notes would be found by chance."""
    frames = 10 * 44100
    white = np.fft.rfft(np.random.default_rng(seed).standard_normal(frames))
    pink = np.fft.irfft(white / np.sqrt(np.arange(1, len(white) + 1)))
    samples = (0.05 * pink / pink.std())[np.newaxis].astype(np.float32)
    assert BasicPitch().notes(write_samples(tmp_path / "noise.wav", samples, 44100), BASS) == []


def test_a_bass_line_under_loud_crackle_keeps_its_notes(tmp_path: Path) -> None:
    """Two notes a second for 10 s, and clicks that hold more power than they."""
    line = np.concatenate([tone(0.5, hertz, 44100, 0.1) for hertz in (55.0, 65.41, 73.42, 82.41) * 5], axis=1)
    random = np.random.default_rng(1)
    clicks = np.zeros_like(line)
    for start in random.integers(0, line.shape[1] - 30, 400):
        clicks[:, start : start + random.integers(3, 30)] += random.uniform(-0.6, 0.6)
    notes = BasicPitch().notes(write_samples(tmp_path / "old.wav", line + clicks, 44100), BASS)
    played = {(round(number * 0.5, 1), pitch) for number, pitch in enumerate((33, 36, 38, 40) * 5)}
    heard = {(round(2 * note.onset_s) / 2, note.pitch) for note in notes}
    assert len(played & heard) >= 0.7 * len(played)


def test_hum_is_no_bass_and_a_note_that_is_plucked_is_one(tmp_path: Path) -> None:
    time = np.arange(10 * 44100) / 44100
    hum = sum(0.2 / n * np.sin(2 * np.pi * 50 * n * time + n) for n in (1, 2, 3, 5, 7))
    assert (
        BasicPitch().notes(write_samples(tmp_path / "hum.wav", np.float32(hum)[np.newaxis], 44100), BASS)
        == []
    )
    plucked = np.concatenate([np.zeros((1, 44100), np.float32), tone(2, 49.0, 44100)], axis=1)
    [note] = BasicPitch().notes(write_samples(tmp_path / "pluck.wav", plucked, 44100), BASS)
    assert note.pitch == 31  # G1, 49.0 Hz
    assert note.onset_s == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("frames", [0, 1, 100])
def test_a_recording_of_a_few_samples_has_no_notes(frames: int, tmp_path: Path) -> None:
    recording = write_samples(tmp_path / "short.wav", np.full((1, frames), 0.5, np.float32), 44100)
    assert BasicPitch().notes(recording, ANY) == []


def windows_of(notes: list[tuple[int, int, int]], count: int) -> list[Window]:
    """Activations of notes given as (start, end, pitch), cut into windows."""
    frames = np.zeros((count * WINDOW_FRAMES, 88), np.float32)
    onsets = np.zeros_like(frames)
    for start, end, pitch in notes:
        frames[start:end, pitch - LOWEST_PITCH] = 0.8
        onsets[start, pitch - LOWEST_PITCH] = 0.9
    level = np.zeros(WINDOW_FRAMES, np.float32)
    return [
        Window(frames[at : at + WINDOW_FRAMES], onsets[at : at + WINDOW_FRAMES], level)
        for at in range(0, len(frames), WINDOW_FRAMES)
    ]


@st.composite
def rhythms(draw: st.DrawFn) -> tuple[list[tuple[int, int, int]], int]:
    """Notes on keys that do not touch each other, with rests long enough to end a note; the number of windows."""
    count = draw(st.integers(1, 60))
    notes = []
    for pitch in draw(
        st.sets(st.sampled_from(range(LOWEST_PITCH, LOWEST_PITCH + 88, 3)), min_size=1, max_size=2)
    ):
        at = draw(st.integers(2, 100))
        while (end := at + draw(st.integers(20, 5000))) < count * WINDOW_FRAMES - 1:
            notes.append((at, end, pitch))
            at = end + draw(st.integers(12, 900))
    return sorted(notes), count


# A rest at the end of one segment, and the remains of the note before it at the start of the next.
@example(([(2, 22, 21), (121, 5121, 21), (5133, 6236, 21)], 44))
@given(rhythms())
@settings(max_examples=20)
def test_notes_of_any_length_are_whole_wherever_segments_meet(
    piece: tuple[list[tuple[int, int, int]], int],
) -> None:
    notes, count = piece
    windows = iter(windows_of(notes, count))
    heard = sorted((note.start, note.end, note.pitch) for note in decode_windows(windows, 7))
    assert [(start, pitch) for start, _, pitch in heard] == [(start, pitch) for start, _, pitch in notes]
    for (_, end, _), (_, true_end, _) in zip(heard, notes, strict=True):
        assert (
            true_end - 1 <= end <= true_end
        )  # Basic Pitch ends what it finds without an onset one frame early


def test_a_frames_time_is_where_its_samples_are() -> None:
    # Windows of 43844 samples overlap by 30 hops of 256; 15 frames are dropped at either side of each.
    assert frame_time(0) == 0
    assert frame_time(WINDOW_FRAMES) == pytest.approx((43844 - 30 * 256) / 22050)
    assert frame_time(10 * WINDOW_FRAMES + 3) == pytest.approx((10 * 36164 + 3 * 256) / 22050)


def test_the_engine_names_its_model_and_licence() -> None:
    engine = BasicPitch().engine
    assert engine.name == "basic-pitch"
    assert engine.licence == "Apache-2.0"
    assert engine.model is not None
    assert "nmp.onnx" in engine.model


def test_progress_ends_at_one(tmp_path: Path) -> None:
    seen: list[float] = []
    recording = write_samples(tmp_path / "tone.wav", tone(3.0, 220.0), 22050)
    BasicPitch().notes(Recording.open(recording.path), ANY, seen.append)
    assert seen[-1] == 1.0
