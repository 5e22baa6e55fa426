"""Plans to look at, and what is where in them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from resonate_resources.composition.completing import complete
from resonate_resources.composition.composer.compose import compose
from resonate_resources.composition.plan import BEATS_A_BAR, Part, Plan
from resonate_resources.composition.request import Asked, Genre, SectionName, Understanding

# General MIDI percussion keys (MMA, General MIDI System Level 1).
KICK, RIM, SNARE, CLAP, CLOSED_HAT, PEDAL_HAT, OPEN_HAT, RIDE, SHAKER, CLAVE = (
    36,
    37,
    38,
    39,
    42,
    44,
    46,
    51,
    70,
    75,
)
SEEDS = range(4)


@cache
def composed(genre: Genre, seed: int, **asked: Any) -> Plan:
    request, _ = complete(Understanding(asked=Asked(genre=genre, **asked)), seed)
    return compose(request, seed)


def straight(genre: Genre, **asked: Any) -> list[Plan]:
    """Plans of several seeds without swing, so that grids can be read off."""
    return [composed(genre, seed, swing=False, **asked) for seed in SEEDS]


def part_of(plan: Plan, role: str, sound: str | None = None) -> Part:
    return next(part for part in plan.parts if part.role == role and sound in (None, part.sound))


def bars(plan: Plan, *names: SectionName) -> Iterator[int]:
    """Bars of those sections in which a groove is itself: the first three of each phrase, but not the last bar."""
    for section in plan.sections:
        if section.name in names or not names:
            for bar in range(section.bars):
                if bar % 4 != 3 and section.first_bar + bar < plan.bars - 1:
                    yield section.first_bar + bar


def cells(part: Part, plan: Plan, bar: int, *keys: int, loudest: int = 0, of: int = 16) -> list[int]:
    """Sixteenths of the bar (or its parts, `of` of them) on which those keys are struck, or any pitch."""
    length = BEATS_A_BAR[plan.metre]
    places = (
        round((onset / length - bar) * of)
        for onset, _, pitch, velocity in part.notes
        if (not keys or pitch in keys) and velocity >= loudest
    )
    return sorted({place for place in places if 0 <= place < of})


def hits(plan: Plan, bar: int, *keys: int, loudest: int = 0, of: int = 16) -> list[int]:
    return cells(part_of(plan, "drums"), plan, bar, *keys, loudest=loudest, of=of)


def chords_in(plan: Plan, first: int, stop: int) -> list[str]:
    """Degrees of the chords that begin in those bars."""
    length = BEATS_A_BAR[plan.metre]
    return [chord.degree for chord in plan.chords if first * length <= chord.onset < stop * length]


def chord_at(plan: Plan, onset: float) -> Any:
    return next(chord for chord in reversed(plan.chords) if chord.onset <= onset + 1e-6)
