"""Loudness and true peak of a stream, in one pass."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonate_resources.parallel import AT_ONCE, ahead
from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.signal.loudness import Loudness, LoudnessMeter
from resonate_resources.signal.true_peak import TruePeakMeter, TruePeakTrace


@dataclass(frozen=True)
class Levels:
    """true_peak_dbtp: of all channels; -inf for silence."""

    loudness: Loudness
    true_peak_dbtp: float


def measure_levels(blocks: Iterable[Samples], sample_rate: int, channels: int) -> Levels:
    """Of blocks of (channels, frames). Raises ValueError for channels that loudness is not defined for."""
    loudness, peak = LoudnessMeter(sample_rate, channels), TruePeakMeter(sample_rate, channels)
    meter(blocks, loudness.update, peak.update)
    return Levels(loudness.measured(), peak.peak())


def trace_levels(
    blocks: Iterable[Samples], sample_rate: int, channels: int, window_frames: int
) -> tuple[Levels, npt.NDArray[np.float64]]:
    """The same, and the true peak of each window in dBTP."""
    loudness, trace = (
        LoudnessMeter(sample_rate, channels),
        TruePeakTrace(sample_rate, channels, window_frames),
    )
    meter(blocks, loudness.update, trace.update)
    peaks = trace.peaks()
    return Levels(loudness.measured(), float(peaks.max(initial=-math.inf))), peaks


def levels_of(recording: Recording) -> Levels:
    """Of a recording, read once."""
    return measure_levels(recording.blocks(), recording.sample_rate, recording.channels)


def meter(blocks: Iterable[Samples], *meters: Callable[[Samples], None]) -> None:
    """Show every block to every meter, meters beside each other."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for block in ahead(iter(blocks)):
            for _ in pool.map(lambda update, block=block: update(block), meters):
                pass
