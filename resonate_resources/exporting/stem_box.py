"""The boxes of an MPEG-4 file (ISO/IEC 14496-12) that make NI Stems of it: track flags, and `moov/udta/stem`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_HEADER = 8
_ENABLED = b"\x00\x00\x01"


def put_stem_box(path: Path, manifest: bytes) -> None:
    """Enable the first track, disable the others, and add a manifest, in a file that ends with its `moov` box, so
    that nothing of it moves. Raises ValueError for others."""
    with path.open("r+b") as file:
        at = _last_box(file, b"moov")
        file.seek(at + _HEADER)
        moov = bytearray(file.read())
        tracks = [(start, end) for name, start, end in _boxes(moov, 0, len(moov)) if name == b"trak"]
        for number, track in enumerate(tracks):
            header = next(start for name, start, _ in _boxes(moov, *track) if name == b"tkhd")
            moov[header + 1 : header + 4] = _ENABLED if number == 0 else bytes(3)  # behind a byte of version
        said = [(start, end) for name, start, end in _boxes(moov, 0, len(moov)) if name == b"udta"]
        user_data = b"".join(moov[start:end] for start, end in said)
        for start, end in reversed(said):
            del moov[start - _HEADER : end]
        moov += _box(b"udta", user_data + _box(b"stem", manifest))
        file.seek(at)
        file.truncate()
        file.write(_box(b"moov", bytes(moov)))


def _box(name: bytes, content: bytes) -> bytes:
    return (_HEADER + len(content)).to_bytes(4, "big") + name + content


def _boxes(data: bytearray, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(name, where its content begins, where it ends) of the boxes between; none in `moov` is over 4 GiB."""
    while start < end:
        size = int.from_bytes(data[start : start + 4], "big")
        yield bytes(data[start + 4 : start + _HEADER]), start + _HEADER, start + size
        start += size


def _last_box(file: BinaryIO, wanted: bytes) -> int:
    """Where the last box of a file begins. Raises ValueError where it is another than is wanted."""
    at, name, end = 0, b"", file.seek(0, 2)
    begins = 0
    while at < end:
        file.seek(at)
        header = file.read(16)
        begins, name = at, header[4:_HEADER]
        size = int.from_bytes(header[:4], "big")
        at += int.from_bytes(header[_HEADER:], "big") if size == 1 else size or end - at
    if name != wanted:
        raise ValueError(f"the file ends with {name!r}, not with {wanted!r}")
    return begins
