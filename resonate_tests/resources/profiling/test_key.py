from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resonate_resources.profiling.key import Keys, estimate_keys
from resonate_resources.profiling.pitch_classes import pitch_class_energy
from resonate_resources.recordings.recording import Recording, Samples, write_samples
from resonate_resources.signal.spelling import TONICS, camelot, open_key, spelt
from resonate_studio.demo_song import DemoSong, PhoneRecording

RATE = 22050
CADENCES = {
    "major": ((0, "major"), (5, "major"), (7, "major"), (0, "major")),
    "minor": ((0, "minor"), (5, "minor"), (7, "major"), (0, "minor")),
}
THIRD = {"major": 4, "minor": 3}


def cadence(tonic: int, mode: str, cents: float = 0.0) -> Samples:
    """I–IV–V–I, or i–iv–V–i, a second a chord, (1, frames); tonic in semitones over C4."""
    time = np.arange(RATE) / RATE
    chords = []
    for step, quality in CADENCES[mode]:
        pitches = (tonic + step, tonic + step + THIRD[quality], tonic + step + 7)
        hertz = [261.6256 * 2 ** ((pitch + cents / 100) / 12) for pitch in pitches]
        chords.append(sum(np.sin(2 * np.pi * f * n * time) / n**2 for f in hertz for n in range(1, 5)))
    return (0.1 * np.concatenate(chords) * np.ones((1, 1))).astype(np.float32)


def keys_of(recording: Recording) -> Keys | None:
    return estimate_keys(pitch_class_energy(recording), recording.duration)


def key_of(recording: Recording) -> str | None:
    keys = keys_of(recording)
    return keys.key if keys else None


@pytest.mark.parametrize("mode", ["major", "minor"])
@pytest.mark.parametrize("tonic", range(12))
def test_a_cadence_says_its_key(tonic: int, mode: str, tmp_path: Path) -> None:
    recording = write_samples(tmp_path / "cadence.wav", cadence(tonic, mode), RATE)
    assert key_of(recording) == f"{TONICS[mode][tonic]} {mode}"


@given(cents=st.floats(-40, 40), tonic=st.integers(0, 11))
@settings(max_examples=15)
def test_the_key_is_the_same_in_any_tuning(
    cents: float, tonic: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("tuning") / "cadence.wav"
    assert (
        key_of(write_samples(path, cadence(tonic, "minor", cents), RATE)) == f"{TONICS['minor'][tonic]} minor"
    )


def test_the_demos_key_is_the_composed_one(demo_song: DemoSong, phone_recording: PhoneRecording) -> None:
    assert key_of(demo_song.mix) == spelt(demo_song.composition.key)
    assert key_of(phone_recording.mix) == spelt(demo_song.composition.key)


def tone(hertz: float, partials: int, seconds: float = 10.0) -> Samples:
    """Swells twice a second."""
    time = np.arange(round(seconds * RATE)) / RATE
    swell = 0.6 + 0.4 * np.cos(4 * np.pi * time)
    return swell * sum(0.2 / n * np.sin(2 * np.pi * hertz * n * time) for n in range(1, partials + 1))


@pytest.mark.parametrize(
    ("hertz", "partials"),
    [(440, 1), (196, 10), (50, 12), (60, 12)],
    ids=["sine", "pitch", "hum", "hum of 60 Hz"],
)
def test_a_single_pitch_has_no_key(hertz: float, partials: int, tmp_path: Path) -> None:
    samples = np.atleast_2d(tone(hertz, partials)).astype(np.float32)
    assert keys_of(write_samples(tmp_path / "tone.wav", samples, RATE)) is None


def test_drums_have_no_key(demo_song: DemoSong) -> None:
    assert keys_of(demo_song.stems["drums"]) is None


@given(cents=st.floats(-45, 45))
@settings(max_examples=8)
def test_the_tuning_is_told_in_cents_from_440_hz(
    cents: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("tuning") / "cadence.wav"
    keys = keys_of(write_samples(path, cadence(0, "major", cents), RATE))
    assert keys is not None
    assert keys.tuning_cents == pytest.approx(cents, abs=3)


def test_two_keys_one_after_the_other_are_told_with_when_the_second_begins(tmp_path: Path) -> None:
    first, second = (np.tile(cadence(tonic, "major"), 8) for tonic in (0, 4))
    keys = keys_of(write_samples(tmp_path / "modulation.wav", np.concatenate([first, second], axis=1), RATE))
    assert keys is not None
    assert [span.key for span in keys.spans] == ["C major", "E major"]
    assert keys.spans[1].start_s == keys.spans[0].end_s == pytest.approx(32, abs=2)
    assert (keys.spans[0].start_s, keys.spans[1].end_s) == (0, 64)


# Two triads in turn: the minor one with the major one a fourth higher has the dorian sixth, and so on.
@pytest.mark.parametrize(
    ("chords", "key", "mode"),
    [
        (((0, "minor"), (5, "major")), "C minor", "dorian"),
        (((0, "minor"), (5, "minor")), "C minor", None),
        (((0, "major"), (10, "major"), (0, "major")), "C major", "mixolydian"),
        (((0, "major"), (5, "major"), (7, "major")), "C major", None),
    ],
)
def test_the_degree_that_makes_a_mode_is_hinted_at(
    chords: tuple[tuple[int, str], ...], key: str, mode: str | None, tmp_path: Path
) -> None:
    time = np.arange(2 * RATE) / RATE
    home = chords[0]
    sounding = []
    for step, quality in (*chords, home) * 6:
        pitches = (step, step + THIRD[quality], step + 7)
        hertz = [261.6256 * 2 ** (pitch / 12) for pitch in pitches]
        sounding.append(sum(np.sin(2 * np.pi * f * n * time) / n**2 for f in hertz for n in range(1, 5)))
    samples = np.atleast_2d(0.1 * np.concatenate(sounding)).astype(np.float32)
    keys = keys_of(write_samples(tmp_path / "mode.wav", samples, RATE))
    assert keys is not None
    assert [(span.key, span.mode) for span in keys.spans] == [(key, mode)]


@pytest.mark.parametrize("seconds", [3, 30])
def test_noise_has_no_key(seconds: int, tmp_path: Path) -> None:
    noise = 0.1 * np.random.default_rng(2).standard_normal((1, seconds * RATE))
    assert key_of(write_samples(tmp_path / "noise.wav", noise.astype(np.float32), RATE)) is None


@pytest.mark.parametrize("frames", [0, 1, 3 * RATE])
def test_silence_has_no_key(frames: int, tmp_path: Path) -> None:
    assert key_of(write_samples(tmp_path / "silence.wav", np.zeros((2, frames), np.float32), RATE)) is None


# The wheel as Mixed In Key prints it; Open Key after openkeynotation.com.
@pytest.mark.parametrize(
    ("key", "on_camelot", "on_open_key"),
    [
        ("A minor", "8A", "1m"),
        ("C major", "8B", "1d"),
        ("E minor", "9A", "2m"),
        ("F major", "7B", "12d"),
        ("G# minor", "1A", "6m"),
        ("B major", "1B", "6d"),
        ("C# minor", "12A", "5m"),
        ("Db major", "3B", "8d"),
        ("F# minor", "11A", "4m"),
        ("Eb major", "5B", "10d"),
    ],
)
def test_keys_have_their_place_on_the_wheels(key: str, on_camelot: str, on_open_key: str) -> None:
    assert camelot(key) == on_camelot
    assert open_key(key) == on_open_key


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("A minor", "A minor"),
        ("a min", "A minor"),
        ("Am", "A minor"),
        ("8A", "A minor"),
        ("1m", "A minor"),
        ("A# major", "Bb major"),
        ("A♯ minor", "Bb minor"),
        ("Bbm", "Bb minor"),
        ("F#", "F# major"),
        ("GbMaj", "F# major"),
        ("Cb", "B major"),
        ("B#m", "C minor"),
        ("e# MINOR", "F minor"),
        ("12b", "E major"),
        ("12d", "F major"),
    ],
)
def test_a_key_is_known_however_it_is_spelt(written: str, key: str) -> None:
    assert spelt(f" {written} ") == key


@pytest.mark.parametrize("written", ["", "H minor", "13A", "0A", "A dorian", "Abb", "minor", "8"])
def test_what_is_no_key_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is no key"):
        spelt(written)


@pytest.mark.parametrize("seed", range(4))
def test_twelve_tone_rows_have_no_key(seed: int, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    time = np.arange(round(0.3 * RATE)) / RATE
    rows = np.concatenate([random.permutation(12) for _ in range(8)]) + 12 * random.integers(0, 2, 96)
    notes = [
        sum(np.sin(2 * np.pi * 220 * 2 ** (pitch / 12) * n * time) / n**2 for n in range(1, 5))
        * np.exp(-3 * time)
        for pitch in rows
    ]
    samples = (0.1 * np.concatenate(notes) * np.ones((1, 1))).astype(np.float32)
    assert keys_of(write_samples(tmp_path / "rows.wav", samples, RATE)) is None
