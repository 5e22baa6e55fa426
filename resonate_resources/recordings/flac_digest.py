"""The MD5 of its samples that a FLAC file carries (RFC 9639, section 8.2): does what was decoded agree with it?"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from resonate_resources.recordings.decoding_source import Source
from resonate_resources.recordings.recording import Samples

_BITS_MAX = 24
"""Samples of more bits do not survive float32, in which they are compared."""


def check_digest(opened: Source, file: BinaryIO) -> None:
    """Have an opened FLAC file get a note, once its blocks have been read, where its MD5 is another one."""
    header = os.pread(file.fileno(), 42, 0)
    stated = header[26:42]
    bits = (int.from_bytes(header[20:22], "big") >> 4 & 31) + 1
    if header[:4] == b"fLaC" and stated != bytes(16) and 8 <= bits <= _BITS_MAX:
        opened.blocks = _checked(opened, opened.blocks, bits, stated)


def _checked(opened: Source, blocks: Iterator[Samples], bits: int, stated: bytes) -> Iterator[Samples]:
    digest = hashlib.md5(usedforsecurity=False)
    size = -(-bits // 8)
    for block in blocks:
        whole = np.rint(block.T * np.float32(1 << (bits - 1))).astype("<i4", order="C")
        digest.update(whole.view(np.uint8).reshape(-1, 4)[:, :size].tobytes())
        yield block
    if digest.digest() != stated:
        opened.notes.append(
            "the samples are not those that were encoded (the MD5 in the file is another one): damaged, or edited "
            "by a program that left the MD5 as it was"
        )
