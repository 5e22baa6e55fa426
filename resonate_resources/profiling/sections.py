"""The form of a track as its profile tells it: sections that begin on bars, and their letters."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from resonate_resources.profiling.profile import Section
from resonate_resources.signal.band_levels import Floats
from resonate_resources.signal.sections import find_boundaries, label_sections, seconds_of
from resonate_resources.signal.timbre import TIMBRE_SECONDS

_FARTHEST_S = 3.0  # more than half of the longest bar: 4/4 at 40 BPM


def find_sections(timbre: Floats, grid: npt.NDArray[np.float64], duration: float) -> list[Section]:
    """The sections of a recording, without gaps from 0 to its duration in seconds; they begin on its grid, where it
    is near.

    timbre: (vectors, bands) in dB, one for every 0.51 s. grid: downbeats in seconds, or
    beats; none where there are none.
    """
    if not len(timbre):
        return [Section(start_s=0, end_s=duration, label="A")]
    times = seconds_of(find_boundaries(timbre))
    if len(grid):
        nearest = grid[np.abs(grid - times[:, np.newaxis]).argmin(axis=1)]
        times = np.where(np.abs(nearest - times) < _FARTHEST_S, nearest, times)
    starts = sorted({0.0, *times.tolist()})
    edges = [*(round(start / TIMBRE_SECONDS) for start in starts), len(timbre)]
    labels = label_sections(timbre, edges)
    return [
        Section(start_s=start, end_s=end, label=label)
        for (start, end), label in zip(pairwise([*starts, duration]), labels, strict=True)
    ]
