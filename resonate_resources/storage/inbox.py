"""Inboxes: a watched folder and a watched bucket, and the pure plan of what to take from them.

What was dealt with stands in a ledger; see resonate_resources.storage.taken_in.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from resonate_resources.parallel import AT_ONCE, in_parallel
from resonate_resources.storage.s3_store import body_of, on_one_line

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def _suffixes(*names: str) -> frozenset[str]:
    return frozenset(f".{name}" for line in names for name in line.split())


AUDIO_SUFFIXES = _suffixes(
    "wav wave bwf rf64 bw64 w64 flac fla aif aiff aifc caf au snd voc ape wv tta tak mpc amr",
    "mp1 mp2 mp3 mpa m4a m4b m4r aac adts ac3 eac3 ec3 dts ogg oga opus spx wma",
    "mp4 m4v mov qt 3gp 3g2 webm mka mkv avi asf wmv flv ts m2ts mts mpg mpeg vob ogv",
)
"""What is taken, if it can be decoded: of a video, the sound."""
COMPOSE_SUFFIX = ".compose.json"
"""Of words that a track is composed from."""
ARCHIVE_SUFFIXES = _suffixes("zip rar 7z tar gz tgz bz2 xz zst")
BESIDE_MUSIC = _suffixes(
    "jpg jpeg png gif webp bmp tif tiff heic avif svg psd",  # covers
    "cue m3u m3u8 pls xspf wpl asx log txt nfo md rtf pdf doc docx html htm url webloc lnk",  # lists and notes
    "md5 sfv ffp sha1 sha256 accurip lrc srt ass vtt sub json xml toml yaml yml csv ini db",
    "asd pkf sfk reapeaks ovw wfm peak gpk",  # of audio editors
    "part partial crdownload download opdownload tmp temp aria2 filepart !qb !ut",  # still on their way
)
"""What lies beside music and is left alone without a word. Everything else is told to have been passed over."""

_NAME_BYTES = 200

KEYS_A_PART = 950
"""Of a bucket's listing. A page holds 1000; the rest is for keys that have come since."""

_LISTINGS_AT_ONCE = 8

_FIRST_BYTES, _LAST_BYTES = 1 << 20, 1 << 18
"""Of an object, where tags stand: ID3v2, FLAC, Vorbis and most of MP4's with a cover in front, ID3v1, APEv2 and the
chunks of WAV and AIFF behind."""

_SETTLED_SECONDS = 60.0
"""A local file that was not written to for so long is whole, without a second look."""


def is_compose(name: str) -> bool:
    """Whether a file holds words that a track is composed from."""
    return name.lower().endswith(COMPOSE_SUFFIX)


def is_noticed(name: str) -> bool:
    """Whether a file is music, words for some, or something of which it is to be told that it was passed over.
    Hidden files are neither."""
    suffix = PurePath(name).suffix.lower()
    if name.startswith("."):
        return suffix in AUDIO_SUFFIXES
    return suffix in AUDIO_SUFFIXES or is_compose(name) or not (suffix in BESIDE_MUSIC or name == "Icon\r")


@dataclass(frozen=True)
class Seen:
    """A file in an inbox as one look found it. stamp changes whenever the file is written, moved or touched."""

    uri: str
    size: int
    stamp: str
    settled: bool
    """Whether it can't be in the middle of being written (an S3 object always is whole)."""


@dataclass(frozen=True)
class Plan:
    """What one look at an inbox leads to."""

    take: tuple[Seen, ...]
    """New or changed files to be read now, oldest URI order, at most the limit."""
    waiting: Mapping[str, str]
    """URI → size and stamp of files that may still be growing: taken when the next look finds them the same."""
    left: int
    """Files beyond the limit, for later looks."""


def fingerprint(seen: Seen) -> str:
    """Size and stamp: equal means that nothing has happened to the file."""
    return f"{seen.size}:{seen.stamp}"


def plan(seen: Iterable[Seen], done: Mapping[str, str], waiting: Mapping[str, str], limit: int) -> Plan:
    """Decide what to take.

    done: URI → fingerprint of files that were dealt with; waiting: the same, of the last look's waiting files.
    A file is taken once it has stopped growing: when it is settled, or two looks in a row found it unchanged.
    """
    fresh = sorted(
        (file for file in seen if done.get(file.uri) != fingerprint(file)), key=lambda file: file.uri
    )
    ready = [file for file in fresh if file.settled or waiting.get(file.uri) == fingerprint(file)]
    ready_uris = {file.uri for file in ready}
    return Plan(
        take=tuple(ready[:limit]),
        waiting={file.uri: fingerprint(file) for file in fresh if file.uri not in ready_uris}
        | {file.uri: fingerprint(file) for file in ready[limit:] if not file.settled},
        left=max(0, len(ready) - limit),
    )


class Inbox(Protocol):
    """A place where users put files. It is only ever read.

    at_once: how many of its files are best read at a time.
    """

    uri: str
    at_once: int
    in_parts: bool
    """Whether it is listed faster with bounds."""

    closed: list[str]
    """Folders that the last look could not read."""

    own: int
    """Files of music that the last look passed over, as Resonate made them."""

    def look(self, bounds: Sequence[str] = ()) -> Iterator[Seen]:
        """Every file in it now that is noticed. bounds: URIs, KEYS_A_PART apart in rising order, between which a
        bucket is listed in parts."""

    def local_copy(self, uri: str, directory: Path) -> Path:
        """The file on local disk: itself, or a copy in directory. Raises OSError with a reason."""

    def tagged(self, seen: Seen) -> AbstractContextManager[Path]:
        """A local file of which what tags stand in is true: itself, or an object's beginning and end. Raises
        OSError."""


def _nothing(_folder: str, _names: Collection[str]) -> Collection[str]:
    return ()


class FolderInbox:
    """A folder and all below it. noticed: which names are looked at. ours: of a folder and the names in it, those
    that Resonate put there, which are passed over with all below them."""

    at_once = AT_ONCE
    in_parts = False

    def __init__(
        self,
        folder: Path,
        noticed: Callable[[str], bool] = is_noticed,
        ours: Callable[[str, Collection[str]], Collection[str]] = _nothing,
    ) -> None:
        self.folder = folder.absolute()
        self.uri = str(self.folder)
        self.closed: list[str] = []
        self.own = 0
        self._noticed = noticed
        self._ours = ours

    def look(self, bounds: Sequence[str] = ()) -> Iterator[Seen]:  # noqa: ARG002 — a bucket needs it
        folders = [(self.uri, False)]
        self.closed, self.own = [], 0
        while folders:
            folder, is_own = folders.pop()
            try:
                entries = os.scandir(folder)
            except FileNotFoundError:
                continue  # gone since
            except OSError:
                self.closed.append(folder)
                continue
            with entries:
                listed = {entry.name: entry for entry in entries}
                ours = listed if is_own else {*self._ours(folder, listed)}
                for entry in listed.values():
                    if entry.name.startswith("."):
                        continue
                    if _is_folder(entry):
                        if not entry.is_symlink():  # it may lead round in a circle
                            folders.append((entry.path, entry.name in ours))
                    elif entry.name in ours:
                        self.own += PurePath(entry.name).suffix.lower() in AUDIO_SUFFIXES
                    elif self._noticed(entry.name):
                        yield from _seen(entry)

    def local_copy(self, uri: str, directory: Path) -> Path:  # noqa: ARG002 — a bucket needs it
        return Path(uri)

    def tagged(self, seen: Seen) -> AbstractContextManager[Path]:
        return nullcontext(Path(seen.uri))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link to itself


def _seen(entry: os.DirEntry[str]) -> Iterator[Seen]:
    """The file as one look found it; nothing where it has gone since its folder was read."""
    try:
        stat = entry.stat()
    except OSError as error:
        if entry.is_symlink() or not isinstance(error, FileNotFoundError):  # to be told, once
            yield Seen(entry.path, 0, f"error {error.errno}", settled=True)
        return
    # A move into the folder keeps mtime but not ctime; a copy may set mtime back after writing.
    age = time.time() - max(stat.st_mtime, stat.st_ctime)
    yield Seen(
        entry.path, stat.st_size, f"{stat.st_mtime_ns}.{stat.st_ctime_ns}", settled=age > _SETTLED_SECONDS
    )


class BucketInbox:
    """All objects under `s3://bucket/prefix`. noticed: which names are looked at."""

    at_once = 4
    in_parts = True

    def __init__(self, client: S3Client, uri: str, noticed: Callable[[str], bool] = is_noticed) -> None:
        parts = urlsplit(uri)
        if parts.scheme != "s3" or not parts.netloc:
            raise ValueError(f"{uri}: not of the form s3://bucket/prefix")
        self._client = client
        self._bucket = parts.netloc
        folder = parts.path.strip("/")
        self._prefix = f"{folder}/" if folder else ""
        self.uri = uri
        self.closed: list[str] = []
        self.own = 0
        self._noticed = noticed

    def look(self, bounds: Sequence[str] = ()) -> Iterator[Seen]:
        events = self._client.meta.events
        events.register("before-parse.s3.ListObjectsV2", _shorten)
        try:
            for part in in_parallel(self._list, self._parts(bounds), at_once=_LISTINGS_AT_ONCE):
                yield from part
        finally:
            events.unregister("before-parse.s3.ListObjectsV2", _shorten)

    def _parts(self, bounds: Sequence[str]) -> list[tuple[str, str]]:
        """(after, up to) of keys, "" for an open end."""
        if self._bucket.endswith("--x-s3"):  # a directory bucket, which lists in no order
            return [("", "")]
        start = f"s3://{self._bucket}/"
        keys = [uri.removeprefix(start) for uri in bounds if uri.startswith(start + self._prefix)]
        return list(pairwise(["", *keys, ""]))

    def _list(self, part: tuple[str, str]) -> list[Seen]:
        """S3 lists keys in the order of their UTF-8 bytes, which is that of Python's strings."""
        after, up_to = part
        start: dict[str, Any] = {"StartAfter": after} if after else {}
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix, **start
        )
        found: list[Seen] = []
        for page in pages:
            for item in page.get("Contents", ()):
                key = item["Key"]
                if up_to and key > up_to:
                    return found
                # Not every service that speaks S3's language heeds StartAfter.
                if key > after and not key.endswith("/") and self._noticed(key.rpartition("/")[2]):
                    uri = f"s3://{self._bucket}/{key}"
                    found.append(Seen(uri, item["Size"], item["ETag"].strip('"'), settled=True))
        return found

    def local_copy(self, uri: str, directory: Path) -> Path:
        return download(self._client, uri, directory, connections=2)

    @contextmanager
    def tagged(self, seen: Seen) -> Iterator[Path]:
        """As large as the object, with zeros for what lies between its beginning and its end."""
        with TemporaryDirectory(prefix="resonate-") as directory:
            if seen.size <= _FIRST_BYTES + _LAST_BYTES:
                yield self.local_copy(seen.uri, Path(directory))
                return
            bucket, _, key = seen.uri.removeprefix("s3://").partition("/")
            copy = Path(directory) / f"tagged{PurePath(key).suffix}"
            with copy.open("wb") as file, on_one_line(seen.uri), _faults_of_objects(seen.uri):
                file.truncate(seen.size)
                for start, end in ((0, _FIRST_BYTES), (seen.size - _LAST_BYTES, seen.size)):
                    part = f"bytes={start}-{end - 1}"
                    file.seek(start)
                    file.write(body_of(partial(self._client.get_object, Bucket=bucket, Key=key, Range=part)))
            yield copy


_NOT_LOOKED_AT = re.compile(rb"<(LastModified|StorageClass|ChecksumAlgorithm|ChecksumType)>[^<]*</\1>")


def _shorten(response_dict: dict[str, Any], **_: object) -> None:
    """Take out of a listing what is not looked at: to parse its dates takes botocore longer than all the rest."""
    response_dict["body"] = _NOT_LOOKED_AT.sub(b"", response_dict["body"])


def download(client: S3Client, uri: str, directory: Path, connections: int = 10) -> Path:
    """Fetch s3://bucket/key into directory under its own name.

    connections: how many a big file may come over (a client keeps 10).
    Raises FileNotFoundError or PermissionError where that is the object's fault, S3Error where the service's.
    """
    from boto3.s3.transfer import TransferConfig

    bucket, _, key = uri.removeprefix("s3://").partition("/")
    name = Path(key).name
    if len(name.encode()) > _NAME_BYTES:  # a key may be 1024 bytes long, a file name 255
        name = hashlib.sha256(key.encode()).hexdigest()[:12] + Path(key).suffix.lower()
    copy = directory / name
    with on_one_line(uri), _faults_of_objects(uri):
        client.download_file(bucket, key, str(copy), Config=TransferConfig(max_concurrency=connections))
    return copy


@contextmanager
def _faults_of_objects(uri: str) -> Iterator[None]:
    """Raises FileNotFoundError or PermissionError for what is an object's fault."""
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as error:
        faults = {404: FileNotFoundError, 403: PermissionError}
        fault = faults.get(error.response["ResponseMetadata"]["HTTPStatusCode"])
        if fault is None:
            raise
        raise fault(f"{uri}: {error.response['Error'].get('Message', error)}") from error
