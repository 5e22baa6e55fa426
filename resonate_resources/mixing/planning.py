"""From what is wished and what the stems are worth to a plan of the mix."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from resonate_resources.mixing.balance import gains_towards, presence
from resonate_resources.mixing.brief import MixingBrief
from resonate_resources.mixing.conductor.conduct import Agent, conduct
from resonate_resources.mixing.holdings import Holdings
from resonate_resources.mixing.kind import kind_of
from resonate_resources.mixing.material import Material, together
from resonate_resources.mixing.plan import EVEN, MixPlan, StemPlan
from resonate_resources.mixing.towards import Towards
from resonate_resources.mixing.wishes import Wishes, bounded, common_gain_db
from resonate_resources.preset import Preset
from resonate_resources.signal.octaves import octaves_told

ASTRAY_DB: Mapping[Preset, float] = {"conservative": -30.0, "balanced": -24.0, "aggressive": -18.0}
"""What moving a stem may add of what is not its own, against the mix, in every window and octave."""

_NOT_APART = "the voice is not naturalised: in the track itself it is not apart"
TRACK = "track"
"""What the track itself is called where it takes the place of the stems."""
_COMMON_DB = 0.5  # what is less is not worth a line
_STILL_DB = 0.005  # a gain under this is none: 0.06 %

_TELLS_ITS_KIND_S = 8.0
"""What is usual was learnt of whole songs; a bar of bass alone is "muddy"."""


def plan_mix(
    brief: MixingBrief,
    material: Material,
    holdings: Holdings,
    loudness_lufs: Mapping[str, float],
    reference: Towards | None = None,
    agent: Agent | None = None,
    seconds: float = math.inf,
) -> MixPlan:
    """loudness_lufs: of each stem, -inf of silence. seconds: how long they are. reference: what would bring them
    to the brief's. agent: who conducts where the brief asks for a model.

    What is wished of the stems is kept under ASTRAY_DB of what is not their own. Raises AudioError where there is
    no agent to ask, or it fails.
    """
    present = {name: presence(holdings.own_db(name)) for name in loudness_lufs}
    parts = together([holdings.own_db(name) for name in loudness_lufs])
    material = material.played_by(parts)
    standard, reasons = _balance(brief, material)
    towards = gains_towards(brief.wished_lu(), loudness_lufs, present)
    wishes = Wishes({name: standard * towards[name] + brief.wished_db(name) for name in loudness_lufs})
    if reference is not None:
        wishes = Wishes(
            {
                name: present[name] * reference.gains_db.get(name, 0.0) + brief.wished_db(name)
                for name in loudness_lufs
            }
        )
        gains_db = bounded(wishes, holdings, ASTRAY_DB[brief.preset]).gains_db
        wishes = replace(wishes, tone_db=reference.tone_db(gains_db))
    kind = kind_of({name: energy.sum(axis=0) for name, energy in holdings.stems.items()}).believed(parts)
    short = brief.conductor == "rules" and seconds < _TELLS_ITS_KIND_S
    by = brief.model_copy(update={"conductor": "none"}) if short else brief
    conducted = conduct(wishes, holdings, kind, ASTRAY_DB[brief.preset], by, agent)
    wishes = conducted.wishes
    made = bounded(wishes, holdings, ASTRAY_DB[brief.preset])
    common_db = common_gain_db(wishes, holdings)
    stems = {
        name: StemPlan(
            wished_db=wishes.gains_db[name] - common_db,
            gain_db=_still(made.gains_db[name]),
            present=present[name],
            loudness_lufs=loudness_lufs[name] if math.isfinite(loudness_lufs[name]) else None,
            tone_wished_db=wishes.tone_of(name),
            tone_db=tuple(map(_still, made.tone_of(name))),
        )
        for name in loudness_lufs
    }
    reasons += conducted.reasons
    if short:
        reasons += (f"{seconds:.1f} s are too few to tell its tone from that of music of its kind",)
    reasons += tuple(_bounded(name, stem) for name, stem in stems.items() if _is_bounded(stem))
    if abs(common_db) > _COMMON_DB and any(stem.wished_db for stem in stems.values()):
        told = f"{common_db:+.1f} dB".replace("-", "−")
        reasons += (
            f"of what is wished, {told} that all stems have in common are left out: they balance nothing",
        )
    asked = {*brief.gains_db, *brief.pan, *brief.width_db}
    reasons += tuple(
        f"{name}: there is no such stem; what is asked of it is left" for name in sorted(asked - {*stems})
    )
    if reference is not None:
        if reference.counts < 1:
            reasons += (f"mix or reference last under 3 s, and count {reference.counts:.0%}",)
        moved = {"tone of all": made.tone_db, "side against mid of all": reference.width_db}
        reasons += tuple(
            f"{what}, by octave in dB: {told}" for what, by in moved.items() if (told := octaves_told(by))
        )
    if reference is not None and not reference.same_piece:
        reasons += ("the reference is no recording of the same piece: it tells little of levels",)
    if reference is not None and reference.sections:
        reasons += (f"width of its own in {len(reference.sections)} sections",)
    if brief.reference and reference is None:
        reasons += (f"mixing.reference is not asked for by the balance, which is {brief.balance}",)
    if brief.wish.strip() and brief.conductor != "model":
        reasons += ("mixing.wish is for a model: mixing.conductor=model, and none conducts",)
    return MixPlan(
        balance=brief.balance,
        rough=material.rough,
        reasons=reasons,
        stems=stems,
        tone_db=tuple(map(_still, made.tone_db)),
        width_db=EVEN if reference is None else tuple(map(_still, reference.width_db)),
        sections=() if reference is None else reference.sections,
        moves=conducted.moves,
        conducted_by=conducted.by,
    )


def track_alone(material: Material, loudness_lufs: float, naturalise: bool = False) -> MixPlan:
    """The plan of "master-only": the track itself, as it is. naturalise: whether its voice should have been."""
    alone = StemPlan(
        wished_db=0.0,
        gain_db=0.0,
        present=1.0,
        loudness_lufs=loudness_lufs if math.isfinite(loudness_lufs) else None,
    )
    return MixPlan(
        balance="master-only",
        rough=material.rough,
        reasons=("the track itself, as the brief asks", *((_NOT_APART,) if naturalise else ())),
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
        case "reference":
            return 0.0, (f"towards {Path(brief.reference).name}, as the brief asks",)
        case "master-only":
            raise ValueError("the track itself has no balance")


def _still(gain_db: float) -> float:
    return gain_db if abs(gain_db) > _STILL_DB else 0.0


def _is_bounded(stem: StemPlan) -> bool:
    return abs(stem.wished_db - stem.gain_db) > 0.5


def _bounded(name: str, stem: StemPlan) -> str:
    return (
        f"{name}: {stem.wished_db:+.1f} dB wished, {stem.gain_db:+.1f} made: "
        "more would move too much in it that is not its own"
    )
