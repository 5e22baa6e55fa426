"""The instruments of a recording, cut out of its stems for a piece in its style, beside the graph."""

from __future__ import annotations

import json
from pathlib import Path

from resonate_assets.referencing import PROFILE, REFERENCE
from resonate_resources.composition.sound.recorded_sounds import RecordedSounds
from resonate_resources.recordings.decoding import printable_name
from resonate_resources.recordings.music import READ, Music
from resonate_resources.recordings.recording import silent
from resonate_resources.regeneration.resource import RegenerationResource
from resonate_resources.transcription.brief import TranscriptionBrief
from resonate_resources.transcription.resource import TranscriptionResource
from resonate_studio.separating import stems_in


def sounds_of(file: Path, home: Path | None, heard: Path, into: Path) -> RecordedSounds:
    """heard: the folder in which it was heard as a reference; what was read of it is separated, unless that was
    done before. Raises AudioError, and ClickException for a home that can't be used."""
    name = printable_name(file.name)
    notes, instruments = into / "notes", into / "instruments"
    for folder in (notes, instruments):
        folder.mkdir(parents=True)
    told = json.loads((heard / PROFILE).read_text("utf-8"))
    music = Music.of({name: told.get(name) for name in READ})
    stems = stems_in(home, heard / REFERENCE)
    written = TranscriptionResource().transcribe(stems, music, TranscriptionBrief(), notes).files
    midi = {stem: written[f"{stem}.mid"] for stem in stems if f"{stem}.mid" in written}
    RegenerationResource().instruments(midi, stems, music.tempo_map(), {}, name, instruments, silent)
    return RecordedSounds.read(instruments, name)
