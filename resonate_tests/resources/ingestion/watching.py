"""An inbox watched as a sensor does, and files dropped into it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from resonate_resources.ingestion.intake import Intake, Partitions, take_in
from resonate_resources.storage.inbox import FolderInbox
from resonate_resources.storage.resource import StorageResource
from resonate_tests.tiny_music import music


class Watcher:
    """Looks again and again, as a sensor does; its cursor goes through JSON, as Dagster's."""

    def __init__(self, inbox: FolderInbox, storage: StorageResource, limit: int = 10) -> None:
        self.inbox, self.storage, self.limit = inbox, storage, limit
        self.partitions: list[str] = []
        self.cursor = "{}"
        self.read_all = 0
        """How often all partitions were read."""
        self.asked: list[str] = []
        """Tracks of every run that was asked for."""

    def has(self, track: str) -> bool:
        return track in self.partitions

    def all(self) -> list[str]:
        self.read_all += 1
        return self.partitions

    def look(self, seconds: float = 30.0) -> Intake:
        """A look of which nothing is handed on."""
        last = json.loads(self.cursor)
        return take_in(
            self.inbox,
            self.storage,
            Partitions(self.has, self.all),
            waiting=last.get("waiting", {}),
            emitted={uri: (stamp, track) for uri, (stamp, track) in last.get("emitted", {}).items()},
            limit=self.limit,
            seconds=seconds,
        )

    def tick(self) -> Intake:
        intake = self.look()
        self.partitions += [source.track for source in intake.new]
        self.asked += [source.track for source in intake.new]
        self.cursor = json.dumps({"waiting": intake.waiting, "emitted": intake.emitted})
        return intake

    def ticks(self, count: int) -> list[Intake]:
        return [self.tick() for _ in range(count)]


def drop(inbox: FolderInbox, name: str, content: bytes = b"music") -> Path:
    path = inbox.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(music(content))
    return path


def names(intakes: Iterable[Intake]) -> list[str]:
    return [source.name for intake in intakes for source in intake.new]
