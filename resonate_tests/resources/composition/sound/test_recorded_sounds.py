"""A band that plays by sounds of a recording: sines whose pitch tells whose they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resonate_resources.composition.plan import Part
from resonate_resources.composition.qa import qa_of_music
from resonate_resources.composition.sound.recorded_sounds import RecordedSounds
from resonate_resources.composition.sound.rendering import render
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Samples, write_samples
from resonate_tests.resources.composition.sound.plans import plan

RATE = 48_000
KICK, SNARE, CLAP, HAT, CRASH = 36, 38, 39, 42, 49


def tone(hertz: float, amplitude: float = 0.5) -> Samples:
    wave = amplitude * np.sin(2 * np.pi * hertz * np.arange(RATE // 2) / RATE)
    return np.stack([wave, wave]).astype(np.float32)


def own(pitch: int, velocity: int, held_s: float) -> Samples:
    """A kit of the composer's, of which all drums are equally loud."""
    return tone(5000, 0.1 * (velocity / 100) ** 2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = []
    for pitch, hertz in ((KICK, 60.0), (SNARE, 200.0), (HAT, 8000.0)):
        write_samples(tmp_path / f"{pitch}.wav", tone(hertz), RATE)
        lines.append(
            f"<region> sample={pitch}.wav lokey={pitch} hikey={pitch} pitch_keycenter={pitch} loop_mode=one_shot"
        )
    (tmp_path / "Drums.sfz").write_text("\n".join(lines))
    write_samples(tmp_path / "bass.wav", tone(55.0), RATE)
    (tmp_path / "Bass.sfz").write_text("<region> sample=bass.wav lokey=29 hikey=37 pitch_keycenter=33")
    return tmp_path


def part(stem: str, role: str, sound: str) -> Part:
    return Part.model_validate({"name": "Part", "stem": stem, "role": role, "sound": sound, "notes": ()})


DRUMS, BASS = part("drums", "drums", "kit_909"), part("bass", "bass", "synth_bass")


def notes(*pitches: int) -> list[Note]:
    return [Note(at, at + 0.4, pitch, 100) for at, pitch in enumerate(pitches)]


def heard(sound: Samples) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(sound[0], 1 << 18))) * RATE / (1 << 18))


def test_a_kit_plays_its_drums_and_for_those_it_lacks_one_like_it(folder: Path) -> None:
    kit = RecordedSounds.read(folder, "song.wav").instrument(DRUMS, RATE, own)
    for pitch, hertz in ((KICK, 60), (35, 60), (SNARE, 200), (CLAP, 200), (HAT, 8000), (46, 8000)):
        assert heard(kit.play([Note(0, 30, pitch, 100)], RATE // 2)) == pytest.approx(hertz, rel=0.02)


def test_a_drum_that_it_has_none_like_is_the_composers_as_loud_beside_the_others(folder: Path) -> None:
    kit = RecordedSounds.read(folder, "song.wav").instrument(DRUMS, RATE, own)
    crash, kick = (kit.play([Note(0, 30, pitch, 100)], RATE // 2) for pitch in (CRASH, KICK))
    assert heard(crash) == pytest.approx(5000, rel=0.02)
    assert np.abs(crash).max() == pytest.approx(
        np.abs(kick).max(), rel=0.02
    )  # in its own kit all are as loud


def test_a_recording_with_a_kick_alone_has_the_rest_from_the_composers_kit(folder: Path) -> None:
    write_samples(folder / "36.wav", tone(60.0, 0.2), RATE)
    (folder / "Drums.sfz").write_text(
        "<region> sample=36.wav lokey=36 hikey=36 pitch_keycenter=36 loop_mode=one_shot"
    )
    kit = RecordedSounds.read(folder, "song.wav").instrument(DRUMS, RATE, own)
    snare, kick = (kit.play([Note(0, 30, pitch, 100)], RATE // 2) for pitch in (SNARE, KICK))
    assert heard(snare) == pytest.approx(5000, rel=0.02)
    assert np.abs(snare).max() == pytest.approx(np.abs(kick).max(), rel=0.02)


def test_a_part_within_its_keys_is_played_at_its_pitch(folder: Path) -> None:
    sounds = RecordedSounds.read(folder, "song.wav")
    assert sounds.lacking(BASS, notes(29, 33, 37)) == ""
    bass = sounds.instrument(BASS, RATE, own)
    for pitch in (24, 29, 33, 37, 42):
        sound = bass.play([Note(0, 0.4, pitch, 127)], RATE // 2)
        assert heard(sound) == pytest.approx(55 * 2 ** ((pitch - 33) / 12), rel=0.02)


def test_a_note_held_longer_than_it_was_recorded_is_no_silence(folder: Path, tmp_path: Path) -> None:
    """A string of 0.4 s that fell by 20 dB, held for 2 s: by its end quality control misses nothing."""
    at = np.arange(round(0.4 * RATE)) / RATE
    string = 10 ** (-50 * at / 20) * tone(55.0)[:, : at.size]
    write_samples(folder / "bass.wav", string.astype(np.float32), RATE)
    held = BASS.model_copy(update={"notes": ((0.0, 4.0, 33, 100),)})
    piece = plan("pop", 120.0, 1, [held])
    made = render(piece, tmp_path / "made", recorded=RecordedSounds.read(folder, "song.wav"))
    assert made.instruments["Part"].source == "song.wav"
    assert qa_of_music(piece, made.mix, 120.0, "A minor")["silence"].passed


def test_a_guitar_that_was_not_separated_is_in_other(folder: Path) -> None:
    write_samples(folder / "other.wav", tone(220.0), RATE)
    (folder / "Other.sfz").write_text("<region> sample=other.wav lokey=50 hikey=64 pitch_keycenter=57")
    sounds, guitar = RecordedSounds.read(folder, "song.wav"), part("guitar", "chords", "acoustic_guitar")
    assert sounds.lacking(guitar, notes(57)) == ""
    sound = sounds.instrument(guitar, RATE, own).play([Note(0, 0.4, 57, 127)], RATE // 2)
    assert heard(sound) == pytest.approx(220, rel=0.02)


def test_what_it_cannot_play_is_told(folder: Path) -> None:
    sounds = RecordedSounds.read(folder, "song.wav")
    assert sounds.lacking(BASS, notes(24, 42)) == ""  # five keys past those it has
    assert "no notes near 2 of its keys" in sounds.lacking(BASS, notes(23, 33, 43))
    assert "has no other" in sounds.lacking(part("other", "chords", "piano"), notes(60))
    assert "voice" in sounds.lacking(part("vocals", "melody", "piano"), notes(60))
    assert sounds.lacking(DRUMS, notes(KICK, CRASH)) == ""
    (folder / "Drums.sfz").write_text("<region> sample=42.wav lokey=42 hikey=42 pitch_keycenter=42")
    assert "neither kick nor snare" in RecordedSounds.read(folder, "song.wav").lacking(DRUMS, notes(KICK))


def test_other_sounds_are_other_sounds_wherever_they_lie(folder: Path) -> None:
    before = RecordedSounds.read(folder, "song.wav").sha256
    moved = folder.with_name("moved")
    folder.rename(moved)
    assert RecordedSounds.read(moved, "song.wav").sha256 == before
    write_samples(moved / "bass.wav", tone(54.0), RATE)
    assert RecordedSounds.read(moved, "song.wav").sha256 != before
