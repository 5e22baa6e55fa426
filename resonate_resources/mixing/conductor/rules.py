"""Moves by rules, at the same desk and with the same tools as a model's."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from resonate_resources.mixing.conductor.desk import MIX, Desk
from resonate_resources.mixing.conductor.nuance import BANDS, Nuance
from resonate_resources.mixing.kind import DEFECTS

_LEAST_DB = 0.1  # nobody hears it


def conduct_by_rules(desk: Desk) -> None:
    """Listen to the mix, and take off what it has too much of for its kind, one move at a time, the largest first;
    listen again, until there is nothing left that could be bettered."""
    while True:
        heard = desk.analyze_nuance(MIX)
        assert heard.judgement is not None  # of the mix there always is one
        defects = heard.judgement.defects_db()
        reason = ", ".join(f"{name} by {amount:.1f} dB for its kind" for name, amount in defects.items())
        kept = False
        for band, value_db in _moves(defects, heard).items():
            if desk.closed:
                return
            kept |= desk.adjust_mixing_parameter(MIX, band, value_db, reason).outcome == "kept"
        if not kept:
            return


def _moves(defects: Mapping[str, float], heard: Nuance) -> dict[str, float]:
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
