"""Intake: from a look at an inbox to new tracks. Used by the sensors, the nightly schedule and the command line."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from resonate_assets.partitions import content_of, track_key
from resonate_resources.audio import file_sha256
from resonate_resources.storage.inbox import Inbox, Ledger, fingerprint, plan
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.sources import Rejection, Source
from resonate_resources.tags import read_tags

_OF_THE_MACHINE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM})
"""Errors that say nothing about the file at hand: to reject it for them would lose it."""


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
    partitions: Collection[str],
    *,
    waiting: Mapping[str, str],
    emitted: Mapping[str, tuple[str, str]],
    limit: int,
    seconds: float = 30.0,
) -> Intake:
    """Look at an inbox, register at most `limit` new tracks, and stop reading files after `seconds`.

    partitions: the track keys there are. waiting and emitted: of the last look. Raises OSError where the machine is
    out of something; the next look then finds the same files again.
    """
    ledger = Ledger.load(storage.store, inbox.uri)
    before = dict(ledger.done)
    ledger.done |= {uri: stamp for uri, (stamp, track) in emitted.items() if track in partitions}
    known = {content_of(track): track for track in partitions}
    planned = plan(inbox.look(), ledger.done, waiting, limit)
    new: dict[str, Source] = {}
    new_emitted: dict[str, tuple[str, str]] = {}
    rejected = []
    end = time.monotonic() + seconds
    taken = 0
    for seen in planned.take:
        if taken and time.monotonic() > end:
            break
        taken += 1
        try:
            with TemporaryDirectory(prefix="resonate-") as directory:
                source = identify(inbox.local_copy(seen.uri, Path(directory)), seen.uri)
        except OSError as error:
            if error.errno in _OF_THE_MACHINE:
                raise
            rejected.append(unreadable(seen.uri, error))
            storage.sources.reject(rejected[-1])
            ledger.done[seen.uri] = fingerprint(seen)
            continue
        storage.sources.accept(None, seen.uri)
        content = content_of(source.track)
        if content in known:
            registered = storage.sources.find(known[content])
            if registered is not None:  # renamed or copied: this is where the content is for certain
                storage.sources.register(replace(registered, uri=seen.uri))
            ledger.done[seen.uri] = fingerprint(seen)
            continue
        if content not in new:
            storage.sources.register(source)
            new[content] = source
        new_emitted[seen.uri] = (fingerprint(seen), new[content].track)
    if ledger.done != before:
        ledger.save(storage.store, inbox.uri)
    return Intake(
        new=list(new.values()),
        rejected=rejected,
        waiting=dict(planned.waiting)
        | {seen.uri: fingerprint(seen) for seen in planned.take[taken:] if not seen.settled},
        emitted=new_emitted,
        left=planned.left + len(planned.take) - taken,
    )


def _shown(uri: str) -> str:
    """A file's name on one line, whatever it holds."""
    name = uri.rstrip("/").rpartition("/")[2]
    return name.encode("unicode_escape").decode() if not name.isprintable() else name
