"""Which steps a recording needs, and why: a pure function of what is known of it and what is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from resonate_resources.restoration.brief import RestorationBrief
from resonate_resources.restoration.step import Facts, StepName

Scope = Literal["track", "stem", "file"]
"""track: the whole recording, before it is parted; stem: a stem of it; file: a recording that is not parted."""

_WHOLE: tuple[StepName, ...] = (
    "declip", "declick", "dehum", "denoise", "dewow", "derumble", "dereverb",
    "decomb", "deshimmer", "fill", "tone", "extend",
)  # fmt: skip
STEPS: dict[Scope, tuple[StepName, ...]] = {
    "track": _WHOLE,
    "stem": ("denoise", "deess", "extend", "polish"),
    "file": tuple(step for step in get_args(StepName) if step in _WHOLE or step in ("deess", "polish")),
}
"""What damaged the whole recording is mended in the whole, before any of it goes into the wrong stem. What a wall
cut off is put back stem by stem, as a voice's highs are others than a cymbal's; what a gentle slope took, in the
whole, as stems end gently of themselves."""

FIRST: frozenset[StepName] = frozenset({"declip", "declick", "dehum", "denoise"})
"""What covers a recording, so that nothing else is told of it surely before it is gone: noise hides where a
spectrum ends. Only what was noisy was heard by a microphone, in a room: a finished record has its rooms and colours
on purpose."""


@dataclass(frozen=True)
class Planned:
    """reason: why it is to be done, in one line."""

    step: StepName
    reason: str


LISTENED_FOR = "every recording is listened to for it"
_NOISE_DB = 90.0  # finished music has 120, noisy speech 63; what is told by it the step hears more closely
_ROOM_S = 0.35
_SHIMMER = 0.35  # of real music 0.02 to 0.33
_CODEC_HZ = 16_500.0
_WIDE_ENOUGH_HZ = 16_000.0
_REACHES = 0.8  # a stem whose own spectrum ends lower than this part of the track's ends of itself
_DARK_HZ = 12_500.0  # without a wall: a dark record, or one that was cut gently; the step tells which


def plan_of(facts: Facts, track: Facts, scope: Scope, brief: RestorationBrief) -> tuple[Planned, ...]:
    """The steps in the order in which they are taken.

    track: what is known of the track that a stem is of; of a track or a file, the same as facts.
    """
    steps = STEPS[scope]
    if brief.steps is not None:
        return tuple(Planned(step, "asked for") for step in steps if step in brief.steps)
    if scope == "track" and track.traces.cut != "natural":
        steps = tuple(step for step in steps if step != "extend")
    reasons = {step: _REASONS[step](facts, track) for step in steps if step in _REASONS}
    return tuple(Planned(step, reason) for step, reason in reasons.items() if reason)


def steps_in_question(scope: Scope, brief: RestorationBrief) -> tuple[StepName, ...]:
    """Those that a plan may hold, whatever is known of a recording."""
    wanted = _REASONS if brief.steps is None else brief.steps
    return tuple(step for step in STEPS[scope] if step in wanted)


def _listened_for(_: Facts, __: Facts) -> str:
    """What the step itself hears better than the profile, at a second of a processor a minute."""
    return LISTENED_FOR


def _hum(facts: Facts, _: Facts) -> str | None:
    hum = facts.traces.hum
    return None if hum is None else f"hum of {hum.mains_hz} Hz at {hum.level_dbfs:.0f} dBFS"


def _noise(facts: Facts, _: Facts) -> str | None:
    over = facts.traces.over_steady_noise_db
    if over is None or over >= _NOISE_DB:
        return None
    return "the profile hears steady noise"


def _worn(facts: Facts, _: Facts) -> str | None:
    """What wavers without any tape's or record's noise does so on purpose."""
    return "noise was taken off, and tapes and records may waver" if facts.was_noisy else None


def _room(facts: Facts, _: Facts) -> str | None:
    if not (facts.was_noisy and facts.rt60_s):
        return None
    middle = min(facts.rt60_s, key=lambda hertz: abs(hertz - 1000))
    seconds = facts.rt60_s[middle]
    return f"a room of {seconds:.1f} s at {middle:g} Hz" if seconds >= _ROOM_S else None


def _shimmer(facts: Facts, _: Facts) -> str | None:
    shimmer = facts.traces.shimmer
    return None if shimmer is None or shimmer < _SHIMMER else f"shimmer index {shimmer:.2f}"


def _codec(facts: Facts, _: Facts) -> str | None:
    traces = facts.traces
    if traces.cut != "brick wall" or traces.bandwidth_hz > _CODEC_HZ:
        return None
    return f"a codec cut at {traces.bandwidth_hz:.0f} Hz"


def _colour(facts: Facts, _: Facts) -> str | None:
    if not (facts.was_noisy and facts.colour_db):
        return None
    third = max(facts.colour_db, key=lambda hertz: abs(facts.colour_db[hertz]))
    return f"{facts.colour_db[third]:+.0f} dB at {third:.0f} Hz against any music of its kind"


def _narrow(facts: Facts, track: Facts) -> str | None:
    upper_hz = track.traces.bandwidth_hz
    if not 0 < upper_hz < _WIDE_ENOUGH_HZ or track.traces.cut == "none":
        return None
    if track.traces.cut == "natural" and upper_hz > _DARK_HZ:
        return None
    ends_of_itself = track.traces.cut == "natural" or facts.traces.bandwidth_hz < _REACHES * upper_hz
    if facts.kind not in ("track", "bass") and ends_of_itself:
        return None
    return f"the track ends at {upper_hz:.0f} Hz"


_REASONS = {
    "declip": _listened_for,
    "declick": _listened_for,
    "dehum": _hum,
    "denoise": _noise,
    "dewow": _worn,
    "dereverb": _room,
    "decomb": _listened_for,
    "deshimmer": _shimmer,
    "fill": _codec,
    "tone": _colour,
    "extend": _narrow,
}
"""Step → why it is needed, or None. What is in none of these is done only where the brief asks for it."""
