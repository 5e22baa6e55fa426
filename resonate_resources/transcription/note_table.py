"""All notes of a track as one Parquet table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.tempo_map import TempoMap

NOTES = "notes.parquet"


def write_table(heard: Mapping[str, Sequence[Note]], tempo: TempoMap, path: Path) -> None:
    """A row a note: stem, onset_s, offset_s, pitch (MIDI; of drums General MIDI's percussion key), velocity 1…127,
    bar and beat (both from 1, null where there is no tempo), confidence 0…1."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = []
    for stem, notes in heard.items():
        for note in notes:
            bar, beat = tempo.place(tempo.tick(note.onset_s)) if tempo.known else (None, None)
            rows.append(
                {
                    "stem": stem,
                    "onset_s": note.onset_s,
                    "offset_s": note.offset_s,
                    "pitch": note.pitch,
                    "velocity": note.velocity,
                    "bar": bar,
                    "beat": beat,
                    "confidence": note.confidence,
                }
            )
    types = {
        "stem": pa.string(),
        "onset_s": pa.float64(),
        "offset_s": pa.float64(),
        "pitch": pa.int16(),
        "velocity": pa.int16(),
        "bar": pa.int32(),
        "beat": pa.float64(),
        "confidence": pa.float64(),
    }
    with path.open("wb") as file:  # Arrow takes no path that is not UTF-8
        pq.write_table(pa.Table.from_pylist(rows, schema=pa.schema(types)), file)
