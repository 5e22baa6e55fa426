"""Rubber Band's finer engine (R3), through pedalboard, kept to the tempo that is asked for.

R3 goes through a recording in whole samples: so many in, so many out. As pedalboard calls it, their quotient stands
in for the ratio: up to 0.25 % off, nine seconds an hour. Ratios on either side, in turns, keep to what is asked.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples

_TURN = 4096
"""Samples a ratio holds at least. In turns of some hundred, R3 never gets to what is asked."""
_WITHIN = 0.012  # of the ratio lie two quotients, one on either side, from half to four times as long
_TRIED = 97


def warm_up(sample_rate: int) -> int:
    """Samples at the beginning of what is stretched that come out as they were: half of R3's longest window, the
    power of two over a fifteenth of a second (rubberband 3, `Guide.h`)."""
    return 1 << (math.ceil(math.log2(sample_rate / 15)) - 1)


def stretched(samples: Samples, sample_rate: int, ratios: npt.NDArray[np.float64]) -> Samples:
    """(channels, frames) with every frame as many times as long as ratios (frames,), 0.25…4, say.

    They hold for what is half a window before: see `warm_up`. More comes out at the end than is asked for, of what
    is not there.
    """
    import pedalboard

    speeds = np.ascontiguousarray(1 / in_turns(ratios))
    return np.asarray(
        # Formants are kept only where Rubber Band itself changes pitch, which is not asked of it here.
        pedalboard.time_stretch(
            np.ascontiguousarray(samples), float(sample_rate), speeds, 0.0, preserve_formants=False
        ),
        np.float32,
    )


def in_turns(ratios: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Ratios to be given to R3 so that what it makes of them is, on average, the ratios given; never over half a
    turn's difference of two of its quotients from them."""
    given = np.empty_like(ratios)
    behind = 0.0  # frames that should have come out
    for start in range(0, len(ratios), _TURN):
        turn = slice(start, min(start + _TURN, len(ratios)))
        wanted, frames = float(ratios[turn].mean()), turn.stop - turn.start
        behind, given[turn] = min(
            ((behind + (wanted - made) * frames, ratio) for ratio, made in _neighbours(round(wanted, 6))),
            key=lambda choice: abs(choice[0]),
        )
    return given


@lru_cache(maxsize=4096)
def _neighbours(ratio: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """(ratio to be given, what R3 makes of it) nearest below and above a ratio."""
    tried = ratio * np.linspace(1 - _WITHIN, 1 + _WITHIN, _TRIED)
    told = [(float(each), *_hops(float(each))) for each in tried]
    # Where the samples that come out are rounded is not left to the last digit.
    sure = [(each, out / into) for each, into, out in told if abs(into * each % 1 - 0.5) > 0.1]
    below = max(
        (each for each in sure if each[1] <= ratio), key=lambda each: (each[1], -abs(each[0] - ratio))
    )
    above = min((each for each in sure if each[1] >= ratio), key=lambda each: (each[1], abs(each[0] - ratio)))
    return below, above


def _hops(ratio: float) -> tuple[int, int]:
    """Samples in and out of each step (rubberband 3, `R3Stretcher::calculateHop`)."""
    out = 256.0
    if ratio > 1.5:
        out = 2 ** (8 + 2 * math.log10(ratio - 0.5))
    elif ratio < 1:
        out = 2 ** (8 + 2 * math.log10(ratio))
    into = math.floor(min(max(out, 128.0), 512.0) / ratio)
    return into, round(into * ratio)
