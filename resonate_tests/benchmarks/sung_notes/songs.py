"""Songs whose sung notes are known, over the bands of `mask_fitting.songs`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resonate_tests.benchmarks.mask_fitting import songs as bands
from resonate_tests.benchmarks.mask_fitting.songs import (
    FITTED_SOUNDFONTS,
    FRAMES,
    JUDGED_SOUNDFONT,
    RATE,
    SECONDS,
)
from resonate_tests.benchmarks.sung_notes.resung import SungNote, register, resung, singer

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class SungSong:
    """singer: a speaker's name, or "synthesised"; stems (2, FRAMES); notes as they are sung."""

    singer: str
    stems: Mapping[str, Samples]
    notes: tuple[SungNote, ...]


def sung_song(seed: int, folder: Path, judged: bool, real: bool) -> SungSong:
    """The song of this seed, 20 s; judged: with singers and instruments that no song for fitting has."""
    rng = np.random.default_rng([seed, judged, real, 11])
    soundfont = JUDGED_SOUNDFONT if judged else FITTED_SOUNDFONTS[rng.integers(len(FITTED_SOUNDFONTS))]
    tempo = rng.uniform(75, 150)
    scale = (0, 2, 3, 5, 7, 8, 10) if rng.random() < 0.5 else (0, 2, 4, 5, 7, 9, 11)
    chords = tuple(int(rng.choice((0, 1, 2, 3, 4, 5))) for _ in range(4))
    harmony = bands.Harmony(int(rng.integers(12)), scale, chords, tempo, int(SECONDS * tempo / 60))
    melody = bands.melody(harmony, rng)
    if real:
        name, files = singer(rng, judged)
        voice, notes = _resung(melody, register(files), harmony, files, rng)
    else:
        name, voice = "synthesised", bands.sung(melody, harmony, rng)
        notes = [
            note for note in _times(melody, harmony, 0.95) if note.offset_s - note.onset_s >= 2000 / RATE
        ]
    stems = {
        "vocals": bands.in_room(np.stack([voice, voice]), rng, rng.uniform(0.3, 1.2), rng.uniform(0, 0.25)),
        "drums": bands._drums(harmony, rng, folder, soundfont, judged),
        "bass": bands._bass(harmony, rng, folder, soundfont),
        "other": bands._other(harmony, rng, folder, soundfont),
    }
    lower_db = {
        "vocals": 0.0,
        "drums": rng.uniform(-4, 2),
        "bass": rng.uniform(-4, 1),
        "other": rng.uniform(-4, 2),
    }
    levelled = {
        part: stem * 10 ** (lower_db[part] / 20) / (np.sqrt(np.square(stem).mean()) + 1e-9)
        for part, stem in stems.items()
    }
    peak = np.abs(sum(levelled.values())).max()
    return SungSong(
        name, {part: (stem * 0.7 / peak).astype(np.float32) for part, stem in levelled.items()}, tuple(notes)
    )


def _times(melody: list[bands.ScoreNote], harmony: bands.Harmony, held: float) -> list[SungNote]:
    return [
        SungNote(
            harmony.frame(note.onset) / RATE,
            min(FRAMES, harmony.frame(note.onset + held * note.duration)) / RATE,
            note.pitch,
        )
        for note in melody
    ]


def _resung(
    melody: list[bands.ScoreNote],
    spoken_at: float,
    harmony: bands.Harmony,
    files: list[Path],
    rng: np.random.Generator,
) -> tuple[npt.NDArray[np.float64], list[SungNote]]:
    """The melody in the octave that lies best for the voice, its notes tied or parted, a little out of tune."""
    middle = float(np.median([note.pitch for note in melody]))
    octaves = 12 * round((spoken_at + 4 - middle) / 12)
    composed = []
    for note in _times(melody, harmony, 1.0):
        late = rng.normal(0, 0.012)
        parted = rng.uniform(0.02, 0.2) if rng.random() < 0.4 else 0.0
        onset = max(0.0, note.onset_s + late, composed[-1].offset_s if composed else 0.0)
        offset = note.offset_s - parted * (note.offset_s - note.onset_s)
        composed.append(
            SungNote(onset, offset, note.pitch + octaves + float(np.clip(rng.normal(0, 0.1), -0.25, 0.25)))
        )
    return resung(composed, files, FRAMES, rng)
