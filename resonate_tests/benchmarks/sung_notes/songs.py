"""Songs whose sung notes are known, over the bands of `mask_fitting.songs`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resonate_tests.benchmarks.mask_fitting.playing import (
    FITTED_SOUNDFONTS,
    JUDGED_SOUNDFONT,
    RATE,
    SECONDS,
    Harmony,
    in_room,
)
from resonate_tests.benchmarks.mask_fitting.resinging import SungNote
from resonate_tests.benchmarks.mask_fitting.songs import balanced, bass, drums, other
from resonate_tests.benchmarks.mask_fitting.voices import made_to_sing, melody, sung, sung_times

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
    harmony = Harmony(int(rng.integers(12)), scale, chords, tempo, int(SECONDS * tempo / 60))
    score = melody(harmony, rng)
    if real:
        name, voice, notes = made_to_sing(score, harmony, rng, judged)
    else:
        name, voice = "synthesised", sung(score, harmony, rng)
        times = sung_times(score, harmony, 0.95)
        notes = [note for note in times if note.offset_s - note.onset_s >= 2000 / RATE]
    stems = {
        "vocals": in_room(np.stack([voice, voice]), rng, rng.uniform(0.3, 1.2), rng.uniform(0, 0.25)),
        "drums": drums(harmony, rng, folder, soundfont, judged),
        "bass": bass(harmony, rng, folder, soundfont),
        "other": other(harmony, rng, folder, soundfont),
    }
    return SungSong(name, balanced(stems, rng), tuple(notes))
