"""A look at a whole music library: every file with its tags, its crates and its priority, and no sound decoded."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath

from resonate_resources.ingestion.chosen import XML, absent_of, crates_of, dj_libraries, is_crate
from resonate_resources.ingestion.naming import named
from resonate_resources.ingestion.priority import doubts, priority
from resonate_resources.ingestion.refusing import name_of, refused_in_one_line
from resonate_resources.parallel import in_parallel
from resonate_resources.recordings.decoding import printable_name
from resonate_resources.recordings.recording import AudioError
from resonate_resources.recordings.serato_crate import SUFFIX
from resonate_resources.recordings.tag_reading import read_texts, tags_of
from resonate_resources.recordings.tags import Tags
from resonate_resources.storage.inbox import AUDIO_SUFFIXES, KEYS_A_PART, FolderInbox, Inbox, Seen, is_noticed
from resonate_resources.storage.scanned import ScannedFile, ScannedLibrary, is_unchanged

KEPT_TAGS = ("artist", "title", "album", "genre", "bpm", "key", "isrc")
_BUCKET_AT_ONCE = 8

TagsRead = Callable[[int, int], None]
"""Called with how many files' tags have been read, and of how many."""


@dataclass(frozen=True)
class Scan:
    """Files that there are now (files), of which tags were read, as they are new or have changed (read), that were
    there at the last scan (gone), and that are no audio (passed_over). problems: one line each. own: files of music
    that Resonate made, which are passed over, too."""

    files: int
    read: int
    gone: int
    passed_over: int
    problems: tuple[str, ...]
    own: int = 0


def is_of_a_library(name: str) -> bool:
    """Whether a file's name is looked at in a scan: music, crates, collections, and what is told as passed over."""
    suffix = PurePath(name).suffix.lower()
    return (suffix in (SUFFIX, XML) and not name.startswith(".")) or is_noticed(name)


def scan(
    place: Inbox,
    library: ScannedLibrary,
    excluded: Sequence[Path] = (),
    told: TagsRead = lambda _read, _of: None,
) -> Scan:
    """Bring the plan of a library up to date. place: which looks at what `is_of_a_library` names.

    Only of files that are new, or whose size or time is another, are tags read; the others cost their listing.
    excluded: folders in it that are no music of the user's, as a home or an output. A library that is out of reach
    is told, and nothing of it is taken for gone. Killed, it goes on where it was.
    """
    if isinstance(place, FolderInbox) and not place.folder.is_dir():
        line = f"{printable_name(place.uri)}: is not there; see whether it is mounted, or meant"
        return Scan(0, 0, 0, 0, (line,))
    known = library.known()
    music: dict[str, Seen] = {}
    beside: list[str] = []
    passed_over = 0
    bounds = sorted(known, key=os.fsencode)[KEYS_A_PART::KEYS_A_PART] if place.in_parts else ()
    for seen in _outside(place, place.look(bounds), excluded):
        suffix = PurePath(seen.uri).suffix.lower()
        if suffix in AUDIO_SUFFIXES:
            music[seen.uri] = seen
        elif suffix == XML or is_crate(seen.uri):
            beside.append(seen.uri)
        elif "/_Serato_/" not in seen.uri:  # Serato's own records
            passed_over += 1
    fresh = [
        seen
        for uri, seen in music.items()
        if uri not in known or not is_unchanged(seen, known[uri].size, known[uri].stamp)
    ]
    back = {uri for uri, each in known.items() if each.gone} & music.keys()
    # A bucket's crates would name files of a drive that is elsewhere.
    dj = dj_libraries(place.folder, beside) if isinstance(place, FolderInbox) else None
    stamp, broken = library.crates()
    gone = {
        uri
        for uri, each in known.items()
        if not each.gone and uri not in music and not _is_below(uri, place.closed)
    }
    chosen = dj.read() if dj is not None and (fresh or back or gone or dj.stamp != stamp) else None
    in_crates = crates_of(chosen.crates, music) if chosen else {}
    library.mark_gone(back, gone=False)
    library.enter(_with_tags(place, fresh, in_crates, told))
    library.mark_gone(gone)
    if chosen is not None and dj is not None:
        broken = (*chosen.broken, *absent_of(chosen.crates, music))
        library.prioritise(_moved(library.files(), in_crates))
        library.note_crates(dj.stamp, broken)
    return Scan(len(music), len(fresh), len(gone), passed_over, (*_closed(place), *broken), place.own)


def _outside(place: Inbox, look: Iterable[Seen], excluded: Sequence[Path]) -> Iterator[Seen]:
    """What a look finds, but for what lies in these folders, by whatever links they are known."""
    below: list[str] = []
    if isinstance(place, FolderInbox):
        root = place.folder.resolve()
        real = [folder.resolve() for folder in excluded]
        below = [
            str(place.folder / folder.relative_to(root))
            for folder in real
            if folder != root and folder.is_relative_to(root)
        ]
    return (seen for seen in look if not _is_below(seen.uri, below))


def _is_below(uri: str, folders: Iterable[str]) -> bool:
    return any(uri.startswith(f"{folder}/") for folder in folders)


def _with_tags(
    place: Inbox, fresh: Sequence[Seen], in_crates: Mapping[str, tuple[str, ...]], told: TagsRead
) -> Iterator[ScannedFile]:
    at_once = place.at_once if isinstance(place, FolderInbox) else _BUCKET_AT_ONCE
    for number, (seen, (tags, notes)) in enumerate(
        zip(fresh, in_parallel(partial(_tags, place), fresh, at_once), strict=True)
    ):
        told(number + 1, len(fresh))
        crates = in_crates.get(seen.uri, ())
        kept = {name: value for name, value in tags.to_json().items() if name in KEPT_TAGS}
        yield ScannedFile(seen.uri, seen.size, seen.stamp, kept, notes, crates, priority(tags, crates))


def _tags(place: Inbox, seen: Seen) -> tuple[Tags, tuple[str, ...]]:
    """What can't be read has no tags here, and is told when it is taken in."""
    texts: dict[str, str] = {}
    with suppress(AudioError), refused_in_one_line(seen.uri), place.tagged(seen) as file:
        texts, _ = read_texts(file)
    tags = tags_of(texts)
    return named(tags, name_of(seen.uri)), doubts(texts, tags)


def _moved(
    files: Iterable[ScannedFile], in_crates: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[str, tuple[str, ...], int]]:
    """Files that are in other crates than they were."""
    for file in files:
        crates = in_crates.get(file.uri, ())
        if crates != file.crates:
            yield file.uri, crates, priority(Tags.from_json(dict(file.tags)), crates)


def _closed(place: Inbox) -> Iterator[str]:
    for folder in place.closed:
        yield f"{printable_name(folder)}: can't be read; change its permissions, and scan again"
