"""How musicians spell tonics and pitches: by the signs of the key, in English, with ASCII signs ("Eb", "F#")."""

from __future__ import annotations

import re

TONICS = {
    "major": ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"),
    "minor": ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B"),
}
"""By mode, from C up in semitones: of each key the spelling with fewer signs; of two with six, the more common."""
MODES = ("major", "minor")
ALL_KEYS = tuple(f"{tonic} {mode}" for mode in MODES for tonic in TONICS[mode])
"""Major keys from C up, then minor ones."""
_LETTERS = "FCGDAEB"
"""Up the circle of fifths; so many flats or sharps are the signs of a scale, in that order."""


def fifths(name: str) -> int:
    """Place of a tonic or pitch on the line of fifths: F −1, C 0, G 1; Bb −2, F# 6."""
    return _LETTERS.index(name[0]) - 1 + 7 * (name.count("#") - name.count("b"))


def pitch_class(name: str) -> int:
    """Semitones above C, 0…11."""
    return fifths(name) * 7 % 12


def pitch_names(key: str | None = None) -> tuple[str, ...]:
    """Names of the twelve pitch classes from C up as chords of a key ("Eb major") have them; of none as in C major.

    Twelve neighbours on the line of fifths, with one sign at most: in C major Db to F#, in A minor Eb to G#.
    """
    tonic, mode = (key or "C major").split()
    lowest = fifths(tonic) - (5 if mode == "major" else 6)
    names = {}
    for neighbour in range(lowest, lowest + 12):
        place = neighbour + 12 * ((neighbour < fifths("Fb")) - (neighbour > fifths("B#")))
        signs = (place + 1) // 7
        names[place * 7 % 12] = _LETTERS[(place + 1) % 7] + ("#" * signs if signs > 0 else "b" * -signs)
    return tuple(names[pitch] for pitch in range(12))


def spelt(text: str) -> str:
    """A key as musicians spell it: `A# minor`, `bb MIN`, `Bbm`, Camelot's `3A` and Open Key's `8m` are all
    "Bb minor"; a tonic alone is major. Raises ValueError."""
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
    sign = {"♯": "#", "♭": "b"}.get(accidental, accidental)
    full = "minor" if mode == "m" or mode.lower().startswith("min") else "major"
    return f"{TONICS[full][pitch_class(letter.upper() + sign)]} {full}"


def camelot(key: str) -> str:
    """A key on Mixed In Key's Camelot wheel: "A minor" is 8A, "C major" 8B."""
    return f"{(_fifths(key) + 7) % 12 + 1}{'A' if key.endswith('minor') else 'B'}"


def open_key(key: str) -> str:
    """A key in Open Key notation: "A minor" is 1m, "C major" 1d."""
    return f"{_fifths(key) + 1}{'m' if key.endswith('minor') else 'd'}"


def _fifths(key: str) -> int:
    """Steps up the circle of fifths from C major, or from A minor."""
    tonic, mode = key.split()
    return (fifths(tonic) - (fifths("A") if mode == "minor" else 0)) % 12
