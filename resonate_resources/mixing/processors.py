"""What the brief asks for beside levels and tone: place and width, dynamics, ducking, a low end in mono."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from resonate_resources.mixing.brief import MixingBrief
from resonate_resources.mixing.dynamics import MOST_DB, STRIPS, strip_of
from resonate_resources.mixing.holdings import Holdings
from resonate_resources.mixing.plan import Ducking, MixPlan, MonoBass, StemPlan
from resonate_resources.mixing.pumping import KEY, PUMPED
from resonate_resources.mixing.wishes import used_by_a_move
from resonate_resources.recordings.recording import Stems
from resonate_resources.signal.phase import low_correlation
from resonate_resources.signal.smoothly import smoothly

MONO_BELOW_HZ = 120
_APART, _TOGETHER = 0.6, 0.9
"""Correlation of left and right under MONO_BELOW_HZ up to which mono would lose something, and from which on it
loses nothing."""

DUCK_RELEASE_S = 0.15
"""In which a fall goes back to 1/e: of a beat at 128 BPM, a twentieth is left when the next one comes."""


def with_processors(
    plan: MixPlan,
    brief: MixingBrief,
    holdings: Holdings,
    bound_db: float,
    lows: float | None,
) -> MixPlan:
    """The plan with pan, width, dynamics, ducking and mono bass, in what room gains and tones leave under bound_db.

    lows: as `low_end_of` has them; None where the brief doesn't ask for mono.
    """
    wished = plan.rough if brief.compress is None else brief.compress
    compressed = {
        name: wished * stem.present * _move(MOST_DB)
        for name, stem in plan.stems.items()
        if name in STRIPS[brief.preset] and stem.loudness_lufs is not None
    }
    keyed = KEY in plan.stems and plan.stems[KEY].loudness_lufs is not None
    ducked = {name: _move(brief.duck_db) for name in PUMPED if keyed and name in plan.stems}
    placed = {name: _panned(brief.pan_of(name)) for name in plan.stems}
    widened = {name: 10 ** (brief.width_of(name) / 20) - 1 for name in plan.stems}
    share = _share(
        {
            name: (compressed.get(name, 0.0), ducked.get(name, 0.0), placed[name], abs(widened[name]))
            for name in plan.stems
        },
        plan,
        holdings,
        bound_db,
    )
    stems = {
        name: stem.model_copy(
            update={
                "dynamics": strip_of(
                    name,
                    brief.preset,
                    wished * stem.present,
                    share * compressed.get(name, 0.0),
                    stem.loudness_lufs,
                ),
                "pan": share * brief.pan_of(name),
                "width_db": (20 * math.log10(1 + share * widened[name]),) * len(stem.width_db),
            }
        )
        for name, stem in plan.stems.items()
    }
    depths = {name: -20 * math.log10(1 - share * move) for name, move in ducked.items() if share * move}
    ducking = Ducking(depths_db=depths, release_s=DUCK_RELEASE_S, key=KEY) if depths else None
    mono = None if lows is None else mono_bass(lows)
    made = plan.model_copy(update={"stems": stems, "ducking": ducking, "mono_bass": mono})
    reasons = _reasons(made, brief, lows)
    return made.model_copy(update={"reasons": (*plan.reasons, *reasons)})


def low_end_of(stems: Stems) -> float | None:
    """Correlation of left and right under MONO_BELOW_HZ in the stems' sum; None of other than two channels."""
    first = next(iter(stems.values()))
    if first.channels != 2:
        return None
    sums = (
        np.sum(blocks, axis=0) for blocks in zip(*(stem.blocks() for stem in stems.values()), strict=True)
    )
    return low_correlation(sums, first, MONO_BELOW_HZ)


def mono_bass(lows: float) -> MonoBass | None:
    """What lies under 120 Hz is brought to the middle in full where left and right are alike there, and not at all
    where that would lose something."""
    part = smoothly(lows, _APART, _TOGETHER)
    return MonoBass(below_hz=MONO_BELOW_HZ, part=part) if part else None


def _move(fall_db: float) -> float:
    """By how much a gain of 1 moves when it falls by so many dB."""
    return float(1 - 10 ** (-fall_db / 20))


def _panned(pan: float) -> float:
    """By how much the channel that moves most does, of constant power and 0 dB in the middle."""
    return 1 - math.cos(abs(pan) * math.pi / 4) + math.sin(abs(pan) * math.pi / 4)


def _share(
    moves: Mapping[str, tuple[float, ...]], plan: MixPlan, holdings: Holdings, bound_db: float
) -> float:
    """0 to 1: by how much all moves are shortened, so that what is astray moves by no more than is left for it."""
    used = used_by_a_move(holdings, bound_db)
    factors = {
        name: 10 ** ((stem.gain_db + np.array(stem.tone_db)) / 20) for name, stem in plan.stems.items()
    }
    spent = np.sum([np.abs(factor - 1) * used[name] for name, factor in factors.items()], axis=0)
    wanted = np.sum([factors[name] * sum(both) * used[name] for name, both in moves.items()], axis=0)
    left = np.maximum(1 - spent, 0.0)
    return float(np.min(np.where(wanted > left, left / np.maximum(wanted, 1e-30), 1.0), initial=1.0))


def _reasons(plan: MixPlan, brief: MixingBrief, lows: float | None) -> list[str]:
    told = [_compressed(name, stem) for name, stem in plan.stems.items() if stem.compresses]
    if brief.compress and not STRIPS[brief.preset]:
        told.append(f"compress={brief.compress:g} compresses nothing with the preset {brief.preset}")
    for name, stem in plan.stems.items():
        if brief.pan_of(name):
            told.append(f"{name}: pan {stem.pan:+.2f} ({brief.pan_of(name):+.2f} asked)")
        if brief.width_of(name):
            told.append(f"{name}: side {stem.width_db[0]:+.1f} dB ({brief.width_of(name):+.1f} asked)")
    if brief.duck_db:
        depths = {} if plan.ducking is None else plan.ducking.depths_db
        made = ", ".join(f"{name} {depth:.1f} dB" for name, depth in depths.items()) or "nothing"
        told.append(f"ducked under the kick: {made} ({brief.duck_db:g} dB asked)")
    if lows is not None:
        part = 0.0 if plan.mono_bass is None else plan.mono_bass.part
        told.append(
            f"low end in mono to {part:.0%}: left and right correlate by {lows:.2f} under {MONO_BELOW_HZ} Hz"
        )
    elif brief.mono_bass:
        told.append("low end as it came: only two channels have a side")
    return told


def _compressed(name: str, stem: StemPlan) -> str:
    assert stem.dynamics is not None
    ratio, threshold_db = stem.dynamics.settings.ratio, stem.dynamics.settings.threshold_db
    return f"{name}: compressed {ratio:g} : 1 over {threshold_db:.0f} dBFS, to {stem.dynamics.part:.0%}"
