"""A track's music as it was written down, where it was: notes of each stem, and what they are counted in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resonate_resources.recordings.midi import Note

MUSIC = "music.json"
"""The file of a score's music."""


@dataclass(frozen=True)
class Score:
    """music: as a profile has it, of the names in `music.READ` and key_confidence; no key's where it is in a church
    mode, which a profile does not tell. notes: by stem, those of silent stems empty. programs: General MIDI's, from
    0, by stem. duration_s: of the recording."""

    music: Mapping[str, Any]
    notes: Mapping[str, Sequence[Note]]
    programs: Mapping[str, int]
    duration_s: float
