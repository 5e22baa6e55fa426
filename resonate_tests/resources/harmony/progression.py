"""A progression by formula, on which our chord network and its peer were run."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

RATE = 22050
CHORDS = (  # label → pitches (MIDI)
    ("C:maj", (48, 60, 64, 67)),
    ("A:min7", (45, 60, 64, 67)),
    ("D:min/b3", (41, 57, 62, 65)),
    ("G:7", (43, 59, 62, 65)),
    ("C:maj7", (48, 59, 64, 67)),
    ("F:sus4", (41, 58, 60, 65)),
)
SECONDS = 1.0


def progression(cents: float = 0.0) -> npt.NDArray[np.float32]:
    """(frames,) at 22,050 Hz: a chord a second, each pitch with eight harmonics that die away."""
    time = np.arange(round(SECONDS * RATE)) / RATE
    sounding = [
        sum(
            0.1
            / n
            * np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69 + cents / 100) / 12) * n * time)
            * np.exp(-2 * time)
            for pitch in pitches
            for n in range(1, 9)
        )
        for _, pitches in CHORDS
    ]
    return np.concatenate(sounding).astype(np.float32)
