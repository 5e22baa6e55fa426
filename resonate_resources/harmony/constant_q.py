"""The constant-Q spectrum that chord networks were trained on: librosa's `hybrid_cqt`, of any stretch by itself.

Octave by octave from the highest down, each at half the rate of the one above, so that one bank of kernels serves
all (Schörkhuber and Klapuri, "Constant-Q transform toolbox for music processing", 2010).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from resonate_resources.signal.mono import Mono

SAMPLE_RATE = 22050
HOP = 512
PER_OCTAVE = 36
OCTAVES = 7
BINS = PER_OCTAVE * OCTAVES
MARGIN = 40 * HOP
"""Samples on either side of a stretch that its frames look into: half the longest kernel, and the decimation."""
_LOWEST_HZ = 440 * 2 ** (-45 / 12)  # C1: of librosa's bins, from F#0 up, the first that the networks see
_Q = (2 ** (2 / PER_OCTAVE) + 1) / (2 ** (2 / PER_OCTAVE) - 1)  # `librosa.filters.wavelet_lengths`
_KERNEL = 576  # the longest of the highest octave has 547 samples, and 563 a quarter tone below
_FRAME = 1024  # of the spectrum in which phases do not count
_PHASELESS = 512  # samples of the longest kernel whose phases do not count

Spectrum = npt.NDArray[np.float32]


class Stretch(NamedTuple):
    """samples: with what its frames, and `before` and `after` more, look into; first: its own first frame."""

    samples: Mono
    first: int
    before: int
    after: int


def stretches(blocks: Iterator[Mono], frames: int, length: int, context: int = 0) -> Iterator[Stretch]:
    """Stretches of equal length, `length` frames at most, which together are all frames; context: frames on either
    side that are heard with them. blocks: at 22,050 Hz."""
    starts = np.linspace(0, frames, -(-frames // length) + 1).astype(int)
    pending: Mono = np.zeros(MARGIN, np.float32)  # from MARGIN samples before frame `begin` on
    begin = 0
    for first, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        before, after = min(context, first), min(context, frames - end)
        pending = pending[(first - before - begin) * HOP :]
        begin = first - before
        wanted = (end + after - begin) * HOP + 2 * MARGIN
        parts = [pending]
        missing = wanted - len(pending)
        while missing > 0 and (block := next(blocks, None)) is not None:
            parts.append(block)
            missing -= len(block)
        pending = np.concatenate([*parts, np.zeros(max(0, missing), np.float32)])
        yield Stretch(pending[:wanted], first, before, after)


def constant_q(samples: Mono, tuning_cents: float = 0.0) -> Spectrum:
    """Magnitudes (frames, 252): 36 bins an octave from C1 up, scaled by the root of the kernels' lengths.

    samples: at 22,050 Hz, MARGIN more on either side than is asked for. Frames are 512 samples apart, the first
    centred on samples[MARGIN], the last less than 512 before samples[−MARGIN]. tuning_cents: of A4, from 440 Hz.
    """
    from scipy.signal import firwin, oaconvolve

    frames = -(-(len(samples) - 2 * MARGIN) // HOP)
    kernels, phaseless = _kernels(round(tuning_cents, 1))
    halving = firwin(31, 0.5, window=("kaiser", 8.0)).astype(
        np.float32
    )  # 80 dB down from 0.75 of the new Nyquist
    spectrum = np.empty((frames, BINS), np.float32)

    windows = _windows(samples, MARGIN, _FRAME, HOP)[:frames] * np.hanning(_FRAME + 1)[:-1].astype(np.float32)
    spectrum[:, BINS - len(phaseless) :] = (
        np.abs(np.fft.rfft(windows, axis=1)).astype(np.float32) @ phaseless.T
    )
    highest = PER_OCTAVE - len(phaseless)
    for octave in range(OCTAVES):
        if octave:
            samples = oaconvolve(samples, halving, mode="same")[::2]
        parts = _windows(samples, MARGIN >> octave, _KERNEL, HOP >> octave)[:frames] @ kernels
        magnitudes = np.hypot(parts[:, :PER_OCTAVE], parts[:, PER_OCTAVE:]) * np.float32(2 ** (octave / 2))
        start = BINS - PER_OCTAVE * (octave + 1)
        count = PER_OCTAVE if octave else highest
        spectrum[:, start : start + count] = magnitudes[:, :count]
    return spectrum


def _windows(samples: Mono, first: int, size: int, hop: int) -> npt.NDArray[np.float32]:
    """Windows (n, size), the first centred on samples[first]."""
    return sliding_window_view(samples[first - size // 2 :], size)[::hop]


@lru_cache(maxsize=4)
def _kernels(tuning_cents: float) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Real and imaginary kernels of the highest octave (samples, 2 × 36), and the magnitudes (bins, lines) of the
    spectra of those whose phases do not count."""
    lowest = _LOWEST_HZ * 2 ** (tuning_cents / 1200 + OCTAVES - 1)
    hertz = lowest * 2 ** (np.arange(PER_OCTAVE) / PER_OCTAVE)
    lengths = _Q * SAMPLE_RATE / hertz
    kernels = np.zeros((PER_OCTAVE, _KERNEL), np.complex128)
    for kernel, frequency, length in zip(kernels, hertz, lengths, strict=True):
        times = np.arange(-length // 2, length // 2)
        window = np.hanning(len(times) + 1)[:-1]
        start = (_KERNEL - len(times)) // 2
        turns = times * frequency / SAMPLE_RATE
        kernel[start : start + len(times)] = np.exp(2j * np.pi * turns) * window / window.sum()
    kernels *= np.sqrt(lengths)[:, None]
    phaseless = np.abs(np.fft.fft(kernels[lengths <= _PHASELESS], _FRAME, axis=1)[:, : _FRAME // 2 + 1])
    # librosa divides these by the roots of the frame and of the kernel's length twice over.
    phaseless *= (np.sqrt(lengths[lengths <= _PHASELESS]) / _FRAME**1.5)[:, None]
    return np.concatenate([kernels.real, kernels.imag]).T.astype(np.float32), phaseless.astype(np.float32)
