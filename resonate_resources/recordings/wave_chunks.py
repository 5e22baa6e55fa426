"""The chunks of WAV files: what charset their texts are in, and whether they tell how much audio there is.

Those of recorders that lost power do not, nor those of writers that count wrongly, or only to 4 GiB.
"""

from __future__ import annotations

import codecs
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_TAGS = (b"TAG", b"APETAGEX", b"ID3", b"LYRICSBEGIN")
"""What taggers hang on behind the last chunk, whatever RIFF says."""
_CODE_PAGES = {28591: "latin-1", 28592: "iso8859-2", 28605: "iso8859-15", 65001: "utf-8"}
"""Of Windows' numbers for charsets, those that are no `cp` in Python."""
_OF_A_PIPE = 0x7FFFF000
"""From here on a size says that its writer could not seek back; libsndfile knows."""
_MISCOUNTED_SECONDS = 0.1
"""What is missing beyond that has been cut off; what is left over beyond that is audio, if it is nothing else."""


def note_on_size(file: BinaryIO) -> str | None:
    """Why a RIFF WAV must be read to its end instead of as far as its data chunk goes.

    None where the chunk is right, where so much is missing that the file was cut off, and where it was written to a
    pipe and says so.
    """
    end = os.fstat(file.fileno()).st_size
    found = _data_chunk(file, end)
    if found is None:
        return None
    start, claimed, bytes_per_second = found
    present, some = end - start, _MISCOUNTED_SECONDS * bytes_per_second
    told: str | None = None
    if claimed > present:
        if claimed < _OF_A_PIPE and claimed - present <= some:
            told = f"promises {claimed - present} bytes more than there are"
    elif present > claimed and not _is_chunk(file, start + claimed + claimed % 2, end):
        if claimed == 0:
            told = "states no length"
        elif present - claimed > some and not _is_tag(file, start + claimed):
            told = f"states {claimed} bytes of audio where there are {present}"
    return told and f"the header {told}; read to the end of the file"


def _is_tag(file: BinaryIO, position: int) -> bool:
    return _pread(file, position, 16).lstrip(b"\0").startswith(_TAGS)


def _data_chunk(file: BinaryIO, end: int) -> tuple[int, int, int] | None:
    """Where the audio begins, how many bytes are claimed, how many make a second."""
    bytes_per_second = 0
    for name, start, size in _chunks(file, end):
        if name == b"data":
            return (start, size, bytes_per_second) if bytes_per_second else None
        if name == b"fmt ":
            bytes_per_second = int.from_bytes(_pread(file, start + 8, 4), "little")
    return None


def stated_charset(path: Path) -> str | None:
    """The code page that a WAV says its INFO texts are in (CSET, Multimedia Programming Interface 1.0, 1991)."""
    with path.open("rb") as file:
        for name, start, _ in _chunks(file, os.fstat(file.fileno()).st_size):
            if name == b"CSET":
                page = int.from_bytes(_pread(file, start, 2), "little")
                try:
                    return codecs.lookup(_CODE_PAGES.get(page, f"cp{page}")).name
                except LookupError:
                    return None
    return None


def may_have_texts(path: Path) -> bool:
    """Whether a WAV or AIFF may have texts beside ID3, in chunks of its own: it has such a chunk, or can't be read
    to its end by what its chunks state."""
    with path.open("rb") as file:
        end, reached = os.fstat(file.fileno()).st_size, 0
        for kind in (_WAVE, _AIFF):
            for name, start, size in _chunks(file, end, kind):
                if name in _OF_TEXTS:
                    return True
                reached = start + size + size % 2
    return reached != end


_WAVE = b"RIFF", (b"WAVE",), "<4sI"
_AIFF = b"FORM", (b"AIFF", b"AIFC"), ">4sI"
"""What stands at the beginning, what after its size, and how a chunk begins."""
_OF_TEXTS = (b"LIST", b"NAME", b"AUTH", b"ANNO", b"(c) ")
"""Multimedia Programming Interface 1.0 (1991) and AIFF 1.3 (Apple, 1989)."""


def _chunks(
    file: BinaryIO, end: int, kind: tuple[bytes, tuple[bytes, ...], str] = _WAVE
) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and stated size of the chunks."""
    begins, forms, header = kind
    if _pread(file, 0, 4) != begins or _pread(file, 8, 4) not in forms:
        return
    position = 12
    while position + 8 <= end:
        name, size = struct.unpack(header, _pread(file, position, 8))
        yield name, position + 8, size
        position += 8 + size + size % 2


def _is_chunk(file: BinaryIO, position: int, end: int) -> bool:
    """Whether another chunk stands there that fits into the file, or nothing at all."""
    if end - position < 8:
        return True
    name, size = struct.unpack("<4sI", _pread(file, position, 8))
    return bool(name.isascii() and name.decode("latin-1").isprintable() and position + 8 + size <= end + 1)


def _pread(file: BinaryIO, position: int, size: int) -> bytes:
    return os.pread(file.fileno(), size, position)
