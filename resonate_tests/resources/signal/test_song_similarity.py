"""How like each other recordings are told to be, of music whose notes are known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from resonate_resources.recordings.recording import Recording, write_samples
from resonate_resources.signal.song_similarity import (
    Passage,
    Similarity,
    hear_passages,
    key_sections,
    similarity,
)

RATE = 22_050
SECONDS = 16.0


@dataclass(frozen=True)
class Span:
    start_s: float
    end_s: float
    label: str


def tune(bpm: float, up: int = 0, straight: bool = True, bright: float = 0.3) -> npt.NDArray[np.float32]:
    """Kick, hat and a chord of A minor, `up` semitones higher. straight: the kick on every beat."""
    chance = np.random.default_rng(7)
    time = np.arange(round(SECONDS * RATE)) / RATE
    sound = np.zeros(time.size)
    beat = 60 / bpm
    kicks = (0.0, 1.0, 2.0, 3.0) if straight else (0.0, 0.75, 2.5)
    hats = (0.5, 1.5, 2.5, 3.5) if straight else (1.0, 1.25, 3.0)
    for first in np.arange(0, SECONDS, 4 * beat):
        for places, drum in ((kicks, "kick"), (hats, "hat")):
            for place in places:
                since = time - first - place * beat
                on = (since >= 0) & (since < 0.2)
                own = (
                    np.sin(2 * np.pi * 55 * since)
                    if drum == "kick"
                    else chance.normal(size=time.size) * bright
                )
                sound += on * own * np.exp(-since.clip(0) / (0.08 if drum == "kick" else 0.03))
    for midi in (57, 60, 64, 69):
        hertz = 440 * 2 ** ((midi + up - 69) / 12)
        sound += sum(np.sin(2 * np.pi * hertz * n * time) / n for n in (1, 2, 3)) * 0.05
    return np.asarray(0.3 * sound / np.abs(sound).max(), np.float32)


def heard(samples: npt.NDArray[np.float32], folder: Path, bpm: float | None) -> list[Passage]:
    recording = write_samples(folder / "tune.wav", samples[np.newaxis], RATE)
    beats = np.arange(0, SECONDS, 60 / bpm).tolist() if bpm else []
    return hear_passages(recording, [(0.0, SECONDS / 2), (SECONDS / 2, SECONDS)], beats, bpm)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> list[Passage]:
    return heard(tune(120), tmp_path_factory.mktemp("plain"), 120)


def test_a_recording_is_wholly_like_itself_and_like_its_softer_copy(
    plain: list[Passage], tmp_path: Path
) -> None:
    assert similarity(plain, plain).total == pytest.approx(1.0)
    assert similarity(plain, heard(tune(120) * np.float32(0.1), tmp_path, 120)).total > 0.99


def test_one_half_of_a_steady_tune_is_like_the_other(plain: list[Passage]) -> None:
    assert similarity(plain[:1], plain[1:]).total > 0.95


@pytest.mark.parametrize(
    ("other", "bpm", "part"),
    [
        (tune(120, up=6), 120, "harmony"),
        (tune(150), 150, "tempo"),
        (tune(120, straight=False), 120, "groove"),
        (tune(120, bright=5.0), 120, "sound"),
    ],
)
def test_what_differs_is_told_by_its_part(
    plain: list[Passage], other: npt.NDArray[np.float32], bpm: float, part: str, tmp_path: Path
) -> None:
    found = similarity(plain, heard(other, tmp_path, bpm))
    assert found.parts[part] == min(found.parts.values())
    assert found.parts[part] < 0.6
    assert found.total < similarity(plain, plain).total - 0.08


def test_half_the_tempo_is_nearly_the_same_tempo() -> None:
    def passage(bpm: float) -> Passage:
        return Passage(8.0, np.zeros(64), np.eye(12)[0], np.ones((3, 16)), bpm, 4.0)

    found = similarity([passage(140)], [passage(70)])
    assert found.parts["tempo"] == pytest.approx(math.exp(-(0.5**2) / 2))  # 0.05 octaves of 0.1


def test_noise_is_like_no_music(plain: list[Passage], tmp_path: Path) -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, round(SECONDS * RATE)).astype(np.float32)
    found = similarity(plain, heard(noise, tmp_path, None))
    assert found.total < 0.4
    assert found.parts["tempo"] == found.parts["groove"] == 0


def test_of_what_has_no_beat_sound_and_harmony_alone_count(tmp_path: Path) -> None:
    time = np.arange(round(SECONDS * RATE)) / RATE
    chord = sum(np.sin(2 * np.pi * hertz * time) for hertz in (220.0, 261.63, 329.63))
    pad = heard(np.asarray(chord * 0.1, np.float32), tmp_path, None)
    found = similarity(pad, pad)
    assert set(found.parts) == {"sound", "harmony"}
    assert found.total == pytest.approx(1.0)


def test_key_sections_are_the_longest_of_the_three_labels_that_last_longest() -> None:
    sections = [
        Span(0, 8, "A"), Span(8, 40, "B"), Span(40, 44, "C"), Span(44, 64, "A"), Span(64, 160, "D"),
        Span(160, 163, "E"),
    ]  # fmt: skip
    assert key_sections(sections) == [(9.0, 39.0), (44, 64), (97.0, 127.0)]


def test_where_nothing_was_heard_nothing_is_alike() -> None:
    assert similarity([], []) == Similarity(0.0, {})


def test_a_section_behind_the_end_is_passed_over(tmp_path: Path) -> None:
    recording = write_samples(tmp_path / "short.wav", np.zeros((1, RATE), np.float32), RATE)
    assert len(hear_passages(Recording.open(recording.path), [(0.0, 1.0), (2.0, 3.0)], [], None)) == 1


@pytest.mark.parametrize("strokes", [2, 4, 8])
def test_strokes_are_counted(strokes: int, tmp_path: Path) -> None:
    time = np.arange(round(SECONDS * RATE)) / RATE
    since = time % (1 / strokes)
    clicks = np.asarray(0.5 * np.sin(2 * np.pi * 900 * since) * np.exp(-since / 0.03), np.float32)
    recording = write_samples(tmp_path / "clicks.wav", clicks[np.newaxis], RATE)
    found = hear_passages(recording, [(0.0, SECONDS)], [], None)[0]
    assert found.onsets_a_second == pytest.approx(strokes, rel=0.05)
