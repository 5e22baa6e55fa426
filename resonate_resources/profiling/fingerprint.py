"""Chromaprint's acoustic fingerprint: what a recording sounds like, whatever format it is kept in.

Made by the Chromaprint library through pyacoustid, where the system has that library; nothing else needs it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.mono import mono_blocks

SECONDS = 120.0
"""From the start, as AcoustID takes: two minutes make 3 kB."""

SHORTEST_S = 3.0

_MOST_SHIFT = 40  # words of an eighth of a second: by 5 s one may begin later
_FEWEST = 16  # words: 2 s
_UNRELATED_BITS = 16.0  # of 32 that differ between words of two recordings that have nothing in common


class FingerprintError(Exception):
    """Why there is no fingerprint, in one line."""


def fingerprint_of(track: Recording) -> str:
    """Of the first SECONDS, compressed and in base 64. Raises FingerprintError where the library is not there, for
    what is shorter than 3 s, and for sample rates that it does not take (1 kHz)."""
    library = _library()
    if track.duration < SHORTEST_S:
        raise FingerprintError(f"shorter than {SHORTEST_S:g} s")
    maker = library.Fingerprinter()
    try:
        maker.start(track.sample_rate, 1)
    except library.FingerprintError as error:
        raise FingerprintError(f"Chromaprint takes no {track.sample_rate} Hz") from error
    left = round(SECONDS * track.sample_rate)
    for block in mono_blocks(track, track.sample_rate):
        maker.feed(np.round(block[:left].clip(-1, 1) * 32_767).astype("<i2").tobytes())
        left -= len(block)
        if left <= 0:
            break
    fingerprint: bytes = maker.finish()
    return fingerprint.decode("ascii")


def alike(one: str, other: str) -> float:
    """How much two fingerprints have in common where they fit best: 0 of unrelated recordings, 1 of the same.

    Raises FingerprintError where the library is not there.
    """
    first, second = words_of(one), words_of(other)
    best = 0.0
    for shift in range(-_MOST_SHIFT, _MOST_SHIFT + 1):
        here, there = first[max(0, shift) :], second[max(0, -shift) :]
        count = min(len(here), len(there))
        if count < _FEWEST:
            continue
        differing = float(np.bitwise_count(here[:count] ^ there[:count]).mean())
        best = max(best, 1 - differing / _UNRELATED_BITS)
    return best


def words_of(fingerprint: str) -> npt.NDArray[np.uint32]:
    """Of 32 bits, one for each eighth of a second; none of what is no fingerprint. Raises FingerprintError where
    the library is not there."""
    library = _library()
    try:
        words, _ = library.decode_fingerprint(fingerprint.encode("ascii"))
    except (library.FingerprintError, UnicodeEncodeError):
        words = []
    return np.array(words, np.int64).astype(np.uint32)


def why_none() -> str | None:
    """Why no fingerprint can be made here, in one line; None where they can."""
    try:
        _library()
    except FingerprintError as error:
        return str(error)
    return None


def _library() -> Any:
    try:
        import chromaprint
    except ImportError as error:
        raise FingerprintError(
            "pyacoustid or the Chromaprint library (libchromaprint) is not installed"
        ) from error
    return chromaprint
