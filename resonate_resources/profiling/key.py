"""Key from pitch classes, after Krumhansl, "Cognitive Foundations of Musical Pitch" (1990)."""

from __future__ import annotations

import re
from itertools import product

import numpy as np

from resonate_resources.profiling.pitch_classes import BINS_PER_OCTAVE, PITCH_RATE
from resonate_resources.signal.band_levels import Floats

# Probe-tone ratings of Krumhansl and Kessler (1982), from the tonic upward.
_RATINGS = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}
TONICS = ("A", "A#", "B", "C", "C#", "D", "D#", "E", "F", "F#", "G", "G#")
ALL_KEYS = tuple(f"{tonic} {mode}" for tonic in TONICS for mode in _RATINGS)
_TONAL = (
    0.3  # deviation of pitch classes from their mean, over the mean: noise, drums and speech fill them evenly
)
_ENDS_S = 4.0  # music begins and ends at home: this tells a key from its relative, which has the same pitches
_ENDS_WEIGHT = 0.5
_AUDIBLE = 0.03  # of the loudest frame's magnitude: −30 dB


def estimate_key(pitch_classes: Floats) -> str | None:
    """Tonic and mode ("F# minor") whose ratings the recording's pitch classes resemble most.

    pitch_classes: (frames, 60) magnitudes in steps of 20 cents from A. None where no pitch class leads.
    """
    magnitude = chroma(pitch_classes)
    loudness = magnitude.sum(axis=1)
    audible = magnitude[loudness > _AUDIBLE * loudness.max(initial=0)]
    if not len(audible):
        return None
    shares = audible / audible.sum(axis=1, keepdims=True)  # loud and soft passages count alike
    ends = round(_ENDS_S * PITCH_RATE)
    whole, first, last = (part.mean(axis=0) for part in (shares, shares[:ends], shares[-ends:]))
    if whole.std() <= _TONAL * whole.mean():
        return None

    def resemblance(tonic: int, mode: str) -> float:
        ratings = np.roll(_RATINGS[mode], tonic)
        at_whole, at_first, at_last = (np.corrcoef(ratings, part)[0, 1] for part in (whole, first, last))
        return float(at_whole + _ENDS_WEIGHT * (at_first + at_last))

    tonic, mode = max(product(range(12), _RATINGS), key=lambda key: resemblance(*key))
    return f"{TONICS[tonic]} {mode}"


def chroma(pitch_classes: Floats) -> Floats:
    """(frames, 60) in steps of 20 cents to (frames, 12) semitones from A, in the recording's own tuning."""
    steps = BINS_PER_OCTAVE // 12
    turns = np.arange(BINS_PER_OCTAVE) / steps
    # Where energy gathers within the semitone: its mean on the circle of 100 cents.
    tuning = np.angle(pitch_classes.sum(axis=0) @ np.exp(2j * np.pi * turns)) / (2 * np.pi)
    semitones = np.round(turns - tuning).astype(int) % 12
    return np.stack([pitch_classes[:, semitones == semitone].sum(axis=1) for semitone in range(12)], axis=1)


def spelt(text: str) -> str:
    """A key as people write it, in the spelling of `estimate_key`: `Bb minor`, `a# MIN`, `Bbm`, Camelot's `3A` and
    Open Key's `8m` are all "A# minor"; a tonic alone is major. Raises ValueError."""
    text = text.strip()
    number = re.fullmatch(r"(1[0-2]|[1-9])([ABabmd])", text)
    if number:
        notation = camelot if number[2] in "ABab" else open_key
        wanted = f"{number[1]}{number[2].upper() if notation is camelot else number[2]}"
        return next(key for key in ALL_KEYS if notation(key) == wanted)
    written = re.fullmatch(r"([A-Ga-g])([#b♯♭]?)\s*((?i:major|maj|minor|min)|m|M|)", text)
    if not written:
        raise ValueError(f"{text}: is no key")
    letter, accidental, mode = written.groups()
    semitone = TONICS.index(letter.upper()) + {"": 0, "#": 1, "♯": 1}.get(accidental, -1)
    minor = mode == "m" or mode.lower().startswith("min")
    return f"{TONICS[semitone % 12]} {'minor' if minor else 'major'}"


def camelot(key: str) -> str:
    """A key on Mixed In Key's Camelot wheel: "A minor" is 8A, "C major" 8B."""
    return f"{(_fifths(key) + 7) % 12 + 1}{'A' if key.endswith('minor') else 'B'}"


def open_key(key: str) -> str:
    """A key in Open Key notation: "A minor" is 1m, "C major" 1d."""
    return f"{_fifths(key) + 1}{'m' if key.endswith('minor') else 'd'}"


def _fifths(key: str) -> int:
    """Steps up the circle of fifths from C major, or from A minor."""
    tonic, mode = key.split()
    return (TONICS.index(tonic) - (0 if mode == "minor" else TONICS.index("C"))) * 7 % 12
