"""When drums are struck in their low end: what other stems make room for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.mono import mono_blocks, overlapping_frames
from resonate_resources.signal.onsets import find_onsets, onset_strength

Seconds = npt.NDArray[np.float64]

_RATE = 400  # Hz: what lies under 180 Hz is left
_FRAME, _HOP = 8, 2  # 20 ms, every 5 ms
_GAP, _TAIL, _MEAN = 2, 6, 2  # frames between the levels compared; of the tail before; of the attack
_RISE_DB = 6.0
_APART_S = 0.1
_RANGE_DB = 24.0  # what is further under the loudest strokes within _AROUND is no kick
_AROUND = 2400  # frames: 12 s
_SILENCE_DB = -70.0


def kicks(drums: Recording) -> Seconds:
    """Times in s at which the low end rises by 6 dB and more, 0.1 s apart at least, to within 10 ms.

    What a recording begins with counts as struck.
    """
    from scipy.ndimage import maximum_filter1d

    parts = [
        10 * np.log10(np.mean(np.square(frames), axis=1) + 1e-12)
        for frames in overlapping_frames(mono_blocks(drums, _RATE), _FRAME, _HOP)
    ]
    levels = np.concatenate([*parts, np.zeros(0)]).astype(np.float32)
    if not len(levels):
        return np.zeros(0)
    floor = np.maximum(maximum_filter1d(levels, _AROUND) - _RANGE_DB, _SILENCE_DB).astype(np.float32)
    strength = onset_strength(levels[:, None], floor[:, None], gap=_GAP, loudest_of=_TAIL, mean_of=_MEAN)
    frames = find_onsets(strength, _RISE_DB, round(_APART_S * _RATE / _HOP))
    return np.asarray(np.maximum(frames * _HOP / _RATE, 0.0), np.float64)
