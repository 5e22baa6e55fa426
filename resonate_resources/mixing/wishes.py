"""What is wished of the stems, and how much of it they are worth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from resonate_resources.mixing.holdings import Holdings
from resonate_resources.mixing.plan import EVEN, Octaves

Floats = npt.NDArray[np.float64]

_MASKED_DB = -30.0  # so far under the window's whole, what is not its own may also be
_QUIET_DB = -50.0  # and so far under the track's mean octave: windows that fade out
_MOST_DB = 40.0


@dataclass(frozen=True)
class Wishes:
    """In dB: gains and tones of stems by name, and a tone of all together. What is not named stays."""

    gains_db: Mapping[str, float]
    tones_db: Mapping[str, Octaves] = field(default_factory=dict)
    tone_db: Octaves = EVEN

    def tone_of(self, stem: str) -> Octaves:
        return self.tones_db.get(stem, EVEN)


def bounded(wishes: Wishes, holdings: Holdings, bound_db: float) -> Wishes:
    """What may be done of it: a stem at gain g against the others moves (g − 1)² of what it holds that is not its
    own, which is kept bound_db against the mix in every window and octave. First the gains, then the tones by what
    room they leave. A gain that all have in common moves nothing against anything, and is taken off before; a tone
    of all moves nothing against anything, and stays.

    What one stem holds of another, that one lacks: where several move, errors add up by amplitude.
    """
    names = list(wishes.gains_db)
    used = used_by_a_move(holdings, bound_db)
    common_db = common_gain_db(wishes, holdings)
    moves = {}
    for name in names:
        room = 1 / max(float(used[name].max()), 10 ** (-_MOST_DB / 20))
        moves[name] = float(
            np.clip(10 ** ((wishes.gains_db[name] - common_db) / 20) - 1, -min(room, 0.99), room)
        )
    spent = np.sum([abs(move) * used[name] for name, move in moves.items()], axis=0)
    share = 1 / max(1.0, float(spent.max()))
    gains = {name: 1 + move * share for name, move in moves.items()}
    tones = {name: gains[name] * (10 ** (np.array(wishes.tone_of(name)) / 20) - 1) for name in names}
    wanted = np.sum([np.abs(tone) * used[name] for name, tone in tones.items()], axis=0)
    left = 1 - spent * share
    part = np.min(np.where(wanted > left, left / np.maximum(wanted, 1e-30), 1.0), axis=0)
    return Wishes(
        {name: 20 * float(np.log10(gain)) for name, gain in gains.items()},
        {
            name: tuple((20 * np.log10(1 + part * tone / gains[name])).tolist())
            for name, tone in tones.items()
        },
        wishes.tone_db,
    )


def used_by_a_move(holdings: Holdings, bound_db: float) -> dict[str, Floats]:
    """Stem → (windows, octaves): how much of the bound a move by 1 takes, as amplitude."""
    mix = holdings.mix
    spare = 10 ** (bound_db / 10) * (
        mix
        + 10 ** (_MASKED_DB / 10) * mix.sum(axis=1, keepdims=True)
        + 10 ** (_QUIET_DB / 10) * mix.mean(axis=0, keepdims=True)
    )
    return {name: np.sqrt(astray / np.maximum(spare, 1e-30)) for name, astray in holdings.astray.items()}


def common_gain_db(wishes: Wishes, holdings: Holdings) -> float:
    """The gain at which the sum over stems of astray·(g/common − 1)² is near its least: their mean by astray."""
    weights = {name: float(holdings.astray[name].sum()) for name in wishes.gains_db}
    whole = sum(weights.values())
    if whole <= 0:
        return 0.0
    mean = sum(weights[name] * 10 ** (gain_db / 20) for name, gain_db in wishes.gains_db.items()) / whole
    return 20 * math.log10(mean)
