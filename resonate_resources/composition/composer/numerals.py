"""Roman numerals read: from `V7/ii` in a key to a root, tones and a symbol."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

SCALES: Final[dict[str, tuple[int, ...]]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
}
MINOR_MODES: Final = ("minor", "dorian", "phrygian")
_MAJOR: Final = SCALES["major"]
_LETTERS: Final = "CDEFGAB"
_LETTER_PITCH: Final = dict(zip(_LETTERS, _MAJOR, strict=True))
_ACCIDENTAL: Final = {"": 0, "b": -1, "#": 1, "bb": -2, "##": 2}
_DEGREES: Final = ("I", "II", "III", "IV", "V", "VI", "VII")

# Suffix of an upper-case and of a lower-case numeral → the chord's tones above its root, and its symbol's suffix.
_UPPER: Final[dict[str, tuple[tuple[int, ...], str]]] = {
    "": ((0, 4, 7), ""), "5": ((0, 7), "5"), "6": ((0, 4, 7, 9), "6"), "7": ((0, 4, 7, 10), "7"),
    "maj7": ((0, 4, 7, 11), "maj7"), "9": ((0, 4, 7, 10, 14), "9"), "maj9": ((0, 4, 7, 11, 14), "maj9"),
    "13": ((0, 4, 7, 10, 14, 21), "13"), "7b9": ((0, 4, 7, 10, 13), "7b9"), "7#9": ((0, 4, 7, 10, 15), "7#9"),
    "add9": ((0, 4, 7, 14), "add9"), "69": ((0, 4, 7, 9, 14), "69"), "sus2": ((0, 2, 7), "sus2"),
    "sus4": ((0, 5, 7), "sus4"), "7sus4": ((0, 5, 7, 10), "7sus4"), "+": ((0, 4, 8), "aug"),
    "maj7#11": ((0, 4, 7, 11, 18), "maj7#11"),
}  # fmt: skip
_LOWER: Final[dict[str, tuple[tuple[int, ...], str]]] = {
    "": ((0, 3, 7), "m"), "6": ((0, 3, 7, 9), "m6"), "7": ((0, 3, 7, 10), "m7"), "9": ((0, 3, 7, 10, 14), "m9"),
    "11": ((0, 3, 7, 10, 14, 17), "m11"), "add9": ((0, 3, 7, 14), "madd9"), "maj7": ((0, 3, 7, 11), "mmaj7"),
    "5": ((0, 7), "5"), "o": ((0, 3, 6), "dim"), "o7": ((0, 3, 6, 9), "dim7"), "ø7": ((0, 3, 6, 10), "m7b5"),
}  # fmt: skip
_ROMAN: Final = re.compile(
    r"(b|#)?(VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)([^/]*)(?:/(3|5|7))?(?:/([b#]?[IVivx]+))?"
)


class Harmony(NamedTuple):
    """A chord of a key. root, bass: pitch classes. tones: in semitones above the root, upward."""

    root: int
    bass: int
    tones: tuple[int, ...]
    symbol: str
    degree: str

    @property
    def classes(self) -> tuple[int, ...]:
        return tuple((self.root + tone) % 12 for tone in self.tones)

    @property
    def pitches(self) -> tuple[int, ...]:
        """Pitch classes, the bass first."""
        return (self.bass, *(c for c in dict.fromkeys(self.classes) if c != self.bass))


class KeyOf(NamedTuple):
    """tonic: pitch class. name: as spelt."""

    tonic: int
    name: str
    mode: str

    @property
    def scale(self) -> tuple[int, ...]:
        """Pitch classes from the tonic upward."""
        return tuple((self.tonic + step) % 12 for step in SCALES[self.mode])


def read_key(key: str) -> KeyOf:
    name, mode = key.split()
    return KeyOf((_LETTER_PITCH[name[0]] + _ACCIDENTAL[name[1:]]) % 12, name, mode)


def bars_of(progression: str) -> tuple[tuple[str, ...], ...]:
    """The numerals of each bar. Raises ValueError where one can't be read."""
    bars = tuple(tuple(bar.split()) for bar in progression.split("|"))
    for numeral in (numeral for bar in bars for numeral in bar):
        read_numeral(numeral, KeyOf(0, "C", "major"))
    if not all(bars):
        raise ValueError(f"{progression!r} has a bar without a chord")
    return bars


def read_numeral(numeral: str, key: KeyOf) -> Harmony:
    """A numeral counted from the major scale on the key's tonic: an accidental, its degree (lower case: minor
    third), a suffix, /3 /5 /7 for what of the chord is in the bass, and /ii for the degree it is the dominant of.
    Raises ValueError."""
    match = _ROMAN.fullmatch(numeral)
    if match is None:
        raise ValueError(f"{numeral!r} is no Roman numeral of a chord")
    accidental, degree, suffix, inverted, of = match.groups(default="")
    qualities = _UPPER if degree.isupper() else _LOWER
    if suffix not in qualities:
        raise ValueError(f"{numeral!r}: no chord ends in {suffix!r}")
    tones, told = qualities[suffix]
    step, above = _place(accidental, degree)
    if of:
        target = re.fullmatch(r"([b#]?)(.+)", of)
        if target is None or target[2].upper() not in _DEGREES:
            raise ValueError(f"{numeral!r} is dominant of no degree")
        other_step, other_above = _place(target[1], target[2])
        step, above = (step + other_step) % 7, above + other_above
    root = (key.tonic + above) % 12
    name = spelled(key, step, root)
    bass, bass_name = root, ""
    if inverted:
        place = {"3": 1, "5": 2, "7": 3}[inverted]
        if place >= len(tones):
            raise ValueError(f"{numeral!r}: the chord has no such tone for its bass")
        bass = (root + tones[place]) % 12
        bass_name = "/" + spelled(key, (step + int(inverted) - 1) % 7, bass)
    return Harmony(root, bass, tones, f"{name}{told}{bass_name}", numeral)


def spelled(key: KeyOf, step: int, pitch: int) -> str:
    """A pitch class, named as the letter so many steps above the tonic (another, if that takes two accidentals)."""
    letter = _LETTERS[(_LETTERS.index(key.name[0]) + step) % 7]
    away = (pitch - _LETTER_PITCH[letter] + 6) % 12 - 6
    if abs(away) > 1:
        names = "C Db D Eb E F Gb G Ab A Bb B" if away < 0 else "C C# D D# E F F# G G# A A# B"
        return names.split()[pitch]
    return letter + {0: "", 1: "#", -1: "b"}[away]


def _place(accidental: str, degree: str) -> tuple[int, int]:
    step = _DEGREES.index(degree.upper())
    return step, _MAJOR[step] + _ACCIDENTAL[accidental]
