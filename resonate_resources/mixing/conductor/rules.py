"""Moves by rules, at the same desk and with the same tools as a model's."""

from __future__ import annotations

import numpy as np

from resonate_resources.mixing.balance import smoothly
from resonate_resources.mixing.conductor.desk import MIX, Desk
from resonate_resources.mixing.conductor.nuance import BANDS, Judgement, Nuance
from resonate_resources.mixing.kind import DEFECTS, SURE

_LEAST_DB = 0.1  # nobody hears it
_ROUNDS = 100  # by then the defects' shares stand still


def conduct_by_rules(desk: Desk) -> None:
    """Listen to the mix, and take off what it has too much of for its kind, one move at a time, the largest first;
    listen again, until there is nothing left that could be bettered."""
    while True:
        heard = desk.analyze_nuance(MIX)
        assert heard.judgement is not None  # of the mix there always is one
        defects = defects_db(heard.judgement)
        reason = ", ".join(f"{name} by {amount:.1f} dB for its kind" for name, amount in defects.items())
        kept = False
        for band, value_db in _moves(defects, heard).items():
            if desk.closed:
                return
            kept |= desk.adjust_mixing_parameter(MIX, band, value_db, reason).outcome == "kept"
        if not kept:
            return


def defects_db(judgement: Judgement) -> dict[str, float]:
    """How much of each of DEFECTS the mix has, in dB, where they share out among them what it has too much of.

    What is a matter of taste is left: each takes part only by what passes doubted standard deviations, and counts
    in full from one more on. The shares are those of the least squares with a price on every standard deviation
    (lasso, Tibshirani 1996), which has one solution, and one that moves on steadily with what is heard.
    """
    kind = judgement.kind
    shapes = np.array(list(DEFECTS.values()))
    spreads = 1 / np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", shapes, kind.precision, shapes), 1e-12))
    alike = (shapes @ kind.precision @ shapes.T) * np.outer(spreads, spreads)
    deviations = shapes @ kind.pull * spreads
    over = np.zeros(len(shapes))
    for _ in range(_ROUNDS):
        for at in range(len(shapes)):
            others = alike[at] @ over - alike[at, at] * over[at]
            over[at] = max(0.0, deviations[at] - others - judgement.doubted)
    return {
        name: float(spread * (share + judgement.doubted * smoothly(share, 0.0, SURE)))
        for name, share, spread in zip(DEFECTS, over, spreads, strict=True)
        if share > 0
    }


def _moves(defects: dict[str, float], heard: Nuance) -> dict[str, float]:
    """Band → dB, the largest first: each defect taken off by as much as its shape has in the band in the mean."""
    moves = {}
    for band, shape in BANDS.items():
        within = np.array(shape, bool)
        wanted = -sum(
            amount * float(np.array(DEFECTS[name])[within].mean()) for name, amount in defects.items()
        )
        down, up = heard.room_db[band]
        moves[band] = round(min(up, max(down, wanted)), 6)
    largest = sorted(moves, key=lambda band: -abs(moves[band]))
    return {band: moves[band] for band in largest if abs(moves[band]) >= _LEAST_DB}
