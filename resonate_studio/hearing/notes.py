"""The notes that stage `midi` wrote down, as the page draws and plays them."""

from __future__ import annotations

from pathlib import Path

from resonate_resources.recordings.midi import read_notes
from resonate_studio.api.models import Note, Notes


def notes_of(path: Path, stem: str, tempo_bpm: float | None) -> Notes:
    """All notes of a MIDI file by onset. Raises AudioError where it can't be read."""
    return Notes(
        stem=stem,
        tempo_bpm=tempo_bpm,
        notes=[
            Note(start_s=note.onset_s, end_s=note.offset_s, pitch=note.pitch, velocity=note.velocity)
            for note in read_notes(path)
        ],
    )
