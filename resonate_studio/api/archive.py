"""One zip of what is asked for, written while it is sent: nothing of it is held, on disk one file at a time."""

from __future__ import annotations

import threading
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, cast

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from resonate_resources.exporting.names import file_name
from resonate_resources.recordings.encoding import encode_flac, encode_wav
from resonate_resources.recordings.lossy import encode_lossy
from resonate_resources.recordings.recording import Recording, write_recording
from resonate_resources.signal.resampling import at_rate
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.sources import Source
from resonate_resources.storage.store import new_directory
from resonate_studio.api.addresses import is_for_people
from resonate_studio.api.downloads import spoken_name
from resonate_studio.api.problems import ProblemError, not_found

Format = Literal["wav", "flac", "mp3", "m4a", "opus"]
PARTS: dict[str, str] = {
    "original": "raw_track",
    "restored_track": "restored_track",
    "mix": "mix",
    "master": "master",
    "stems": "stems",
    "restored_stems": "restored_stems",
    "regenerated_stems": "regenerated_stems",
    "midi": "midi",
}
"""What may be asked for → the stage that makes it."""
_BLOCK_BYTES = 2**20
_UNDER_WAY = 8
_OF_ONE_CLIENT = 3
_ENCODED_AT_ONCE = 2
"""Each takes a core."""
_MOST_CHANNELS = {"flac": 8, "mp3": 6, "m4a": 6, "opus": 6}


@dataclass(frozen=True)
class Wanted:
    """bits: of WAV and FLAC (32, float, in WAV alone); rate in Hz, None: as they are."""

    form: Format = "wav"
    bits: Literal[16, 24, 32] = 24
    rate: int | None = None


@dataclass(frozen=True)
class Member:
    """folder: in the archive, with its slash."""

    artefact: Artefact
    name: str
    folder: str


def members(storage: StorageResource, track: str, what: Sequence[str], wanted: Wanted) -> list[Member]:
    """The files that are asked for, all of which are there. Raises ProblemError."""
    unknown = [part for part in what if part not in PARTS]
    if unknown:
        raise ProblemError(422, f"what: {unknown[0]} is not known; there are {', '.join(PARTS)}")
    found: list[Member] = []
    for part in dict.fromkeys(what):
        artefact = storage.artefacts.current(PARTS[part], track)
        if artefact is None:
            raise not_found(f"{part}: is not made yet")
        names = [name for name in artefact.manifest.files if is_for_people(name)]
        kept = [name for name in names if name.endswith(".mid" if part == "midi" else ".wav")]
        if part == "master" and not kept:
            raise not_found("master: there is no WAV of it to make other files from")
        folder = (
            "" if part in ("original", "mix", "master") or len(what) == 1 else f"{part.replace('_', ' ')}/"
        )
        found += [Member(artefact, name, folder) for name in kept]
    for member in found:
        if not member.name.endswith(".mid"):
            channels = member.artefact.recording(member.name).channels
            if channels > _MOST_CHANNELS.get(wanted.form, channels):
                raise ProblemError(422, f"format: {wanted.form} does not hold {channels} channels; take wav")
    return found


class Places:
    """How many archives may be on their way, in all and to one client, and how many files are encoded at once: a
    place to encode is not held while a client takes what was."""

    def __init__(self) -> None:
        self.encoding = threading.BoundedSemaphore(_ENCODED_AT_ONCE)
        self._counting = threading.Lock()
        self._clients: Counter[str] = Counter()

    def take(self, client: str) -> Callable[[], None]:
        """A place, and what gives it back. Raises ProblemError where there is none."""
        with self._counting:
            if self._clients[client] >= _OF_ONE_CLIENT or self._clients.total() >= _UNDER_WAY:
                self._clients += Counter()  # those of none go
                told = "as many archives as may be are on their way; try again when one is there"
                raise ProblemError(429, told, {"Retry-After": "5"})
            self._clients[client] += 1

        def give_back() -> None:
            with self._counting:
                self._clients[client] -= 1
                self._clients += Counter()

        return give_back


class ArchiveResponse(StreamingResponse):
    """Gives its place back however it ends. ended: called then."""

    def __init__(self, content: Iterator[bytes], headers: dict[str, str], ended: Callable[[], None]) -> None:
        super().__init__(content, headers=headers, media_type="application/zip")
        self._ended = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._ended()


def archive(
    storage: StorageResource, track: str, chosen: Sequence[Member], wanted: Wanted, places: Places
) -> Iterator[bytes]:
    """The bytes of the zip. Its files are stored, not packed: sound does not get smaller by it."""
    source = storage.sources.find(track)
    pipe = _Pipe()
    with zipfile.ZipFile(cast("IO[bytes]", pipe), "w", zipfile.ZIP_STORED, allowZip64=True) as packed:
        for member in chosen:
            called = spoken_name(member.artefact, member.name, source)
            with new_directory(storage.store, "archive") as scratch:
                with places.encoding:
                    path, ending = _made(member, wanted, scratch)
                name = f"{member.folder}{called.rpartition('.')[0]}.{ending}"
                with (
                    path.open("rb") as file,
                    packed.open(zipfile.ZipInfo(name), "w", force_zip64=True) as entry,
                ):
                    while block := file.read(_BLOCK_BYTES):
                        entry.write(block)
                        yield pipe.taken()
            yield pipe.taken()
    yield pipe.taken()


def called(source: Source | None) -> str:
    """What the archive is called."""
    artist, title = (source.artist, source.title) if source else (None, None)
    return file_name(artist, title, "Resonate", "zip")


def _made(member: Member, wanted: Wanted, scratch: Path) -> tuple[Path, str]:
    """The file in the format that is wanted, and that format's ending: as it lies there, where it is so."""
    if member.name.endswith(".mid"):
        return member.artefact.path(member.name), "mid"
    recording = member.artefact.recording(member.name)
    if wanted.rate is not None and wanted.rate != recording.sample_rate:
        recording = _resampled(recording, wanted.rate, scratch / "resampled.wav")
    path = scratch / f"file.{wanted.form}"
    if wanted.form == "wav":
        encode_wav(recording, path, wanted.bits)
    elif wanted.form == "flac":
        encode_flac(recording, path, 16 if wanted.bits == 16 else 24)
    else:
        encode_lossy(recording, path, wanted.form)
    return path, wanted.form


def _resampled(recording: Recording, rate: int, path: Path) -> Recording:
    frames = round(recording.frames * rate / recording.sample_rate)
    with write_recording(path, rate, recording.channels, frames) as writer:
        for block in at_rate(recording.blocks(), recording.sample_rate, rate, recording.channels, frames):
            writer.write(block)
    return Recording.open(path)


class _Pipe:
    """What a zip is written to, which can't be gone back in: it is on its way already."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> int:
        self._written += data
        return len(data)

    def flush(self) -> None:
        return

    def taken(self) -> bytes:
        """What was written since the last time."""
        data = bytes(self._written)
        self._written.clear()
        return data
