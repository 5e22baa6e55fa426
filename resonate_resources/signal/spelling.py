"""How musicians spell tonics and pitches: by the signs of the key, in English, with ASCII signs ("Eb", "F#")."""

from __future__ import annotations

TONICS = {
    "major": ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"),
    "minor": ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B"),
}
"""By mode, from C up in semitones: of each key the spelling with fewer signs; of two with six, the more common."""
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
