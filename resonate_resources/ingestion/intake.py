"""Intake: from a look at an inbox to new tracks. Used by the sensors, the nightly schedule and the command line."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory

from resonate_resources.ingestion.naming import named
from resonate_resources.ingestion.refusing import name_of, refused_in_one_line
from resonate_resources.ingestion.track_key import content_of, track_key
from resonate_resources.ingestion.words import Words
from resonate_resources.parallel import in_parallel
from resonate_resources.recordings.decoding import printable_name, probe
from resonate_resources.recordings.limits import Limits
from resonate_resources.recordings.recording import AudioError, file_sha256
from resonate_resources.recordings.tag_reading import read_tags
from resonate_resources.storage.inbox import (
    ARCHIVE_SUFFIXES,
    AUDIO_SUFFIXES,
    KEYS_A_PART,
    Inbox,
    Seen,
    fingerprint,
    is_compose,
    plan,
)
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.sources import Rejection, Source
from resonate_resources.storage.taken_in import TakenIn, enter_tracks, knows_tracks, tracks_of

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


def identify(file: Path, uri: str, limits: Limits | None = None) -> Source:
    """Know a file by its content, if it is audio: a look at its header and its first moments, and its hash. Words
    that some is composed from are known by what they ask.

    Raises AudioError, with one line, where it is none or can't be read; other errors are the machine's.
    """
    name = name_of(uri)
    with refused_in_one_line(uri):
        if is_compose(name):
            return Words.read(file, name).source(uri)
        probe(file, limits, name)
        tags = named(read_tags(file), name)
        sha256 = file_sha256(file)
        return Source(
            track=track_key(tags.artist, tags.title, sha256),
            uri=uri,
            size=file.stat().st_size,
            sha256=sha256,
            artist=tags.artist,
            title=tags.title,
        )


def take_in(
    inbox: Inbox,
    storage: StorageResource,
    partitions: Partitions,
    *,
    waiting: Mapping[str, str],
    emitted: Mapping[str, tuple[str, str]],
    limit: int,
    seconds: float = 30.0,
    limits: Limits | None = None,
) -> Intake:
    """Look at an inbox, register at most `limit` new tracks, and stop reading files after `seconds`.

    waiting and emitted: of the last look. Files that are no audio, too large or of another kind are rejected;
    nothing about one file ends a look. Raises OSError where the machine is out of something; the next look then
    finds the same files again.
    """
    url = storage.database
    ledger = TakenIn(url, inbox.uri)
    ledger.take_over(storage.store)
    ledger.enter(
        {
            uri: stamp
            for uri, (stamp, track) in emitted.items()
            # One that was rejected meanwhile is a partition no more, and not to be tried again.
            if partitions.has(track) or storage.sources.is_rejected(track)
        }
    )
    look = inbox.look(ledger.sampled(KEYS_A_PART)) if inbox.in_parts else inbox.look()
    planned = plan(ledger.fresh(look), {}, waiting, limit)
    read = list(
        in_parallel(
            partial(identify_or_reject, inbox, storage, limits), until(planned.take, seconds), inbox.at_once
        )
    )
    known = known_as(url, [source for source in read if isinstance(source, Source)], partitions)
    rejected = rejected_before(storage, [source for source in read if isinstance(source, Source)], inbox)
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
        elif content in rejected:
            done[seen.uri] = fingerprint(seen)
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


def rejected_before(storage: StorageResource, sources: Sequence[Source], inbox: Inbox) -> set[str]:
    """Contents of which it is known, perhaps by another name, that they can't be used. They are no partitions."""
    entered = tracks_of(storage.database, [content_of(source.track) for source in sources])
    names = {
        name for source in sources for name in (source.track, entered.get(content_of(source.track))) if name
    }
    found = zip(names, in_parallel(storage.sources.is_rejected, names, inbox.at_once), strict=True)
    return {content_of(name) for name, is_rejected in found if is_rejected}


def until(files: Iterable[Seen], seconds: float) -> Iterator[Seen]:
    """The files until the time is over, one at least."""
    end = time.monotonic() + seconds
    for number, file in enumerate(files):
        if number and time.monotonic() > end:
            return
        yield file


def identify_or_reject(
    inbox: Inbox, storage: StorageResource, limits: Limits | None, seen: Seen
) -> Source | Rejection:
    """Know a file of an inbox by its content, or write down why it can't be used."""
    try:
        refuse_other_kinds(seen.uri)
        with refused_in_one_line(seen.uri), TemporaryDirectory(prefix="resonate-") as directory:
            source = identify(inbox.local_copy(seen.uri, Path(directory)), seen.uri, limits)
    except AudioError as error:
        rejection = Rejection(seen.uri, str(error))
        storage.sources.reject(rejection)
        return rejection
    storage.sources.accept(None, seen.uri)
    return source


def refuse_other_kinds(uri: str) -> None:
    """Raises AudioError for a file whose name says that it is none that is looked into."""
    name = name_of(uri)
    if PurePath(name).suffix.lower() in AUDIO_SUFFIXES or is_compose(name):
        return
    suffix = PurePath(name).suffix.lower()
    if suffix in ARCHIVE_SUFFIXES:
        told = "is an archive; unpack it, and drop in what is in it"
    elif suffix:
        told = f"is passed over, as {printable_name(suffix)} is no kind of audio; give it as WAV, FLAC or MP3"
    else:
        told = "is passed over, as its name has no ending; add .wav, .flac, .mp3 or what else it is"
    raise AudioError(f"{printable_name(name)}: {told}")
