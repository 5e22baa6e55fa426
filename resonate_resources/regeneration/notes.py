"""What a MIDI file asks to be played, brought into a form that every instrument can play."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from resonate_resources.recordings.midi import Note

LONGEST_NOTE_S: Final = 30.0
"""A held note ends here: what has to be rendered at once stays small however long the file."""

_SHORTEST_NOTE_S: Final = 0.02  # shorter ones would end within their own attack
_RESTRIKE_GAP_S: Final = (
    0.002  # between two notes on one key, so that its release comes before it is struck again
)


def playable(notes: Sequence[Note]) -> list[Note]:
    """The notes with lengths kept within bounds, and none sounding on a key that is struck again."""
    played: list[Note] = []
    last_on_key: dict[int, int] = {}
    for note in sorted(notes):
        before = last_on_key.get(note.pitch)
        if before is not None:
            room = note.onset_s - _RESTRIKE_GAP_S - played[before].onset_s
            if room < _SHORTEST_NOTE_S:
                continue  # the same key twice within its attack is one note
            played[before] = replace(
                played[before], offset_s=min(played[before].offset_s, note.onset_s - _RESTRIKE_GAP_S)
            )
        last_on_key[note.pitch] = len(played)
        length_s = min(max(note.duration_s, _SHORTEST_NOTE_S), LONGEST_NOTE_S)
        played.append(replace(note, offset_s=note.onset_s + length_s))
    return played
