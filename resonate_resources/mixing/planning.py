"""From what is wished and what the stems are worth to a plan of the mix."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from resonate_resources.mixing.balance import gains_towards, presence
from resonate_resources.mixing.brief import MixingBrief
from resonate_resources.mixing.holdings import Holdings
from resonate_resources.mixing.material import Material
from resonate_resources.mixing.plan import MixPlan, StemPlan
from resonate_resources.preset import Preset

ASTRAY_DB: Mapping[Preset, float] = {"conservative": -30.0, "balanced": -24.0, "aggressive": -18.0}
"""What moving a stem may add of what is not its own, against the mix, in every window and octave."""

_MASKED_DB = -30.0  # so far under the window's whole, what is not its own may also be
_QUIET_DB = -50.0  # and so far under the track's mean octave: windows that fade out
_MOST_DB = 40.0
TRACK = "track"
"""What the track itself is called where it takes the place of the stems."""
_STILL_DB = 0.005  # a gain under this is none: 0.06 %


def plan_mix(
    brief: MixingBrief, material: Material, holdings: Holdings, loudness_lufs: Mapping[str, float]
) -> MixPlan:
    """loudness_lufs: of each stem, -inf of silence.

    A stem at gain g against the others adds (g − 1)² of what it holds that is not its own: that is kept under
    ASTRAY_DB everywhere. A gain that all have in common moves nothing against anything, and is taken off before.
    """
    present = {name: presence(holdings.own_db(name)) for name in loudness_lufs}
    material = material.played_by(list(present.values()))
    standard, reasons = _balance(brief, material)
    towards = gains_towards(brief.wished_lu(), loudness_lufs, present)
    wished = {name: standard * towards[name] + brief.wished_db(name) for name in loudness_lufs}
    common_db = _common(wished, holdings)
    factors = {name: 10 ** ((wish_db - common_db) / 20) for name, wish_db in wished.items()}
    allowed = _allowed(factors, holdings, ASTRAY_DB[brief.preset])
    stems = {}
    for name, factor in allowed.items():
        gain_db = 20 * math.log10(factor)
        stems[name] = StemPlan(
            wished_db=wished[name] - common_db,
            gain_db=gain_db if abs(gain_db) > _STILL_DB else 0.0,
            present=present[name],
            loudness_lufs=loudness_lufs[name] if math.isfinite(loudness_lufs[name]) else None,
        )
    reasons += tuple(_bounded(name, stem) for name, stem in stems.items() if _is_bounded(stem))
    return MixPlan(balance=brief.balance, rough=material.rough, reasons=reasons, stems=stems)


def track_alone(material: Material, loudness_lufs: float) -> MixPlan:
    """The plan of "master-only": the track itself, as it is."""
    alone = StemPlan(
        wished_db=0.0,
        gain_db=0.0,
        present=1.0,
        loudness_lufs=loudness_lufs if math.isfinite(loudness_lufs) else None,
    )
    return MixPlan(
        balance="master-only",
        rough=material.rough,
        reasons=("the track itself, as the brief asks",),
        stems={TRACK: alone},
    )


def _balance(brief: MixingBrief, material: Material) -> tuple[float, tuple[str, ...]]:
    """How far towards the standard balance, and why."""
    match brief.balance:
        case "standard":
            return 1.0, ("standard balance, as the brief asks",)
        case "auto":
            kept = (
                "levels stay as they came"
                if not material.rough
                else f"{material.rough:.0%} of the way to the standard balance"
            )
            return material.rough, (f"{kept}: {material.why}",)
        case "original":
            return 0.0, ("levels stay as they came, as the brief asks",)
        case "master-only":
            raise ValueError("the track itself has no balance")


def _common(wished_db: Mapping[str, float], holdings: Holdings) -> float:
    """The gain at which the sum over stems of astray·(g/common − 1)² is near its least: their mean by astray."""
    weights = {name: float(holdings.astray[name].sum()) for name in wished_db}
    whole = sum(weights.values())
    if whole <= 0:
        return 0.0
    mean = sum(weights[name] * 10 ** (gain_db / 20) for name, gain_db in wished_db.items()) / whole
    return 20 * math.log10(mean)


def _allowed(factors: Mapping[str, float], holdings: Holdings, bound_db: float) -> dict[str, float]:
    """The factors, each as far as what is astray in its stem allows, then all as far as they together do.

    What one stem holds of another, that one lacks: when both move, errors add up by amplitude.
    """
    mix = holdings.mix
    spare = 10 ** (bound_db / 10) * (
        mix
        + 10 ** (_MASKED_DB / 10) * mix.sum(axis=1, keepdims=True)
        + 10 ** (_QUIET_DB / 10) * mix.mean(axis=0, keepdims=True)
    )
    used = {
        name: np.sqrt(holdings.astray[name] / np.maximum(spare, 1e-30)) for name in factors
    }  # of the bound, by a move of 1
    moves = {}
    for name, factor in factors.items():
        room = 1 / max(float(used[name].max()), 10 ** (-_MOST_DB / 20))
        moves[name] = float(np.clip(factor - 1, -min(room, 0.99), room))
    together = float(np.sum([abs(move) * used[name] for name, move in moves.items()], axis=0).max())
    return {name: 1 + move / max(1.0, together) for name, move in moves.items()}


def _is_bounded(stem: StemPlan) -> bool:
    return abs(stem.wished_db - stem.gain_db) > 0.5


def _bounded(name: str, stem: StemPlan) -> str:
    return (
        f"{name}: {stem.wished_db:+.1f} dB wished, {stem.gain_db:+.1f} made: "
        "more would move too much in it that is not its own"
    )
