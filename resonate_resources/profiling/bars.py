"""Which beats begin bars, and of how many beats: a hidden Markov model over places in bars of two, three and four.

What is heard at a beat tells its place by a linear classifier, fitted to songs whose bars are known
(`resonate_tests/benchmarks/fit_beats.py`); bars go on as they began, and change their metre seldom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from resonate_resources.signal.band_levels import Floats

METRES = (2, 3, 4)
PLACES = np.array([(beats, place) for beats in METRES for place in range(beats)])
"""(9, 2): beats of a bar, and which of them."""
_NEW_METRE, _CUT_SHORT = -14.0, -14.0
"""What a change of metre costs, in nats, and a bar that ends before its time."""
_WEIGHTS = resources.files("resonate_resources.profiling") / "beats.npz"
_Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Bars:
    """For each beat: how many its bar has, which of them it is (0: a downbeat), and how sure that is, 0…1.

    fit: mean log likelihood of a beat, in nats.
    """

    beats_per_bar: npt.NDArray[np.int64]
    place: npt.NDArray[np.int64]
    sure: _Doubles
    fit: float


@lru_cache(maxsize=1)
def weights() -> dict[str, _Doubles]:
    with resources.as_file(_WEIGHTS) as path, np.load(path) as stored:
        return {name: stored[name].astype(np.float64) for name in stored.files}


def described(features: Floats) -> _Doubles:
    """(beats, columns) of `beat_features.at_beats`, each against its neighbours, its song's mean and deviation."""
    values = features.astype(np.float64)
    values[:, 2:9] = np.sqrt(values[:, 2:9])
    values[:, 9:] = np.log(values[:, 9:] + 0.05)
    mean = values.mean(axis=0)
    values = (values - mean) / (values.std(axis=0) + 0.15)
    around = [values, np.roll(values, 1, axis=0), np.roll(values, -1, axis=0)]
    between = np.tile(mean[9:], (len(values), 1))
    return np.column_stack([*around, between, np.ones(len(values))])


def find_bars(features: Floats, classifier: _Doubles) -> Bars:
    """The bars of beats that follow upon each other. features: (beats, 14) of `beat_features.at_beats`.

    classifier: (columns, 9), "places" of `beats.npz`.
    """
    emitted = _heard(features, classifier)
    moves = _moves()
    forward, came = np.empty_like(emitted), np.empty(emitted.shape, np.int64)
    best = forward[0] = emitted[0]
    for beat in range(1, len(emitted)):
        options = best[:, np.newaxis] + moves
        came[beat] = options.argmax(axis=0)
        best = options.max(axis=0) + emitted[beat]
        forward[beat] = np.logaddexp.reduce(forward[beat - 1][:, np.newaxis] + moves, axis=0) + emitted[beat]
    path = np.empty(len(emitted), np.int64)
    path[-1] = best.argmax()
    for beat in range(len(emitted) - 1, 0, -1):
        path[beat - 1] = came[beat, path[beat]]
    backward = np.zeros_like(emitted)
    for beat in range(len(emitted) - 2, -1, -1):
        backward[beat] = np.logaddexp.reduce(moves + emitted[beat + 1] + backward[beat + 1], axis=1)
    total = np.logaddexp.reduce(forward[-1])
    chosen = np.arange(len(path)), path
    sure = np.exp(forward[chosen] + backward[chosen] - total)
    return Bars(PLACES[path, 0], PLACES[path, 1], sure, float(best.max()) / len(path))


def bar_fits(pulses: Sequence[Floats], classifier: _Doubles) -> _Doubles:
    """(pulses,): the `fit` that `find_bars` would tell of each, all of them at once."""
    counts = np.array([len(features) for features in pulses])
    heard = np.zeros((counts.max(), len(pulses), len(PLACES)))
    for number, features in enumerate(pulses):
        heard[: len(features), number] = _heard(features, classifier)
    moves = _moves()
    best = heard[0]
    for beat in range(1, len(heard)):
        after = (best[:, :, np.newaxis] + moves).max(axis=1) + heard[beat]
        best = np.where(beat < counts[:, np.newaxis], after, best)
    return np.asarray(best.max(axis=1) / counts)


def _heard(features: Floats, classifier: _Doubles) -> _Doubles:
    """(beats, 9): log likelihood of each place against all of them being as likely."""
    scores = described(features) @ classifier
    return np.asarray(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True) + np.log(len(PLACES)))


def _moves() -> _Doubles:
    """(9, 9): what it costs to go from a place to the next, in nats."""
    (beats, place), (after, then) = PLACES.T[:, :, np.newaxis], PLACES.T[:, np.newaxis, :]
    moves = np.full((len(PLACES), len(PLACES)), -np.inf)
    moves[np.broadcast_to(then == 0, moves.shape)] = _CUT_SHORT
    moves[(place == beats - 1) & (then == 0)] = _NEW_METRE
    moves[(after == beats) & (then == (place + 1) % beats)] = 0
    return moves
