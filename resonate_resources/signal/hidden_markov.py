"""What holds for a while, found in evidence that comes step by step: chords on beats, keys over frames."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Evidence = npt.NDArray[np.float32]
"""Log-likelihood (steps, states), up to a number that is the same for all states of a step."""


def decode(evidence: Evidence, change: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """The likeliest path (steps), by Viterbi, and every state's posterior (steps, states), forward and backward.

    change: how likely a state is to end with its step, 0…1; any other is then as likely as another to follow. See
    Rabiner, "A tutorial on hidden Markov models" (1989).
    """
    return _path(evidence, change), _posterior(evidence, change)


def _path(evidence: Evidence, change: float) -> npt.NDArray[np.int64]:
    steps, states = evidence.shape
    stay, go = np.log(1 - change), np.log(change / (states - 1))
    best = np.empty((steps, states), np.int16)
    own = np.arange(states)
    value = evidence[0].astype(np.float64)
    for step in range(1, steps):
        leader = int(value.argmax())
        stays = value + stay >= value[leader] + go
        best[step] = np.where(stays, own, leader)
        value = np.where(stays, value + stay, value[leader] + go) + evidence[step]
    path = np.empty(steps, np.int64)
    path[-1] = value.argmax()
    for step in range(steps - 1, 0, -1):
        path[step - 1] = best[step, path[step]]
    return path


def _posterior(evidence: Evidence, change: float) -> npt.NDArray[np.float32]:
    steps, states = evidence.shape
    likelihood = np.exp(evidence - evidence.max(axis=1, keepdims=True))
    go = change / (states - 1)
    posterior = np.empty((steps, states), np.float32)
    belief = np.full(states, 1 / states)
    for step in range(steps):
        belief = belief * likelihood[step]
        belief /= belief.sum()
        posterior[step] = belief
        belief = belief * (1 - change - go) + go
    later = np.full(states, 1 / states)
    for step in range(steps - 2, -1, -1):
        later = later * likelihood[step + 1]
        later = later * (1 - change - go) + go * later.sum()
        later /= later.sum()
        posterior[step] *= later
    posterior /= posterior.sum(axis=1, keepdims=True)
    return posterior
