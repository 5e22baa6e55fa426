"""From the plans of music libraries to new tracks: a few at a time, the most urgent first."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from resonate_resources.ingestion.intake import (
    Partitions,
    identify_or_reject,
    known_as,
    rejected_before,
    until,
)
from resonate_resources.ingestion.track_key import content_of
from resonate_resources.parallel import in_parallel
from resonate_resources.recordings.decoding import printable_name
from resonate_resources.recordings.limits import Limits
from resonate_resources.storage.inbox import FolderInbox, Inbox, Seen
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.scanned import ScannedFile, ScannedLibrary
from resonate_resources.storage.sources import Rejection, Source
from resonate_resources.storage.taken_in import enter_tracks

Emitted = Mapping[str, Mapping[str, str]]
"""Library → URI → track."""


@dataclass(frozen=True)
class TakenFromPlan:
    """new: sources of new tracks and their priorities; they are registered in storage, but are no partitions yet.
    emitted: what is new, to be handed to the next look, which notes it. problems: one line each."""

    new: list[tuple[Source, int]] = field(default_factory=list)
    emitted: dict[str, dict[str, str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def take_planned(
    libraries: Sequence[tuple[Inbox, ScannedLibrary]],
    storage: StorageResource,
    partitions: Partitions,
    *,
    code: str,
    emitted: Emitted,
    limit: int,
    seconds: float = 30.0,
    limits: Limits | None = None,
) -> TakenFromPlan:
    """Register at most `limit` new tracks of what was planned, and stop reading files after `seconds`.

    code: changes with that of any stage. emitted: of the last look. A file is noted as taken only when Dagster has
    its partition, so a process killed in between loses none. Raises OSError where the machine is out of something.
    """
    taken = TakenFromPlan()
    queue: list[tuple[ScannedFile, Inbox, ScannedLibrary]] = []
    for place, library in libraries:
        for uri, track in emitted.get(library.uri, {}).items():
            if partitions.has(track) or storage.sources.is_rejected(track):
                library.note(uri, "taken", track)
        if isinstance(place, FolderInbox) and not place.folder.is_dir():
            taken.problems.append(
                f"{printable_name(place.uri)}: is not there; see whether it is mounted, or meant"
            )
            continue
        queue += [(file, place, library) for file in _there(library.queue(code, limit), library, taken)]
    queue = sorted(queue, key=lambda each: (-each[0].priority, each[0].uri))[:limit]
    for place, library in libraries:
        files = [file for file, _, of in queue if of is library]
        _take(files, place, library, storage, partitions, code, seconds, limits, taken)
    return taken


def _there(
    files: Iterable[ScannedFile], library: ScannedLibrary, taken: TakenFromPlan
) -> Iterable[ScannedFile]:
    for file in files:
        if library.uri.startswith("s3://") or os.path.lexists(file.uri):
            yield file
        else:
            library.mark_gone([file.uri])
            taken.problems.append(f"{printable_name(file.uri)}: is not there any more; it is passed over")


def _take(
    files: Sequence[ScannedFile],
    place: Inbox,
    library: ScannedLibrary,
    storage: StorageResource,
    partitions: Partitions,
    code: str,
    seconds: float,
    limits: Limits | None,
    taken: TakenFromPlan,
) -> None:
    seen = [Seen(file.uri, file.size, file.stamp, settled=True) for file in files]
    identify = partial(identify_or_reject, place, storage, limits)
    read = list(in_parallel(identify, until(seen, seconds), place.at_once))
    sources = [source for source in read if isinstance(source, Source)]
    known = known_as(storage.database, sources, partitions)
    rejected = rejected_before(storage, sources, place)
    new: dict[str, Source] = {}
    emitted: dict[str, str] = {}
    for file, source in zip(files, read, strict=False):
        if isinstance(source, Rejection):
            library.note_failure(file.uri, source.reason, code, broken=True)
            taken.problems.append(source.reason)
        elif (content := content_of(source.track)) in known:
            storage.sources.move(known[content], file.uri)
            library.note(file.uri, "taken", known[content])
        elif content in rejected:
            reason = (
                f"{printable_name(source.name)}: its content could not be used before; see `resonate status`"
            )
            library.note_failure(file.uri, reason, code, broken=True)
        elif content in new:
            emitted[file.uri] = new[content].track
        else:
            new[content] = source
            emitted[file.uri] = source.track
            taken.new.append((source, file.priority))
    list(in_parallel(storage.sources.register, new.values(), place.at_once))
    enter_tracks(storage.database, {content: source.track for content, source in new.items()})
    if emitted:
        taken.emitted[library.uri] = emitted
