"""Intake: from a look at an inbox to new tracks. Used by the sensors, the nightly schedule and the command line."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from resonate_resources.ingestion.track_key import content_of, track_key
from resonate_resources.parallel import in_parallel
from resonate_resources.recordings.recording import file_sha256
from resonate_resources.recordings.tag_reading import read_tags
from resonate_resources.storage.inbox import KEYS_A_PART, Inbox, Seen, fingerprint, plan
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.sources import Rejection, Source
from resonate_resources.storage.taken_in import TakenIn, enter_tracks, knows_tracks, tracks_of

_OF_THE_MACHINE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM})
"""Errors that say nothing about the file at hand: to reject it for them would lose it."""


_WAITING = 1000
"""Files that may still be growing and are kept in mind, at most: they stand in a cursor, which Dagster keeps whole.
Of more, those beyond are taken once nothing has touched them for a minute."""


@dataclass(frozen=True)
class Partitions:
    """The track keys that Dagster has."""

    has: Callable[[str], bool]
    all: Callable[[], Iterable[str]]
    """For a database that knows of none; reads every one."""


@dataclass(frozen=True)
class Intake:
    """What one look led to."""

    new: list[Source] = field(default_factory=list)
    """Sources of new tracks; they are registered in storage, but are not partitions yet."""
    rejected: list[Rejection] = field(default_factory=list)
    waiting: Mapping[str, str] = field(default_factory=dict)
    """Files that may still be growing; to be handed to the next look."""
    emitted: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """URI → (fingerprint, track) of what is new; to be handed to the next look, which enters them in the ledger."""
    left: int = 0


def identify(file: Path, uri: str) -> Source:
    """Know a file by its content. Raises OSError where it can't be read."""
    mode = file.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(f"{_shown(uri)}: is a directory, not an audio file")
    if not stat.S_ISREG(mode):  # to read a pipe would wait for ever
        raise OSError("not a regular file")
    sha256 = file_sha256(file)
    tags = read_tags(file)
    name = uri.rstrip("/").rpartition("/")[2]
    # A name need not be UTF-8; what is made from it must be.
    title = tags.title or os.fsencode(Path(name).stem).decode(errors="replace")
    return Source(
        track=track_key(tags.artist, title, sha256),
        uri=uri,
        size=file.stat().st_size,
        sha256=sha256,
        artist=tags.artist,
        title=title,
    )


def unreadable(uri: str, error: OSError) -> Rejection:
    """One line on a file whose content can't be read."""
    if isinstance(error, IsADirectoryError):
        return Rejection(uri, f"{_shown(uri)}: is a directory, not an audio file")
    if error.errno == errno.ENOENT:
        is_link = Path(uri).is_symlink()
        told = "is a link to a file that is not there" if is_link else "does not exist"
        return Rejection(uri, f"{_shown(uri)}: {told}")
    reason = os.strerror(error.errno).lower() if error.errno else str(error)
    return Rejection(uri, f"{_shown(uri)}: can't be read ({reason})")


def take_in(
    inbox: Inbox,
    storage: StorageResource,
    partitions: Partitions,
    *,
    waiting: Mapping[str, str],
    emitted: Mapping[str, tuple[str, str]],
    limit: int,
    seconds: float = 30.0,
) -> Intake:
    """Look at an inbox, register at most `limit` new tracks, and stop reading files after `seconds`.

    waiting and emitted: of the last look. Raises OSError where the machine is out of something; the next look then
    finds the same files again.
    """
    url = storage.database
    ledger = TakenIn(url, inbox.uri)
    ledger.take_over(storage.store)
    ledger.enter({uri: stamp for uri, (stamp, track) in emitted.items() if partitions.has(track)})
    look = inbox.look(ledger.sampled(KEYS_A_PART)) if inbox.in_parts else inbox.look()
    planned = plan(ledger.fresh(look), {}, waiting, limit)
    read = list(in_parallel(partial(_read, inbox, storage), _until(planned.take, seconds), inbox.at_once))
    known = known_as(url, [source for source in read if isinstance(source, Source)], partitions)
    done: dict[str, str] = {}
    new: dict[str, Source] = {}
    found_again: dict[str, str] = {}
    new_emitted: dict[str, tuple[str, str]] = {}
    for seen, source in zip(planned.take, read, strict=False):
        if isinstance(source, Rejection):
            done[seen.uri] = fingerprint(seen)
        elif (content := content_of(source.track)) in known:
            done[seen.uri] = fingerprint(seen)
            found_again[known[content]] = seen.uri
        else:
            new_emitted[seen.uri] = (fingerprint(seen), new.setdefault(content, source).track)
    list(in_parallel(storage.sources.register, new.values(), inbox.at_once))
    list(in_parallel(lambda found: storage.sources.move(*found), found_again.items(), inbox.at_once))
    enter_tracks(url, {content: source.track for content, source in new.items()})
    ledger.enter(done)
    still_waiting = dict(planned.waiting) | {
        seen.uri: fingerprint(seen) for seen in planned.take[len(read) :] if not seen.settled
    }
    return Intake(
        new=list(new.values()),
        rejected=[source for source in read if isinstance(source, Rejection)],
        waiting=dict(islice(sorted(still_waiting.items()), _WAITING)),
        emitted=new_emitted,
        left=planned.left + len(planned.take) - len(read),
    )


def known_as(url: str, sources: Sequence[Source], partitions: Partitions) -> dict[str, str]:
    """Content → the partition that there is of it already, perhaps by another name. url: of the database."""
    if not knows_tracks(url):
        enter_tracks(url, {content_of(track): track for track in partitions.all()})
    entered = tracks_of(url, [content_of(source.track) for source in sources])
    known: dict[str, str] = {}
    for source in sources:
        content = content_of(source.track)
        for track in (entered.get(content), source.track):
            if track is not None and content not in known and partitions.has(track):
                known[content] = track
    return known


def _until(files: Iterable[Seen], seconds: float) -> Iterator[Seen]:
    """The files until the time is over, one at least."""
    end = time.monotonic() + seconds
    for number, file in enumerate(files):
        if number and time.monotonic() > end:
            return
        yield file


def _read(inbox: Inbox, storage: StorageResource, seen: Seen) -> Source | Rejection:
    try:
        with TemporaryDirectory(prefix="resonate-") as directory:
            source = identify(inbox.local_copy(seen.uri, Path(directory)), seen.uri)
    except OSError as error:
        if error.errno in _OF_THE_MACHINE:
            raise
        rejection = unreadable(seen.uri, error)
        storage.sources.reject(rejection)
        return rejection
    storage.sources.accept(None, seen.uri)
    return source


def _shown(uri: str) -> str:
    """A file's name on one line, whatever it holds."""
    name = uri.rstrip("/").rpartition("/")[2]
    return name.encode("unicode_escape").decode() if not name.isprintable() else name
