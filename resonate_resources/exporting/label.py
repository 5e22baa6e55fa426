"""What is written into the copy of an exported file: the track's tags, what was found out of it, ReplayGain."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from resonate_resources.recordings.playback_gain import playback_gain
from resonate_resources.recordings.recording import Recording
from resonate_resources.recordings.tags import Tags, write_tags
from resonate_resources.signal.levels import levels_of

_VERSION = "1"
"""Raised when what is written of the same label changes: files that were exported before are written anew."""


@dataclass(frozen=True)
class Level:
    """Integrated loudness in LUFS and true peak in dBTP; both −inf for silence."""

    loudness_lufs: float
    peak_dbtp: float


@dataclass(frozen=True)
class Label:
    """tags: as they are to stand in the file. level: its own, where it was measured before; else it is measured.
    whole: the level of all that belongs together, by which players that keep an album's balance turn it; None: it
    stands for itself. more: key → text, of what tags have no field for."""

    tags: Tags
    level: Level | None
    whole: Level | None
    more: Mapping[str, str] = field(default_factory=dict)

    def digest(self) -> str:
        """SHA-256 of what it says."""
        artwork = hashlib.sha256(self.tags.artwork or b"").hexdigest()
        levels = [[each.loudness_lufs, each.peak_dbtp] if each else [] for each in (self.whole, self.level)]
        told = json.dumps([_VERSION, self.tags.to_json(), artwork, levels, dict(self.more)], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()

    def write(self, path: Path) -> None:
        """Put it on a file of one of the formats we deliver; one whose level is not known, WAV or FLAC. Raises
        AudioError."""
        own = self.level or _measured(Recording.open(path))
        gains = playback_gain(path.suffix, "TRACK", own.loudness_lufs, own.peak_dbtp)
        if self.whole:
            gains |= playback_gain(path.suffix, "ALBUM", self.whole.loudness_lufs, self.whole.peak_dbtp)
        write_tags(path, self.tags, {**gains, **self.more})


def part_of(tags: Tags, part: str) -> Tags:
    """The tags of one part of a track: its title names the part, as in `Jóga (Vocals)`."""
    return replace(tags, title=f"{tags.title or 'Untitled'} ({part})")


def _measured(recording: Recording) -> Level:
    levels = levels_of(recording)
    return Level(levels.loudness.integrated_lufs, levels.true_peak_dbtp)
