"""Notes of stems as files: MIDI as played and quantised, a table, and a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from resonate_resources.recordings.midi import DRUM_CHANNEL, Note, write_notes
from resonate_resources.recordings.music import Music
from resonate_resources.signal.chart import piano_roll
from resonate_resources.transcription.note_table import NOTES, write_table
from resonate_resources.transcription.quantising import quantised

QUANTISED = "quantised/"
"""The folder of the files whose notes lie on the grid."""
_PICTURE = "picture.png"


def write_note_files(
    notes: Mapping[str, Sequence[Note]],
    music: Music,
    programs: Mapping[str, tuple[int, str]],
    duration_s: float,
    into: Path,
) -> tuple[dict[str, Path], dict[str, Path]]:
    """Files and reports, by name. programs: of each stem but drums, General MIDI's from 0, and the track's name.
    Quantised ones only where the tempo is known."""
    tempo = music.tempo_map()
    key = music.keys[0].key if music.keys else None
    files: dict[str, Path] = {}
    for folder in ("", *((QUANTISED,) if tempo.known else ())):
        (into / folder).mkdir(exist_ok=True)
        for stem, played in notes.items():
            program, called = (0, "Drums") if stem == "drums" else programs[stem]
            files[f"{folder}{stem}.mid"] = into / f"{folder}{stem}.mid"
            write_notes(
                into / f"{folder}{stem}.mid",
                quantised(played, tempo) if folder else played,
                tempo=tempo,
                name=called,
                program=program,
                channel=DRUM_CHANNEL if stem == "drums" else 0,
                key=key,
            )
    files[NOTES] = into / NOTES
    write_table(notes, tempo, files[NOTES])
    shown = {
        stem: [(note.onset_s, note.offset_s, note.pitch, note.velocity) for note in played]
        for stem, played in notes.items()
    }
    (into / _PICTURE).write_bytes(piano_roll(shown, duration_s))
    return files, {_PICTURE: into / _PICTURE}
