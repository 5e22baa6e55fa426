"""Decisions by rules: what is done with a track at first, and what is changed once quality control has heard it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from resonate_resources.regeneration.decisions import (
    MOST_TRANSITIONS,
    TRANSITIONS,
    Change,
    Decisions,
    StemDecision,
    Transition,
    Value,
    sets,
    value_at,
)
from resonate_resources.regeneration.facts import Facts, Ranked
from resonate_resources.regeneration.quality_report import Finding, QualityReport

RULES: Final = "rules"

RunnersUp = Mapping[str, Sequence[Ranked]]
"""Stem → what can play it, the nearest first."""

_GOOD: Final = 95.0  # one of 15 that lacks 5 of 100 takes less than 0.1 off a total of 90
_STEP: Final = 1.5  # of a factor, where it is not told how far it is off
_SHIFT_MS: Final = 10.0  # likewise
_GATES: Final = (0.25, 0.35, 0.5, 0.65, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0)
_LEAST: Final = 0.04  # what a factor is changed by, that somebody may hear it
_LEAST_MS: Final = 1.0

_NEAR_DB: Final = 1.0  # behind the nearest, up to which the next instrument is as likely to help as all else
"""Of composed songs 0 and 1, rebuilt from separated stems, an instrument 0.1 dB behind the nearest gained 4.0
points, one 0.7 dB behind it none, one 5.9 dB behind it lost 44."""

Proposal = tuple[str, Value]
Mend = Callable[[Decisions, str, Finding, RunnersUp], Iterator[Proposal]]
"""Paths and what they may be set to, the likeliest first. Takes the stem to look at."""


def decide(facts: Facts) -> Decisions:
    """The nearest instruments, matched as far as may be, with what the analysis surely heard move, and what leads
    from section to section and is in no note."""
    stems, reasons = {}, []
    for name, stem in facts.stems.items():
        if stem.pumping_db:
            reasons.append(f"{name} goes down by {stem.pumping_db:g} dB at each kick")
        if stem.sweeps:
            reasons.append(f"{name}: a filter moves, from bar {stem.sweeps[0].bar} on first")
        stems[name] = StemDecision(
            sidechain=stem.pumping_db > 0, sweeps=bool(stem.sweeps), room=facts.rt60_s is not None
        )
    heard = sorted(
        (each for stem in facts.stems.values() for each in stem.transitions), key=lambda each: -each.level_db
    )[:MOST_TRANSITIONS]
    if heard:
        reasons.append(f"{len(heard)} transitions were heard that are in no note")
    return Decisions(stems=stems, transitions=tuple(heard), reasons=tuple(reasons))


def correct(
    decisions: Decisions, report: QualityReport, runners_up: RunnersUp, tried: Sequence[Change]
) -> Change | None:
    """The likeliest mend of what lowers the total most; None where nothing is left to be tried.

    The total is one of squares, so a dimension weighs by the square of what it lacks, times the chance of what may
    mend it; what is hoped of it is halved by each of its mends that was tried. Nothing is set to what it was set
    to, or changed from, before.
    """
    been = {
        (change.path, value)
        for change in tried
        for value in (change.before, change.after)
        if (change.path, value) != (TRANSITIONS, None)
    }
    hopes: list[tuple[float, Change]] = []
    for dimension, finding in report.dimensions.items():
        if finding.score >= _GOOD:
            continue
        changes = list(_mends(decisions, dimension, finding, runners_up))
        left = [change for change in changes if (change.path, sets(change)) not in been]
        lacks = (100 - finding.score) ** 2 * 0.5 ** (len(changes) - len(left))
        hopes += [(lacks * _chance(change, runners_up), change) for change in left]
    return max(hopes, key=lambda each: each[0])[1] if hopes else None


def _chance(change: Change, runners_up: RunnersUp) -> float:
    """That it helps, roughly: what was compared once and lay far from the stem does not get near it."""
    *_, stem, name = f".{change.path}".split(".")
    if name == "instrument":
        ranked = runners_up[stem]
        after = next((each for each in ranked if each.choice == change.after), ranked[0])
        farther_db = after.distance_db - ranked[0].distance_db
        return float(0.5 ** max(0.0, farther_db / _NEAR_DB - 1))
    return 1.0


def _mends(decisions: Decisions, dimension: str, finding: Finding, runners_up: RunnersUp) -> Iterator[Change]:
    for mend in _MENDS.get(dimension, ()):
        stems = _stems(decisions, dimension, finding, runners_up)
        if mend is _gate:  # low notes ring longest; sorted keeps the order of the rest
            stems.sort(key=lambda name: name != "bass")
        for stem in stems:
            for path, after in mend(decisions, stem, finding, runners_up):
                if isinstance(after, Transition):
                    yield Change(
                        path=path, before=after, after=None, reason=_why(dimension, finding), by=RULES
                    )
                    continue
                before = value_at(decisions, path)
                if after != before:
                    yield Change(
                        path=path, before=before, after=after, reason=_why(dimension, finding), by=RULES
                    )


def _stems(decisions: Decisions, dimension: str, finding: Finding, runners_up: RunnersUp) -> list[str]:
    """The one that is blamed; where none is, those first whose next instrument is hardly farther than the first."""
    playing = list(map(str, decisions.stems))
    blamed = _ITS_STEM.get(dimension, finding.stem)
    if dimension in _OF_PITCH:
        playing = [name for name in playing if name != "drums"]
    if blamed in decisions.stems and (blamed != "drums" or dimension not in _OF_PITCH):
        return [name for name in playing if name == blamed]

    def farther_db(name: str) -> float:
        ranked = runners_up.get(name, ())
        return ranked[1].distance_db - ranked[0].distance_db if len(ranked) > 1 else float("inf")

    return sorted(playing, key=farther_db)


def _why(dimension: str, finding: Finding) -> str:
    placed = finding.start_s is not None and finding.end_s is not None
    where = f", {finding.start_s:.0f}–{finding.end_s:.0f} s" if placed else ""
    who = f", {finding.stem}" if finding.stem else ""
    return f"{dimension.replace('_', ' ')} {finding.score:.0f}{where}{who}"[:300]


def _next_instrument(
    decisions: Decisions, stem: str, _: Finding, runners_up: RunnersUp
) -> Iterator[Proposal]:
    ranked = [each.choice for each in runners_up.get(stem, ())]
    now = value_at(decisions, f"stems.{stem}.instrument")
    for choice in ranked:
        if choice != (now or ranked[0]):
            yield f"stems.{stem}.instrument", None if choice == ranked[0] else choice


def _to(name: str, *values: Value) -> Mend:
    """One of a stem's decisions, to these values in their order."""

    def mend(_: Decisions, stem: str, __: Finding, ___: RunnersUp) -> Iterator[Proposal]:
        for value in values:
            yield f"stems.{stem}.{name}", value

    return mend


def _bus_eq(*values: float) -> Mend:
    def mend(*_: object) -> Iterator[Proposal]:
        for value in values:
            yield "bus_eq_db", value

    return mend


def _width(decisions: Decisions, stem: str, finding: Finding, _: RunnersUp) -> Iterator[Proposal]:
    """By as much as the finding tells that it is off; else a step up, then one down."""
    path, now = f"stems.{stem}.width", decisions.of(stem).width
    steps = (_STEP, 1 / _STEP) if finding.change is None else (10 ** (-finding.change / 20),)
    for step in steps:
        after = _within(path, round(now * step, 3))
        if abs(after - now) > _LEAST * now:
            yield path, after


def _gate(decisions: Decisions, stem: str, finding: Finding, _: RunnersUp) -> Iterator[Proposal]:
    """The next of _GATES down, then up: notes that were written down too long harm more than short ones. Only the
    way that the finding tells, where it tells one; strokes of drums have no length."""
    path, now = f"stems.{stem}.gate", decisions.of(stem).gate
    shorter, longer = (
        [each for each in _GATES if each < now][-1:],
        [each for each in _GATES if each > now][:1],
    )
    told = finding.change or 0.0
    for after in (shorter if told >= 0 else []) + (longer if told <= 0 else []):
        if stem != "drums":
            yield path, after


def _without(decisions: Decisions, stem: str, finding: Finding, _: RunnersUp) -> Iterator[Proposal]:
    """One of the stem's transitions, to be taken out, where the finding tells of its time or of none."""
    start_s, end_s = finding.start_s or 0.0, float("inf") if finding.end_s is None else finding.end_s
    for each in decisions.transitions:
        if each.stem == stem and each.start_s < end_s and each.end_s > start_s:
            yield TRANSITIONS, each


def _shift(decisions: Decisions, stem: str, finding: Finding, _: RunnersUp) -> Iterator[Proposal]:
    path, now = f"stems.{stem}.shift_ms", decisions.of(stem).shift_ms
    for step in (-_SHIFT_MS, _SHIFT_MS) if finding.change is None else (-finding.change,):
        after = _within(path, round(now + step, 1))
        if abs(after - now) >= _LEAST_MS:
            yield path, after


def _within(path: str, value: float) -> float:
    """The nearest that the decision may be."""
    field = StemDecision.model_fields[path.rsplit(".", 1)[1]]
    low, high = (
        next(getattr(each, end) for each in field.metadata if hasattr(each, end)) for end in ("ge", "le")
    )
    return float(min(high, max(low, value)))


_TONE = (
    _next_instrument,
    _bus_eq(6.0, 3.0),
    _to("eq_db", 12.0, 6.0),
    _to("level_per", "beat"),
    _to("sweeps", False),
)
_LEVEL = (_to("level_per", "beat", "bar"), _to("sidechain", False), _without)
_ITS_STEM: Final = {"bass_pattern": "bass", "kick_pattern": "drums"}
_OF_PITCH: Final = frozenset({"harmonic_progression", "tuning"})

_MENDS: Final[Mapping[str, tuple[Mend, ...]]] = {
    "mel_spectrogram_correlation": _TONE,
    "timbre": _TONE,
    "octave_balance": (_bus_eq(6.0, 3.0), _to("eq_db", 12.0, 6.0), _next_instrument),
    "noise_floor": (_gate, _next_instrument, _to("eq_db", 6.0), _without),
    "stereo_width": (_width, _next_instrument),
    "reverb": (_gate, _to("room", False), _next_instrument),
    "rms_per_section": _LEVEL,
    "energy_curve": _LEVEL,
    "section_boundaries": _LEVEL,
    "dynamic_range": (_next_instrument, _to("level_per", "none", "bar", "beat")),
    "bpm_phase": (_shift,),
    "bass_pattern": (_next_instrument, _gate),
    "kick_pattern": (_next_instrument,),
    "onset_pattern": (_next_instrument, _gate),
    "harmonic_progression": (_next_instrument, _gate),
    "tuning": (_next_instrument,),
}
"""Dimension → what may mend it, the likeliest first. Which notes are played is transcription's."""
