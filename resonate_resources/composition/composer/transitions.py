"""From one section into the next: risers, impacts, filters, the breath before a drop; and the end."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from resonate_resources.composition.composer.form import Laid
from resonate_resources.composition.composer.grid import Event
from resonate_resources.composition.composer.metre import beat_quarters
from resonate_resources.composition.genre import GenreData
from resonate_resources.composition.plan import BEATS_A_BAR, Effect
from resonate_resources.composition.request import Metre

_RISE = 0.12
_FALL = 0.25
"""Differences of energy that a transition tells."""


def effects_between(
    data: GenreData, metre: Metre, sections: Sequence[Laid], filtered: tuple[str, ...]
) -> tuple[Effect, ...]:
    """Of the kinds that the genre has. filtered: names of the parts that filters open and close over."""
    bar = BEATS_A_BAR[metre]
    end = sections[-1].end
    effects: list[Effect] = []

    def add(kind: str, begins: float, ends: float, parts: tuple[str, ...] = ()) -> None:
        if kind in data.transitions and ends > begins and (parts or not kind.startswith("low_pass")):
            effects.append(Effect(kind=kind, begins=begins, ends=min(ends, end), parts=parts))  # type: ignore[arg-type]

    if sections[0].name == "intro":
        add("low_pass_opening", sections[0].onset, sections[0].end, filtered)
    for before, after in pairwise(sections):
        built = before.name == "build"
        if built or after.energy - before.energy >= _RISE:
            rising = min(before.bars, 8 if built else 2) * bar
            add("riser", after.onset - rising, after.onset)
            add("reverse_cymbal", after.onset - bar, after.onset)
            add("impact", after.onset, after.onset + bar)
        if built:
            add("low_pass_opening", before.onset, before.end, filtered)
        if before.energy - after.energy >= _FALL:
            add("downlifter", after.onset, after.onset + min(2, after.bars) * bar)
    last = sections[-1]
    if last.name == "outro" and last.bars >= 4 and "low_pass_opening" in data.transitions:
        add("low_pass_closing", last.onset + last.bars // 2 * bar, last.end, filtered)
    return tuple(sorted(effects, key=lambda effect: (effect.begins, effect.kind)))


def silences(data: GenreData, metre: Metre, sections: Sequence[Laid]) -> tuple[tuple[float, float], ...]:
    """The beat before a drop, in which nothing plays, of genres that have it."""
    if "silence" not in data.transitions:
        return ()
    beat = beat_quarters(metre)
    return tuple(
        (after.onset - beat, after.onset)
        for before, after in pairwise(sections)
        if after.name == "drop" and before.name == "build" and before.bars > 1
    )


def silenced(events: Sequence[Event], gaps: Sequence[tuple[float, float]]) -> list[Event]:
    """Without what begins in a gap; what reaches into one ends there."""
    kept = list(events)
    for begins, ends in gaps:
        kept = [
            event._replace(length=min(event.length, begins - event.onset)) if event.onset < begins else event
            for event in kept
            if not begins - 1e-9 <= event.onset < ends - 1e-9
        ]
    return kept


def ended(events: Sequence[Event], begins: float, ends: float, held: Sequence[int]) -> list[Event]:
    """The last bar is one chord, held: what a part plays there is replaced, if it plays there."""
    played = any(event.end > begins + 1e-9 for event in events)
    kept = [e._replace(length=min(e.length, begins - e.onset)) for e in events if e.onset < begins - 1e-9]
    return kept + [Event(begins, (ends - begins) * 0.95, pitch, 88) for pitch in held if played]
