"""What came of one file: of every stage, or of separation alone. Nothing heavy is imported here: a command that is
stopped before it has begun tells it, too."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Stage:
    """What a stage made: absolute paths (or URIs), the engine that ran, its measures and notes, and whether all of
    it was there already."""

    files: list[str]
    engine: str
    metadata: dict[str, Any]
    from_cache: bool


@dataclass(frozen=True)
class Check:
    asset: str
    name: str
    passed: bool
    severity: str


@dataclass
class Processed:
    """What came of one file. error: one line, None when all is well. follows: an older track that was made of the
    same file, before its content changed; replaced: whether that one was removed. accepted: the verdict on the
    track, None as long as there is none; why_not: its reasons, as the catalogue has them. found: the track was
    finished before. broken: the error is of the file itself."""

    source: str
    track: str | None = None
    error: str | None = None
    seconds: float = 0.0
    follows: str | None = None
    replaced: bool = False
    assets: dict[str, Stage] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    accepted: bool | None = None
    why_not: str = ""
    stopped: bool = False
    found: bool = False
    broken: bool = False

    @property
    def status(self) -> str:
        return _status(self.error, self.stopped)


@dataclass
class Separated:
    """What came of one file. error: one line; None when all is well. quality: si_sdr_db and error_db are None where
    there is nothing to judge."""

    source: str
    error: str | None = None
    engine: str | None = None
    model: str | None = None
    stems: dict[str, str] = field(default_factory=dict)
    quality: dict[str, dict[str, Any]] = field(default_factory=dict)
    attempts: list[dict[str, str]] = field(default_factory=list)
    cost_minutes: float = 0.0
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    stopped: bool = False

    @property
    def status(self) -> str:
        return _status(self.error, self.stopped)


def _status(error: str | None, stopped: bool) -> str:
    if stopped:
        return "stopped"
    return "ok" if error is None else "failed"
