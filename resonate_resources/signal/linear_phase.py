"""Filters that move no phase: what passes them still sums with what did not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.signal.octaves import OCTAVES_HZ

Taps = npt.NDArray[np.float64]

_SECONDS = 0.09  # an octave at 63 Hz is told from its neighbours
_LOOP_S = 0.01


def linear_phase(gains_db: Sequence[float], sample_rate: int) -> Taps:
    """Symmetric taps, an odd number, whose gain goes through gains_db at OCTAVES_HZ, straight in log frequency.

    Beyond the ends it stays. An even gain g gives one tap of g.
    """
    from scipy.signal import firwin2

    if np.ptp(gains_db) == 0:
        return np.array([10 ** (gains_db[0] / 20)])
    half = round(_SECONDS * sample_rate / 2)
    hertz = np.concatenate([[0.0], np.geomspace(20.0, sample_rate / 2, 400)])
    curve = np.interp(np.log(np.maximum(hertz, 1.0)), np.log(OCTAVES_HZ), gains_db)
    return np.asarray(firwin2(2 * half + 1, hertz, 10 ** (curve / 20), fs=sample_rate), np.float64)


def filtered(recording: Recording, taps: Taps) -> Iterator[Samples]:
    """The recording's blocks through the taps, without latency, of the same length.

    Before its start and behind its end there is silence; or, where its end goes on smoothly at its start, as in a
    loop, itself.
    """
    from scipy.signal import oaconvolve

    half = len(taps) // 2
    if not half:
        for block in recording.blocks():
            yield np.asarray(block * np.float32(taps[0]), np.float32)
        return
    silence = np.zeros((recording.channels, half), np.float32)
    before, after = silence, silence
    if is_loop(recording) and recording.frames >= half:
        before, after = recording.read(recording.frames - half), recording.read(0, half)
    held = before
    for block in _with(recording.blocks(), after):
        held = np.concatenate([held, block], axis=1)
        if held.shape[1] > 2 * half:
            yield np.asarray(oaconvolve(held, taps[None], mode="valid", axes=1), np.float32)
            held = held[:, -2 * half :]


def is_loop(recording: Recording) -> bool:
    """Whether the step from the last frame to the first is no larger than steps in the 10 ms beside it, and there
    is sound."""
    frames = max(2, round(_LOOP_S * recording.sample_rate))
    first, last = recording.read(0, frames), recording.read(recording.frames - frames)
    if first.shape[1] < 2:
        return False
    inside = max(float(np.abs(np.diff(part, axis=1)).max()) for part in (first, last))
    return 0 < float(np.abs(first[:, 0] - last[:, -1]).max()) <= inside


def _with(blocks: Iterator[Samples], after: Samples) -> Iterator[Samples]:
    yield from blocks
    yield after
