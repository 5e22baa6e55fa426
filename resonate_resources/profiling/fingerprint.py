"""Chromaprint's acoustic fingerprint: what a recording sounds like, whatever format it is kept in.

Made by the Chromaprint library through pyacoustid, where the system has that library; nothing else needs it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import BLOCK_FRAMES, Recording

SECONDS = 120.0
"""From the start, as AcoustID takes: two minutes make 3 kB."""

_MOST_SHIFT = 40  # words of an eighth of a second: by 5 s one may begin later
_FEWEST = 24  # words: 3 s
_UNRELATED_BITS = 16.0  # of 32 that differ between words of two recordings that have nothing in common


class FingerprintError(Exception):
    """Why there is no fingerprint, in one line."""


def fingerprint_of(track: Recording) -> str:
    """Of the first SECONDS, compressed and in base 64. Raises FingerprintError where the library is not there, and
    for what is too short or has more than two channels' worth of nothing."""
    try:
        import chromaprint
    except ImportError as error:
        raise FingerprintError("pyacoustid or the Chromaprint library (libchromaprint) is not installed") from error

    maker = chromaprint.Fingerprinter()
    maker.start(track.sample_rate, 1)
    left = round(SECONDS * track.sample_rate)
    for block in track.blocks(BLOCK_FRAMES):
        mono = block[:, :left].mean(axis=0)
        left -= len(mono)
        maker.feed(np.round(mono.clip(-1, 1) * 32_767).astype("<i2").tobytes())
        if left <= 0:
            break
    fingerprint: bytes = maker.finish()
    return fingerprint.decode("ascii")


def alike(one: str, other: str) -> float:
    """0 to 1: how much two fingerprints have in common where they fit best, 0 of unrelated recordings, 1 of the same.

    Raises FingerprintError where the library is not there.
    """
    first, second = _words(one), _words(other)
    best = 0.0
    for shift in range(-_MOST_SHIFT, _MOST_SHIFT + 1):
        here, there = first[max(0, shift) :], second[max(0, -shift) :]
        count = min(len(here), len(there))
        if count < _FEWEST:
            continue
        differing = float(np.bitwise_count(here[:count] ^ there[:count]).mean())
        best = max(best, 1 - differing / _UNRELATED_BITS)
    return best


def _words(fingerprint: str) -> npt.NDArray[np.uint32]:
    try:
        import chromaprint
    except ImportError as error:
        raise FingerprintError("pyacoustid or the Chromaprint library (libchromaprint) is not installed") from error

    words, _ = chromaprint.decode_fingerprint(fingerprint.encode("ascii"))
    return np.array(words, np.int64).astype(np.uint32)
