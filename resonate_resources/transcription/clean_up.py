"""Notes that nobody played: short and weak ones outside the key, as noise and partials leave them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.music import KeyFrom

# Steps over the tonic. A minor key's are the natural, the harmonic and the melodic one's together.
_SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 9, 10, 11)}
_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SHORT_S = 0.2
_WEAK = 0.75  # of the median velocity of the notes in the key


def pitch_classes(key: str) -> frozenset[int]:
    """Of a key's scale, 0 = C: "Eb major", "G# minor". Raises ValueError for what is neither major nor minor."""
    tonic, _, mode = key.partition(" ")
    if mode not in _SCALES or tonic[:1] not in _LETTERS or tonic[1:].strip("#b"):
        raise ValueError(f"{key}: is no major or minor key")
    root = _LETTERS[tonic[0]] + tonic.count("#") - tonic[1:].count("b")
    return frozenset((root + step) % 12 for step in _SCALES[mode])


def cleaned_up(notes: Sequence[Note], keys: Sequence[KeyFrom]) -> list[Note]:
    """Without the notes that are outside the key of their time, shorter than 0.2 s and weak beside those inside."""
    scales = [(key.start_s, pitch_classes(key.key)) for key in keys]
    if not scales:
        return list(notes)

    def inside(note: Note) -> bool:
        holds = next((scale for start, scale in reversed(scales) if start <= note.onset_s), scales[0][1])
        return note.pitch % 12 in holds

    usual = np.median([note.velocity for note in notes if inside(note)] or [0])
    return [
        note
        for note in notes
        if inside(note) or note.duration_s >= _SHORT_S or note.velocity >= _WEAK * usual
    ]
