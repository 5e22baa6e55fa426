"""Chords and keys: roman numerals made into spelt chords, and voicings that move little from chord to chord."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

LETTERS = "CDEFGAB"
NATURAL = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
MAJOR = (0, 2, 4, 5, 7, 9, 11)
SCALES = {"major": MAJOR, "minor": (0, 2, 3, 5, 7, 8, 10)}

# The spelling with fewer signs of the twelve keys of a mode; F#/Gb major and D#/Eb minor have six in both.
TONICS = {
    "major": ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"),
    "minor": ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B"),
}

# Shorthands of Harte et al., "Symbolic representation of musical chords" (ISMIR 2005) → semitones over the root.
QUALITIES = {
    "maj": (0, 4, 7),
    "min": (0, 3, 7),
    "dim": (0, 3, 6),
    "aug": (0, 4, 8),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "min7": (0, 3, 7, 10),
    "dim7": (0, 3, 6, 9),
    "hdim7": (0, 3, 6, 10),
    "sus2": (0, 2, 7),
    "sus4": (0, 5, 7),
    "sus4(b7)": (0, 5, 7, 10),
}
# What is written after a numeral → Harte's shorthand after an upper-case numeral, after a lower-case one.
_SUFFIXES = {
    "": ("maj", "min"),
    "7": ("7", "min7"),
    "maj7": ("maj7", "maj7"),
    "dim": ("dim", "dim"),
    "dim7": ("dim7", "dim7"),
    "hdim7": ("hdim7", "hdim7"),
    "aug": ("aug", "aug"),
    "sus2": ("sus2", "sus2"),
    "sus4": ("sus4", "sus4"),
    "7sus4": ("sus4(b7)", "sus4(b7)"),
}
_NUMERALS = ("I", "II", "III", "IV", "V", "VI", "VII")
_SYMBOL = re.compile(r"([b#]?)([IViv]+)([a-z0-9]*)(?:/([357]))?")
_DIATONIC_SEVENTHS = {
    "major": {"I": "Imaj7", "ii": "ii7", "iii": "iii7", "IV": "IVmaj7", "V": "V7", "vi": "vi7"},
    "minor": {"i": "i7", "iv": "iv7", "v": "v7", "V": "V7", "bVI": "bVImaj7", "bIII": "bIIImaj7"},
}


@dataclass(frozen=True)
class Key:
    """tonic: pitch class, 0 = C; mode: major or minor."""

    tonic: int
    mode: str

    def __str__(self) -> str:
        """As musicians spell it: "Eb major"."""
        return f"{TONICS[self.mode][self.tonic]} {self.mode}"

    def moved(self, semitones: int) -> Key:
        return Key((self.tonic + semitones) % 12, self.mode)

    @property
    def relative(self) -> Key:
        return (
            Key((self.tonic + 9) % 12, "minor")
            if self.mode == "major"
            else Key((self.tonic + 3) % 12, "major")
        )

    def pitch(self, degree: int, octave: int) -> int:
        """MIDI number of a scale degree from the tonic of that octave (C4 = 60 has octave 4)."""
        wraps, step = divmod(degree, 7)
        return 12 * (octave + 1 + wraps) + self.tonic + SCALES[self.mode][step]


@dataclass(frozen=True)
class Chord:
    """root and bass: pitch classes; label: Harte's syntax, spelt in its key ("Ab:maj7", "G:7/3")."""

    root: int
    quality: str
    bass: int
    label: str

    @property
    def pitch_classes(self) -> tuple[int, ...]:
        return tuple((self.root + step) % 12 for step in QUALITIES[self.quality])


def chord_of(symbol: str, key: Key) -> Chord:
    """The chord of a roman numeral: accidental against the major scale, numeral, suffix, inversion (/3 /5 /7).

    Lower case is minor. bVI in Eb minor is Cb:maj. Raises ValueError.
    """
    match = _SYMBOL.fullmatch(symbol)
    if match is None or match[2].upper() not in _NUMERALS or match[3] not in _SUFFIXES:
        raise ValueError(f"no roman numeral: {symbol}")
    accidental, numeral, suffix, inversion = match.groups()
    degree = _NUMERALS.index(numeral.upper())
    root = (key.tonic + MAJOR[degree] + {"": 0, "b": -1, "#": 1}[accidental]) % 12
    quality = _SUFFIXES[suffix][numeral.islower()]
    letter = LETTERS[(LETTERS.index(TONICS[key.mode][key.tonic][0]) + degree) % 7]
    signs = (root - NATURAL[letter] + 6) % 12 - 6
    label = f"{letter}{'#' * signs}{'b' * -signs}:{quality}"
    if not inversion:
        return Chord(root, quality, root, label)
    step = QUALITIES[quality][{"3": 1, "5": 2, "7": 3}[inversion]]
    name = {2: "2", 3: "b3", 4: "3", 5: "4", 6: "b5", 7: "5", 8: "#5", 9: "bb7", 10: "b7", 11: "7"}[step]
    return Chord(root, quality, (root + step) % 12, f"{label}/{name}")


def with_sevenths(symbol: str, mode: str) -> str:
    """A diatonic triad as the seventh chord of its degree; what is more than a plain triad stays."""
    plain, _, inversion = symbol.partition("/")
    seventh = _DIATONIC_SEVENTHS[mode].get(plain, plain)
    return f"{seventh}/{inversion}" if inversion else seventh


def voiced(chord: Chord, previous: Sequence[int], low: int, high: int) -> tuple[int, ...]:
    """Close position in low…high, ascending, whose voices move least from those before."""
    classes = chord.pitch_classes
    choices = []
    for turn, start in product(range(len(classes)), range(low, low + 12)):
        if start % 12 != classes[turn]:
            continue
        pitches = [start]
        for pitch_class in (*classes[turn + 1 :], *classes[:turn]):
            pitches.append(pitches[-1] + (pitch_class - pitches[-1]) % 12)
        choices += [tuple(pitch + octave for pitch in pitches) for octave in (0, 12)]
    fitting = [choice for choice in choices if choice[-1] <= high] or choices

    def movement(choice: tuple[int, ...]) -> int:
        return sum(min(abs(pitch - other) for other in previous) for pitch in choice) + sum(
            min(abs(pitch - other) for pitch in choice) for other in previous
        )

    return min(fitting, key=movement)


PROGRESSIONS = {
    "major": {
        "pop": (
            "I V vi IV",
            "I vi IV V",
            "I IV vi V",
            "I iii IV V",
            "I V/3 vi IV",
            "I IV I V",
            "I Vsus4.V vi IV",
            "vi IV I V",
            "IV I V vi",
            "I V/3 vi I/5 IV I/3 ii V",
            "I vi ii V",
            "I IV ii Vsus4.V",
        ),
        "soul": (
            "Imaj7 IVmaj7",
            "Imaj7 iii7 IVmaj7 V7sus4",
            "ii7 V7 Imaj7 IVmaj7",
            "Imaj7 vi7 ii7 V7sus4.V7",
        ),
        "jazz": (
            "Imaj7 vi7 ii7 V7",
            "ii7 V7 Imaj7 VI7",
            "iii7.VI7 ii7.V7 Imaj7 IVmaj7",
            "Imaj7 #idim7 ii7 V7",
            "Imaj7 I7 IVmaj7 iv7",
        ),
        "blues": ("I7 IV7 I7 I7 IV7 IV7 I7 V7", "I7 I7 IV7 I7.V7"),
        "gospel": ("I I7/3 IV #ivdim7 I/5 VI7 ii7 V7", "I Iaug vi I7", "I IV/5 I V7/3", "IV V/3 I vi7"),
        "folk": ("I IV V I", "I I IV V", "I V I IV", "I bVII IV I", "Isus2 IV I/3 V", "I ii IV I"),
        "classical": ("I V vi iii IV I IV V", "I IV viidim iii vi ii V I", "I V7/3 I IV ii/3 V7 I I"),
    },
    "minor": {
        "pop": (
            "i bVI bIII bVII",
            "i iv bVI V",
            "i bVII bVI bVII",
            "i bIII bVII bVI",
            "i v bVI bVII",
            "i bVI iv V",
            "i bVII/3 bIII bVI",
            "i bIII iv bVI",
        ),
        "soul": ("i7 iv7", "i7 bVImaj7 iv7 v7", "i7 IV7", "iv7 bVII7 bIIImaj7 bVImaj7"),
        "jazz": (
            "i7 iihdim7.V7 i7 iv7",
            "iihdim7 V7 i7 i7",
            "iv7 bVII7 bIIImaj7 V7",
            "i7 bVImaj7 iihdim7 V7",
        ),
        "blues": ("i7 iv7 i7 V7", "i7 i7 iv7 i7 bVI7 V7 i7 V7"),
        "gospel": ("i Vaug i7 IV7", "i i7/7 bVI V7", "i iv/3 viidim7 i"),
        "folk": ("i bVII i v", "i bVII bVI V", "i iv i V", "i bVII bIII iv"),
        "classical": (
            "i iv bVII bIII bVI iidim V i",
            "i V7/3 i iv i/5 V7 i i",
            "i viidim7 i iv iidim/3 V7 i V",
        ),
    },
}
"""Mode → idiom → loops; a symbol a bar, two with a dot between for half a bar each."""
