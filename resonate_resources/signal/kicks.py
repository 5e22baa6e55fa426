"""When the kick drum is struck: what other stems make room for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.band_levels import band_levels, bands_between
from resonate_resources.signal.onsets import find_onsets, onset_strength

Seconds = npt.NDArray[np.float64]

_RATE = 800  # Hz
_FRAME, _HOP = 32, 4  # 40 ms, every 5 ms
_KICK_HZ, _ABOVE_HZ = (25.0, 100.0), (150.0, 300.0)
_GAP, _TAIL, _MEAN = 4, 6, 2  # frames between the levels compared; of the tail before; of the attack
# Frames that a stroke is found behind its beginning. Composed songs' kicks then lie 5 ms behind their notes in the
# median, which samples take to sound; one that begins at once lies 2.5 ms before.
_LATE = 1.5
_RISE_DB = 6.0
_APART_S = 0.1
_BODY = 10  # frames from the attack on, in which a kick is fullest
# Of composed songs' kicks nine of ten are no more than 5 dB louder above than below, of their snares nine of ten
# are louder by over 10 (docs/measurements.md).
_BOOM_DB = -8.0
_RANGE_DB = 24.0  # what is further under the loudest strokes within _AROUND is no kick
_AROUND = 2400  # frames: 12 s
_WEAKER_DB, _NEAR = 9.0, 100  # frames: within a quarter second of a kick, what is so much weaker is its tail
_SILENCE_DB = -70.0


def kicks(drums: Recording) -> Seconds:
    """Times in s at which the low end rises by 6 dB and more, 0.1 s apart at least, to within 10 ms.

    Snares and toms, which rise in it too, are louder above it. What a recording begins with counts as struck.
    """
    from scipy.ndimage import maximum_filter1d

    bands = bands_between((_KICK_HZ, _ABOVE_HZ), _RATE, _FRAME)
    levels = band_levels(drums, bands, _RATE, _HOP)
    low = levels[:, 0]
    floor = np.maximum(maximum_filter1d(low, _AROUND) - _RANGE_DB, _SILENCE_DB).astype(np.float32)
    strength = onset_strength(low[:, None], floor[:, None], gap=_GAP, loudest_of=_TAIL, mean_of=_MEAN)
    frames = find_onsets(strength, _RISE_DB, round(_APART_S * _RATE / _HOP))
    # Of frames that come, the loudest: the body of a kick sounds behind its click.
    body = maximum_filter1d(levels, _BODY, axis=0, origin=-(_BODY // 2))
    kick = body[frames, 0] >= body[frames, 1] + _BOOM_DB
    kick &= body[frames, 0] >= floor[frames]  # a floor that moves is no rise
    kick &= body[frames, 0] >= maximum_filter1d(low, _NEAR)[frames] - _WEAKER_DB
    at = (frames[kick] - _LATE) * _HOP / _RATE
    return np.asarray(np.maximum(at, 0.0), np.float64)
