"""Onsets: where the level of bands rises, and where it rises most.

Spectral flux (Bello et al., "A Tutorial on Onset Detection in Music Signals", IEEE TSAP 2005, §III) with what it is
measured between left open: beats are heard from one frame to the next over the whole spectrum, an attack by the
level that follows it, a drum by one band. Separation's cues of how percussive a bin is, and its telltales of how
much stems rise, are no onsets: they have no times, and were fitted as they are.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

Floats = npt.NDArray[np.float32]


def onset_strength(
    levels: Floats,
    floor: float | Floats,
    *,
    gap: int = 1,
    loudest_of: int = 1,
    mean_of: int = 1,
) -> Floats:
    """(frames,): by how much the bands rise, mean over bands; falls count as nothing. In the unit of the levels.

    levels: (frames, bands), on a scale on which a difference is heard as one: dB, or a root of power. floor: what
    lies below it is as silent as it, one for all or (frames, 1). What comes before the first frame is at the floor.
    A frame rises from the loudest of `loudest_of` frames that end `gap` frames before it, so that a tail that only
    fluctuates does not rise, to the mean of `mean_of` frames that begin with it.
    """
    from scipy.ndimage import uniform_filter1d

    following = uniform_filter1d(
        np.maximum(levels, floor), mean_of, axis=0, origin=-(mean_of // 2), mode="nearest"
    )
    padded = np.pad(levels, ((gap + loudest_of - 1, 0), (0, 0)), constant_values=-np.inf)
    preceding = sliding_window_view(padded, loudest_of, axis=0)[: len(levels)].max(axis=-1)
    # Both against one floor: where it moves, it is no level that rises.
    rise = following - np.maximum(preceding, floor)
    return np.asarray(rise.clip(min=0).mean(axis=1), np.float32)


def find_onsets(strength: Floats, least: float, apart: int) -> npt.NDArray[np.intp]:
    """The frames at which onset strength peaks at `least` or more, `apart` frames or more from a stronger one.

    The first and the last frame may be peaks, too. What is struck lies between the levels that were compared: half
    of the strength's gap before its frame.
    """
    from scipy.signal import find_peaks

    peaks: npt.NDArray[np.intp] = find_peaks(np.pad(strength, 1), height=least, distance=apart)[0]
    return peaks - 1
