"""Uploads: streamed to disk as they come, whole or not at all.

A form is read part by part; nothing of a file is held in memory but what came in last. Files come into a folder of
their own below the uploads' workspace, which goes with all that is in it unless the upload is kept; what a killed
server left there goes with the next upload.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from anyio import fail_after, to_thread
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.store import LocalStore, new_directory
from resonate_studio.api.problems import ProblemError
from resonate_studio.references import FOLDER as REFERENCE

VARIABLE = "RESONATE_UPLOAD_BYTES"
DEFAULT_BYTES = 4 * 2**30
AT_ONCE = 4
"""Uploads: each writes to the same disk, and holds its place of the request workers."""
_TEXT_BYTES = 100_000
_HEADER_BYTES = 8_000
_PREAMBLE_BYTES = 100_000
_CHUNK_SECONDS = 30.0
"""Within which more of an upload comes: else it gives its place to another."""
_PARTS = 10
_BLOCK_BYTES = 2**20
_NAME_BYTES = 180
"""Of 255 that a name may have: `<name>.brief.toml` is looked for beside it."""
FILES = ("file", "reference_track", "composition_reference")
TEXTS = ("prompt", "composition", "brief")


@dataclass
class Received:
    """What came with a form. files: name of the part → the file; texts: name of the part → what it says."""

    folder: Path
    files: dict[str, Path] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def keep(self, part: str, storage: StorageResource) -> str:
        """Move a file of it, with what lies beside it, to where it stays, in a folder of its own. Gives its new
        place. Raises OSError."""
        file, beginning = self.files[part], REFERENCE if part == "reference_track" else ""
        return f"{storage.keep_upload(file.parent, f'{beginning}{uuid.uuid4()}')}/{file.name}"

    def has(self, part: str) -> bool:
        return part in self.files or part in self.texts


def most_bytes(environment: dict[str, str] | None = None) -> int:
    """How large an upload may be: RESONATE_UPLOAD_BYTES, or 4 GiB. Raises ValueError, in one line."""
    told = (os.environ if environment is None else environment).get(VARIABLE, "")
    if told and not (told.isascii() and told.isdecimal()):
        raise ValueError(f"{VARIABLE}: {told[:40]!r} is no number of bytes")
    return int(told) if told else DEFAULT_BYTES


@asynccontextmanager
async def receiving(request: Request, uploads: Path, most: int, free: int) -> AsyncIterator[Received]:
    """The form that a request brings, in files that are gone after the block unless they were kept.

    most: bytes of the whole request; free: bytes that stay free on the disk. Raises ProblemError.
    """
    boundary = _boundary(request)
    stated = request.headers.get("content-length", "")
    if stated.isdecimal() and int(stated) > most:
        raise ProblemError(413, f"is larger than {most / 2**30:.3g} GiB, the most that an upload may be")
    await to_thread.run_sync(lambda: uploads.mkdir(parents=True, exist_ok=True))
    if shutil.disk_usage(uploads).free - (int(stated) if stated.isdecimal() else 0) < free:
        raise ProblemError(413, "there is no room for it on the disk; free some space and try again")
    making = new_directory(LocalStore(uploads), "upload")
    folder = await to_thread.run_sync(making.__enter__)
    try:
        form = _Form(Received(folder))
        try:
            await _read(request, boundary, form, most)
        finally:
            form.close()
        yield form.received
    finally:
        await to_thread.run_sync(lambda: making.__exit__(None, None, None))


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data":
        raise ProblemError(415, "send the file as multipart/form-data, in a part called file")
    if not 0 < len(boundary) <= 200:
        raise ProblemError(400, "multipart/form-data without a boundary can't be read")
    return boundary


async def _read(request: Request, boundary: bytes, form: _Form, most: int) -> None:
    try:
        # The form has its own limit for headers, and tells it.
        parser = MultipartParser(boundary, form.callbacks(), max_header_size=most)
        block, size, begun = bytearray(), 0, False
        async for chunk in _in_time(request.stream()):
            size += len(chunk)
            if size > most:
                raise ProblemError(
                    413, f"is larger than {most / 2**30:.3g} GiB, the most that an upload may be"
                )
            block += chunk
            if not begun:
                begun = _leave_preamble_out(block, boundary)
            elif len(block) >= _BLOCK_BYTES:
                await to_thread.run_sync(parser.write, bytes(block))
                block.clear()
        await to_thread.run_sync(parser.write, bytes(block))
        parser.finalize()
    except (FormParserError, ValueError) as error:
        raise ProblemError(400, "the form can't be read: it is no whole multipart/form-data") from error
    except ClientDisconnect as error:
        raise ProblemError(400, "the upload was broken off") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            told = "the disk is full; free some space and try again"
            raise ProblemError(413, told) from error
        raise
    if not form.ended:
        raise ProblemError(400, "the form can't be read: it ends in its midst")


async def _in_time(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    try:
        while True:
            with fail_after(_CHUNK_SECONDS):
                chunk = await anext(stream)
            yield chunk
    except StopAsyncIteration:
        return
    except TimeoutError as error:
        told = f"nothing more of the upload came for {_CHUNK_SECONDS:g} s; send it again"
        raise ProblemError(408, told, {"Connection": "close"}) from error


def _leave_preamble_out(block: bytearray, boundary: bytes) -> bool:
    """Whether the first boundary has come: what is before it says nothing (RFC 2046, 5.1.1)."""
    delimiter = b"--" + boundary
    if block.startswith(delimiter):
        return True
    found = block.find(b"\r\n" + delimiter)
    if found >= 0:
        del block[: found + 2]
    elif len(block) > _PREAMBLE_BYTES:
        raise ProblemError(400, "the form can't be read: its boundary is not in it")
    return found >= 0


class _Form:
    """Takes the parts of a form as a parser finds them."""

    def __init__(self, received: Received) -> None:
        self.received, self.ended = received, False
        self._parts = 0
        self._header: tuple[bytearray, bytearray] = bytearray(), bytearray()
        self._disposition = b""
        self._name = ""
        self._open: IO[bytes] | None = None
        self._text: bytearray | None = None

    def callbacks(self) -> Any:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._adding(lambda: self._header[0], _HEADER_BYTES),
            "on_header_value": self._adding(lambda: self._header[1], _HEADER_BYTES),
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._data,
            "on_part_end": self.close,
            "on_end": self._end,
        }

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None
        if self._text is not None:
            try:
                self.received.texts[self._name] = self._text.decode()
            except UnicodeDecodeError as error:
                raise ProblemError(422, f"{self._name}: is not UTF-8") from error
            self._text = None

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > _PARTS:
            raise ProblemError(422, f"the form has more than {_PARTS} parts")
        self._disposition = b""
        self._header = bytearray(), bytearray()

    def _adding(self, to: Callable[[], bytearray], most: int) -> Callable[[bytes, int, int], None]:
        def add(data: bytes, start: int, end: int) -> None:
            buffer = to()
            buffer += data[start:end]
            if len(buffer) > most:
                told = "the form has a header that is too long; does a file's name fit into it?"
                raise ProblemError(422, told)

        return add

    def _header_end(self) -> None:
        if bytes(self._header[0]).lower() == b"content-disposition":
            self._disposition = bytes(self._header[1])
        self._header = bytearray(), bytearray()

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._name = options.get(b"name", b"").decode(errors="replace")
        filename = options.get(b"filename")
        if self._name in self.received.files or self._name in self.received.texts:
            raise ProblemError(422, f"{self._name}: is there twice; send each file as a job of its own")
        if self._name in FILES:
            if not filename:
                raise ProblemError(422, f"{self._name}: is no file; send it with its name")
            folder = self.received.folder / self._name
            folder.mkdir()
            path = folder / safe_name(filename.decode(errors="replace"))
            self._open = path.open("xb")
            self.received.files[self._name] = path
        elif self._name in TEXTS:
            self._text = bytearray()
        else:
            known = ", ".join((*FILES, *TEXTS))
            raise ProblemError(422, f"the form has a part that is not known; there are {known}")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._open is not None:
            self._open.write(memoryview(data)[start:end])
        elif self._text is not None:
            self._text += data[start:end]
            if len(self._text) > _TEXT_BYTES:
                raise ProblemError(422, f"{self._name}: is longer than {_TEXT_BYTES} bytes")

    def _end(self) -> None:
        self.ended = True


def safe_name(told: str) -> str:
    """A file's name as the client tells it, as a name that can only ever be one: no folders, nothing that can't be
    printed, not hidden, not too long; its ending stays."""
    name = re.split(r"[/\\]", told)[-1]
    name = "".join(letter for letter in name if letter.isprintable()).strip().lstrip(".")
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending.encode()) > 10:
        stem, ending = name, ""
    short = stem.encode(errors="ignore")[:_NAME_BYTES].decode(errors="ignore").strip()
    clean = ending.encode(errors="ignore").decode()
    return f"{short or 'upload'}.{clean}" if clean else (short or "upload")
