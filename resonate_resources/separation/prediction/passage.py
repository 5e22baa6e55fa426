"""A window of a mix and its stems as the predictor sees it: inner products and spectra of the mid channel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft

from resonate_resources.recordings.recording import Recording, Samples

FRAME_SECONDS = 2048 / 44100
"""46 ms: notes are parted from each other, strokes from notes."""
BIN_HZ = 1 / FRAME_SECONDS
BINS = int(12000 / BIN_HZ) + 1
"""Up to 12 kHz, at every sample rate; above lies too little to change an energy ratio."""
BLOCK = 21
"""Frames in a block: about a second, over which inner products are taken apart."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Passage:
    """Row 0 of everything is the mix, the others are the stems.

    products: inner products over all channels, (blocks, rows, rows). mid: energy of the mean of the channels,
    (rows,). spectra: of that mean, (rows, time, BINS), frames side by side without overlap. values: samples of
    one row.
    """

    products: Floats
    mid: Floats
    spectra: npt.NDArray[np.complex64]
    values: int


def read_passage(track: Recording, stems: Sequence[Recording], start: int, stop: int) -> Passage:
    """Frames start…stop, read a second at a time. Recordings have the same rate, channels and length."""
    size = frame_size(track.sample_rate)
    return assembled(
        (
            np.stack(
                [recording.read(first, min(first + BLOCK * size, stop)) for recording in (track, *stems)]
            )
            for first in range(start, stop, BLOCK * size)
        ),
        size,
    )


def frame_size(sample_rate: int) -> int:
    """Samples in a frame."""
    return int(fft.next_fast_len(max(2, round(FRAME_SECONDS * sample_rate)), real=True))


def assembled(blocks: Iterable[npt.NDArray[np.float32]], size: int) -> Passage:
    """From consecutive blocks of BLOCK·size samples (the last may be shorter), each (rows, channels, frames)."""
    products, mid, spectra, values = [], [], [], 0
    for rows in blocks:
        flat = rows.reshape(len(rows), -1)
        products.append((flat @ flat.T).astype(np.float64))
        mono = rows.mean(1, dtype=np.float32)
        mid.append(np.square(mono).sum(1))
        spectra.append(_spectra(mono, size))
        values += flat.shape[1]
    return Passage(np.stack(products), np.sum(mid, axis=0), np.concatenate(spectra, axis=1), values)


def _spectra(mono: Samples, size: int) -> npt.NDArray[np.complex64]:
    """(rows, ceil(frames / size), BINS); what a low sample rate has no bins for is zero."""
    times = -(-mono.shape[1] // size)
    padded = np.zeros((len(mono), times * size), np.float32)
    padded[:, : mono.shape[1]] = mono
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)).astype(np.float32)
    found = fft.rfft(padded.reshape(len(mono), times, size) * window, axis=-1)[:, :, :BINS]
    spectra = np.zeros((len(mono), times, BINS), np.complex64)
    spectra[:, :, : found.shape[2]] = found
    return spectra
