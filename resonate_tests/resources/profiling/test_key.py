from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resonate_resources.profiling.key import TONICS, camelot, estimate_key, open_key, spelt
from resonate_resources.profiling.pitch_classes import pitch_class_energy
from resonate_resources.recordings.recording import Recording, Samples, write_samples
from resonate_studio.demo_song import DemoSong, PhoneRecording

RATE = 22050
CADENCES = {
    "major": ((0, "major"), (5, "major"), (7, "major"), (0, "major")),
    "minor": ((0, "minor"), (5, "minor"), (7, "major"), (0, "minor")),
}
THIRD = {"major": 4, "minor": 3}


def cadence(tonic: int, mode: str, cents: float = 0.0) -> Samples:
    """I–IV–V–I, or i–iv–V–i, a second a chord, (1, frames); tonic in semitones over A3."""
    time = np.arange(RATE) / RATE
    chords = []
    for step, quality in CADENCES[mode]:
        pitches = (tonic + step, tonic + step + THIRD[quality], tonic + step + 7)
        hertz = [220 * 2 ** ((pitch + cents / 100) / 12) for pitch in pitches]
        chords.append(sum(np.sin(2 * np.pi * f * n * time) / n**2 for f in hertz for n in range(1, 5)))
    return (0.1 * np.concatenate(chords) * np.ones((1, 1))).astype(np.float32)


def key_of(recording: Recording) -> str | None:
    return estimate_key(pitch_class_energy(recording))


@pytest.mark.parametrize("mode", ["major", "minor"])
@pytest.mark.parametrize("tonic", range(12))
def test_a_cadence_says_its_key(tonic: int, mode: str, tmp_path: Path) -> None:
    recording = write_samples(tmp_path / "cadence.wav", cadence(tonic, mode), RATE)
    assert key_of(recording) == f"{TONICS[tonic]} {mode}"


@given(cents=st.floats(-40, 40), tonic=st.integers(0, 11))
@settings(max_examples=15)
def test_the_key_is_the_same_in_any_tuning(
    cents: float, tonic: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("tuning") / "cadence.wav"
    assert key_of(write_samples(path, cadence(tonic, "minor", cents), RATE)) == f"{TONICS[tonic]} minor"


def test_the_demos_key_is_the_composed_one(demo_song: DemoSong, phone_recording: PhoneRecording) -> None:
    assert key_of(demo_song.mix) == demo_song.composition.key
    assert key_of(phone_recording.mix) == demo_song.composition.key


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
        ("C# major", "3B", "8d"),
        ("F# minor", "11A", "4m"),
        ("D# major", "5B", "10d"),
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
        ("Bb major", "A# major"),
        ("B♭ minor", "A# minor"),
        ("Bbm", "A# minor"),
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
