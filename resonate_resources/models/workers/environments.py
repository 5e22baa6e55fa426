"""The environments of workers: packages that can't share one with Resonate, each by lists of its own.

Beside this module, by the worker's name: `.txt` is what is wanted, `.constraints.txt` pins all that this brings,
`.no_deps.txt` are packages that go in without what they declare. Made by `installing.py`; used only when whole.
"""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

State = Literal["missing", "half made", "outdated", "made"]
"""outdated: whole, by lists from before."""

Version = tuple[int, int]

_HERE = Path(__file__).parent


def environments_directory() -> Path:
    """Where the workers' environments are: $RESONATE_WORKERS, else `workers` in the environment that runs this."""
    named = os.environ.get("RESONATE_WORKERS")
    return Path(named) if named else Path(sys.prefix) / "workers"


@dataclass(frozen=True)
class Environment:
    """lists: the path of its lists, without their endings. oldest, newest: the Pythons that its packages run on."""

    name: str
    purpose: str
    lists: Path
    oldest: Version = (3, 11)
    newest: Version = (3, 13)

    @property
    def directory(self) -> Path:
        return environments_directory() / self.name

    @property
    def python(self) -> Path:
        return self.directory / "bin" / "python"

    @property
    def pythons(self) -> str:
        """For people."""
        oldest, newest = (".".join(map(str, version)) for version in (self.oldest, self.newest))
        return f"Python {oldest}" if oldest == newest else f"Python {oldest} to {newest}"

    @property
    def made(self) -> Path:
        """Written last, with the hash of the lists."""
        return self.directory / "made"

    @property
    def begun(self) -> Path:
        """Written first, with the same."""
        return self.directory / "begun"

    @property
    def wanted(self) -> Path:
        return self.lists.with_suffix(".txt")

    @property
    def constraints(self) -> Path:
        return self.lists.with_suffix(".constraints.txt")

    @property
    def without_dependencies(self) -> Path:
        return self.lists.with_suffix(".no_deps.txt")

    def fingerprint(self) -> str:
        """SHA-256, in hex, of what the lists say beside their comments."""
        lists = (self.wanted, self.constraints, self.without_dependencies)
        lines = [[line.partition("#")[0].strip() for line in each.read_text().splitlines()] for each in lists]
        return hashlib.sha256("\0".join("\n".join(filter(None, each)) for each in lines).encode()).hexdigest()

    def state(self) -> State:
        if not self.directory.is_dir():
            return "missing"
        if not self.made.is_file() or not self.python.exists():
            return "half made"
        return "made" if self.made.read_text(errors="replace") == self.fingerprint() else "outdated"

    def unavailable(self) -> str | None:
        """Why it can't be used, in one line; None if it can."""
        told = {
            "missing": "has no environment",
            "half made": "is half made",
            "outdated": "was made by lists from before",
        }
        state = self.state()
        if state == "made":
            return None
        return f"{self.name} {told[state]}: run `resonate workers install {self.name}`"


AUDIO_SEPARATOR = Environment(
    "audio-separator",
    "RoFormer, MDX-Net and VR models: separation, and noise and reverberation taken off",
    _HERE / "audio_separator",
)
AUDIOSR = Environment("audiosr", "a band given back: AudioSR", _HERE / "audiosr")
AUDIOCRAFT = Environment("audiocraft", "polish: MultiBandDiffusion", _HERE / "audiocraft")
CLONING = Environment(
    "cloning",
    "instruments cloned by their sound: LiveSynth, TokenSynth, RAVE",
    _HERE / "cloning",
    newest=(3, 12),  # livesynth's own bound
)

ENVIRONMENTS = {
    environment.name: environment for environment in (AUDIO_SEPARATOR, AUDIOSR, AUDIOCRAFT, CLONING)
}
