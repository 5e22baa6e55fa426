"""Notes moved to the grid: as they would be written down, not as they were played."""

from __future__ import annotations

from collections.abc import Sequence

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.tempo_map import TempoMap


def quantised(notes: Sequence[Note], tempo: TempoMap) -> list[Note]:
    """Begun and ended on the nearest sixteenths (of swung beats, thirds), at least one long, without bends.

    Of notes of one pitch that come to begin together the loudest stays, as long as the longest of them.
    """
    kept: dict[tuple[int, int], tuple[int, Note]] = {}
    for note in notes:
        onset = tempo.quantised(tempo.tick(note.onset_s))
        end = max(tempo.quantised(tempo.tick(note.offset_s)), onset + tempo.step)
        place = onset, note.pitch
        before_end, before = kept.get(place, (end, note))
        kept[place] = max(end, before_end), max(before, note, key=lambda one: one.velocity)
    return sorted(
        Note(tempo.second(onset), tempo.second(end), pitch, note.velocity, confidence=note.confidence)
        for (onset, pitch), (end, note) in kept.items()
    )
