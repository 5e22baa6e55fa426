"""How sure beats are: whether there is a pulse at all, and how likely what was decided is right.

Logistic regressions, fitted by cross-validation (`resonate_tests/benchmarks/fit_beats.py`): to songs that the
decisions had not been fitted to, and to the same songs cut into pieces of chance lengths, which have no pulse.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from resonate_resources.profiling.beat_path import RATE

_Doubles = npt.NDArray[np.float64]
_DOUBT = 0.001
"""Less than that is not told apart."""


def pulse_signs(nats: _Doubles, beats: _Doubles) -> _Doubles:
    """(5,): what is heard at beats, and at them or half-way between them, in nats; the share of beats that stand
    out; how much intervals vary, as logarithms; the logarithm of the number of beats."""
    intervals = np.diff(beats, append=2 * beats[-1] - beats[-2])
    last = len(nats) - 1
    on, half = (
        nats[np.clip(np.round(times * RATE), 0, last).astype(int)] for times in (beats, beats + intervals / 2)
    )
    turns = np.abs(np.diff(np.log(intervals[:-1]))).clip(max=0.2)
    return np.array(
        [on.mean(), np.maximum(on, half).mean(), (on > 0).mean(), turns.mean(), np.log(len(beats))]
    )


def log_odds(sure: float) -> float:
    return float(np.log((sure + _DOUBT) / (1 + _DOUBT - sure)))


def certainty(signs: _Doubles, fitted: _Doubles) -> float:
    """0…1. fitted: a weight for each of the signs, and a constant."""
    return float(1 / (1 + np.exp(-(signs @ fitted[:-1] + fitted[-1]))))
