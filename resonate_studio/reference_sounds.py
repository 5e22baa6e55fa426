"""The instruments of a recording, cut out of its stems for a piece in its style, beside the graph."""

from __future__ import annotations

import json
from pathlib import Path

from resonate_assets.reference_sounds import cut_sounds
from resonate_assets.referencing import PROFILE, REFERENCE
from resonate_resources.composition.sound.recorded_sounds import RecordedSounds
from resonate_resources.recordings.decoding import printable_name
from resonate_resources.regeneration.resource import RegenerationResource
from resonate_resources.transcription.resource import TranscriptionResource
from resonate_studio.separating import stems_in


def sounds_of(file: Path, home: Path | None, heard: Path, into: Path) -> RecordedSounds:
    """heard: the folder in which it was heard as a reference; what was read of it is separated, unless that was
    done before. Raises AudioError, and ClickException for a home that can't be used."""
    name = printable_name(file.name)
    into.mkdir()
    profile = json.loads((heard / PROFILE).read_text("utf-8"))
    stems = stems_in(home, heard / REFERENCE)
    cut_sounds(stems, None, profile, name, TranscriptionResource(), RegenerationResource(), into)
    return RecordedSounds.read(into, name)
