"""Server-sent events: what changes in jobs and the library, told to whoever listens.

One thread looks while anybody listens; listeners take from one list of the latest events, each from where it was,
so a slow one holds up nobody and misses at most what is older than that list: then it is told all there is anew.
"""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from anyio import sleep, to_thread
from sqlalchemy.exc import SQLAlchemyError

from resonate_resources.storage.current import last_change
from resonate_studio.api.jobs import Jobs
from resonate_studio.api.library import Library
from resonate_studio.api.models import Job
from resonate_studio.api.opened import Opened
from resonate_studio.api.problems import ProblemError

_LOOK_SECONDS = 1.0
_ASK_SECONDS = 0.25
HEARTBEAT_SECONDS = 15.0
_KEPT = 2000
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Event:
    """number: rising by one; job: which it is of."""

    number: int
    kind: str
    data: str
    job: str | None = None


class Events:
    """Of one home."""

    def __init__(self, opened: Opened, jobs: Jobs, tracks: Library) -> None:
        self._opened, self._jobs, self._tracks = opened, jobs, tracks
        self._boot = uuid.uuid4().hex[:8]
        self._kept: deque[Event] = deque(maxlen=_KEPT)
        self._number = 0
        self._told: dict[str, str] = {}
        self._library: tuple[int, str] | None = None
        self._latest: datetime | None = None
        self._listeners = 0
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def end(self) -> None:
        """No more of them: who listens comes to an end."""
        self._ended.set()

    async def stream(self, job: uuid.UUID | None, last_id: str | None) -> AsyncIterator[str]:
        """Events as they are sent, from after last_id on. Of one job until that is over."""
        with self._listening():
            place = self._place(last_id)
            if place is None:
                place = self._number
                for text in await to_thread.run_sync(self._all_there_is, job, place):
                    yield text
                if job is not None and await to_thread.run_sync(self._is_over, job):
                    return
            told_at = monotonic()
            while not self._ended.is_set():
                fresh = self._since(place)
                if fresh is None:  # it was too slow
                    place = self._number
                    for text in await to_thread.run_sync(self._all_there_is, job, place):
                        yield text
                    continue
                for event in fresh:
                    place = event.number
                    if job is None or event.job == str(job):
                        told_at = monotonic()
                        yield self._text(event)
                        if job is not None and _over(event.data):
                            return
                if monotonic() - told_at > HEARTBEAT_SECONDS:
                    told_at = monotonic()
                    yield ": still here\n\n"
                await sleep(_ASK_SECONDS)

    def look(self) -> None:
        """Write down what has changed since the last look."""
        runs = self._jobs.under_way()
        before = self._told
        now = {}
        for record in runs.active.values():
            try:
                job = self._jobs.told(record, runs)
            except (ValueError, KeyError):  # no job of the API's
                continue
            now[str(job.job_id)] = job.model_dump_json()
        for job_id in {*before, *self._ended_since()} - now.keys():
            try:
                ended = self._jobs.find(uuid.UUID(job_id))
            except ProblemError:  # its track was removed
                continue
            self._tell("job", ended.model_dump_json(), job_id)
        for job_id, told in now.items():
            if before.get(job_id) != told:
                self._tell("job", told, job_id)
        self._told = now
        storage = self._opened.storage
        partitions = len(self._opened.instance.get_dynamic_partitions("tracks"))
        library = last_change(storage.database) + partitions, storage.sources.rejected_state()
        if self._library is not None and (library != self._library or now.keys() != before.keys()):
            self._tracks.refresh()  # who is told of it asks for the list at once
            self._tell("library", "{}", None)
        self._library = library

    def _ended_since(self) -> list[str]:
        """Jobs that ended since the last look: some are over before any look has seen them."""
        before, records = self._latest, self._jobs.latest()
        self._latest = max((record.update_timestamp for record in records), default=before)
        if before is None:
            return []
        return [record.dagster_run.run_id for record in records if record.update_timestamp > before]

    @contextmanager
    def _listening(self) -> Iterator[None]:
        with self._lock:
            self._listeners += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="events", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._listeners -= 1

    def _watch(self) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            with self._lock:
                if not self._listeners:
                    # What happens unheard is told to the next one by what there is then.
                    self._thread, self._library, self._latest = None, None, None
                    self._told = {}
                    self._number += 1
                    self._kept.clear()
                    return
            try:
                self.look()
            except (SQLAlchemyError, OSError) as error:
                _log.warning("what has changed could not be looked at (%s)", error)

    def _tell(self, kind: str, data: str, job: str | None) -> None:
        with self._lock:
            self._number += 1
            self._kept.append(Event(self._number, kind, data, job))

    def _place(self, last_id: str | None) -> int | None:
        """The number that an id stands for; None for one of another server, or too old."""
        boot, _, number = (last_id or "").partition("-")
        if boot != self._boot or not (number.isascii() and number.isdecimal() and len(number) < 16):
            return None
        return int(number) if self._since(int(number)) is not None else None

    def _since(self, number: int) -> list[Event] | None:
        """Those after one; None where some of them are kept no longer."""
        with self._lock:
            if number > self._number or (number < self._number and not self._kept):
                return None
            if self._kept and self._kept[0].number > number + 1:
                return None
            return [event for event in self._kept if event.number > number]

    def _all_there_is(self, job: uuid.UUID | None, number: int) -> list[str]:
        jobs: list[Job] = [self._jobs.find(job)] if job else self._jobs.all(active=True)
        told = [self._text(Event(number, "job", each.model_dump_json())) for each in jobs]
        return told if job else [*told, self._text(Event(number, "library", "{}"))]

    def _is_over(self, job: uuid.UUID) -> bool:
        return _over(self._jobs.find(job).model_dump_json())

    def _text(self, event: Event) -> str:
        return f"id: {self._boot}-{event.number}\nevent: {event.kind}\ndata: {event.data}\n\n"


def _over(job: str) -> bool:
    return json.loads(job)["status"] in ("completed", "failed", "cancelled")
