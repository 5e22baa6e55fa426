"""A soft clipper, four times oversampled: the few highest peaks are rounded off, each channel's by itself.

Why not pedalboard's: its Clipping and Distortion work at the sample rate, so that overtones over half of it come
back as tones that belong to nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.signal.blocks import with_context, within
from resonate_resources.signal.linear_phase import is_loop, looped
from resonate_resources.signal.true_peak import BEFORE, interpolation_matrix, peaks_between

_OVERSAMPLING = 4
_ROW = 64  # frames that are interpolated at a time: what interpolation_matrix is made for
_REACH = 32
"""Frames on either side of a peak over which what is taken off it is spread."""
_KAISER_BETA = 8.0  # with so many frames: from 24 kHz on, at 44.1, what would alias is 80 dB down
_AT_ONCE = 256  # rows that fit the processor's cache
_CONTEXT = 2 * _ROW  # what a row reaches, and what its interpolation looks at


class SoftClipper:
    """Takes most_db off what is at peak_dbtp, the true peak, and the less of what is lower.

    Under a knee samples pass as they are, bit for bit. From there on the slope falls evenly, from 1 to 0 at the
    peak: no curve that takes so much off bends less sharply. The less it takes, the nearer to the peak is its knee.
    """

    def __init__(self, peak_dbtp: float, most_db: float) -> None:
        """most_db: over 0, up to 6."""
        peak = 10 ** (peak_dbtp / 20)
        self._taken = np.float32(peak * (1 - 10 ** (-most_db / 20)))
        self._knee = np.float32(peak) - 2 * self._taken
        self._up, self._down = interpolation_matrix(_OVERSAMPLING), _decimation_matrix()

    def clipped(self, source: Recording) -> Iterator[Samples]:
        """The recording's blocks of (channels, frames), without latency, of the same length; a loop stays one."""
        around = min(_CONTEXT, source.frames) if is_loop(source) else 0
        stream = with_context(looped(source, around), _CONTEXT)
        return within(map(self._inner, stream), around, around + source.frames)

    def _inner(self, held: Samples) -> Samples:
        """held: with _CONTEXT on both sides."""
        between = peaks_between(held, self._up).reshape(-1, _ROW)
        rows = len(between)
        at = held[:, BEFORE : BEFORE + rows * _ROW].reshape(len(held), rows, _ROW)
        highest = np.maximum(between, np.abs(at).max(axis=0)).max(axis=1)
        # The first frame that each row reaches.
        first = BEFORE - _REACH + _ROW * np.arange(rows)
        within_reach = (first + _ROW + 2 * _REACH > _CONTEXT) & (first < held.shape[1] - _CONTEXT)
        over = np.flatnonzero((highest > self._knee) & within_reach)
        made = held[:, _CONTEXT:-_CONTEXT]
        if not over.size:
            return made
        windows = np.lib.stride_tricks.sliding_window_view(held, len(self._up), axis=1)[:, ::_ROW]
        total = held.copy()
        for rows_here in np.array_split(over, -(-over.size // _AT_ONCE)):
            values = np.concatenate([at[:, rows_here], windows[:, rows_here] @ self._up], axis=2)
            added = self._bent(values) @ self._down
            for number, start in enumerate(first[rows_here].tolist()):
                total[:, start : start + added.shape[2]] += added[:, number]
        return total[:, _CONTEXT:-_CONTEXT]

    def _bent(self, values: Samples) -> Samples:
        """What is added to values so that they are clipped."""
        excess = np.maximum(np.abs(values) - self._knee, 0)
        bending = np.minimum(excess, 2 * self._taken)
        taken = np.square(bending) / (4 * self._taken) + (excess - bending)
        return np.asarray(-np.sign(values) * taken, np.float32)


def _decimation_matrix() -> npt.NDArray[np.float32]:
    """Takes 64 frames of four phases, phase by phase as `interpolation_matrix` has them, to the 64 + 2 · 32 frames
    that they reach: a low-pass at half the rate, as a matrix."""
    from scipy.signal import firwin

    half = _OVERSAMPLING * _REACH
    taps = firwin(2 * half + 1, 1 / _OVERSAMPLING, window=("kaiser", _KAISER_BETA))
    phase, frame = np.divmod(np.arange(_OVERSAMPLING * _ROW), _ROW)
    reached = np.arange(-_REACH, _ROW + _REACH)
    offsets = (_OVERSAMPLING * frame + phase)[:, None] - _OVERSAMPLING * reached
    inside = np.abs(offsets) <= half
    return np.where(inside, taps[np.where(inside, offsets + half, 0)], 0.0).astype(np.float32)
