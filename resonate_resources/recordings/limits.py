"""How large a file may be: the one table of limits on what comes in from outside.

Stages don't import this module: a limit that only refuses must not give results another name. `artwork_mib`, which
shapes one, is a setting of the recipe.
"""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path


@dataclass(frozen=True)
class Limits:
    """Each may be set in the environment, by the name in `VARIABLES`."""

    duration_hours: float = 12.0
    """Of a track; all stages were tried on 3 hours, separation alone on 8."""
    decoded_gib: float = 24.0
    """Of a track as 32-bit float WAV: 12 hours of stereo at 44.1 kHz are 15 GiB. Each stage makes some of them."""
    artwork_mib: float = 8.0
    """Larger covers are made smaller: FLAC holds 16 MiB at most, and players load them into memory."""
    free_gib: float = 0.5
    """What must stay free on the disk on which a file is decoded."""

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{VARIABLES[each.name]}: {value} is no limit; give a number of 0 or more")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Limits:
        """Raises ValueError, with one line, for what is no number."""
        given = {
            name: environment[variable] for name, variable in VARIABLES.items() if environment.get(variable)
        }
        values = {}
        for name, text in given.items():
            try:
                values[name] = float(text)
            except ValueError as error:
                raise ValueError(f"{VARIABLES[name]}: {text!r} is no number") from error
        return cls(**values)

    def excess(self, seconds: float, size: int) -> str | None:
        """What of a track of that length, and of that many bytes once decoded, is too much, and what to do."""
        if seconds > 3600 * self.duration_hours:
            told = f"lasts more than {self.duration_hours:g} hours"
            variable = VARIABLES["duration_hours"]
        elif size > self.decoded_gib * 2**30:
            told = f"takes more than {self.decoded_gib:g} GiB once decoded"
            variable = VARIABLES["decoded_gib"]
        else:
            return None
        return f"{told}; cut it into parts, or set {variable} higher"

    def has_room(self, folder: Path, size: int) -> bool:
        """Whether the disk of a folder can take so many bytes more."""
        return shutil.disk_usage(folder).free - size >= self.free_gib * 2**30


VARIABLES = {
    "duration_hours": "RESONATE_MAX_HOURS",
    "decoded_gib": "RESONATE_MAX_DECODED_GIB",
    "artwork_mib": "RESONATE_MAX_ARTWORK_MIB",
    "free_gib": "RESONATE_KEEP_FREE_GIB",
}
