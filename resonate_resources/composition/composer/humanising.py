"""From events on the grid to notes as played: swing, unevenness, dynamics by section."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import floor
from random import Random
from typing import Final

from resonate_resources.composition.composer.form import Laid
from resonate_resources.composition.composer.grid import Event
from resonate_resources.composition.genre import DRUM_KEYS, Humanising
from resonate_resources.composition.plan import PlannedNote

_SNARES: Final = {DRUM_KEYS[name] for name in ("snare", "clap", "rim")}
_SHORTEST: Final = 0.02  # quarters
_DIGITS: Final = 5
_MOST: Final = 2.5  # standard deviations: nobody plays a beat too late
_THIRDS: Final = (4, 8)  # of twelve: triplets, which swing leaves where they are


def swung(onset: float, swing: float, unit: float) -> float:
    """A time in quarters with the second of each two units at `swing` of them; triplets stay."""
    pair = 2 * unit
    whole = floor(onset / pair + 1e-9)
    part = min(max(onset / pair - whole, 0.0), 1.0)
    twelfths = part * 12
    if abs(twelfths - round(twelfths)) < 1e-6 and round(twelfths) in _THIRDS:
        return onset
    bent = part / 0.5 * swing if part < 0.5 else swing + (part - 0.5) / 0.5 * (1 - swing)
    return (whole + bent) * pair


def played(
    events: Sequence[Event],
    human: Humanising,
    swing: float,
    unit: float | None,
    sections: Sequence[Laid],
    bpm: float,
    single: bool,
    drums: bool,
    chance: Random,
) -> tuple[PlannedNote, ...]:
    """Notes in order of onset, within the plan. unit: of the notes that swing, in quarters, None where none does.
    bpm: of quarters. single: one note at a time, as a voice or a bass. drums: with the back beat's lag."""
    end = sections[-1].end
    a_ms = bpm / 60_000
    energies = _energy(sections)
    found: list[PlannedNote] = []
    for event in sorted(events):
        onset, until = event.onset, event.end
        if unit:
            onset, until = swung(onset, swing, unit), swung(until, swing, unit)
        away = _unevenness(chance) * human.timing_ms
        late = human.snare_lag_ms if drums and event.pitch in _SNARES else 0.0
        onset = min(max(0.0, onset + (away + late) * a_ms), end - _SHORTEST)
        loud = event.velocity * (0.8 + 0.3 * energies(event.onset)) + _unevenness(chance) * human.velocity
        length = max(_SHORTEST, min(until, end) - onset)
        velocity = round(min(127, max(1, loud)))
        found.append((round(onset, _DIGITS), round(length, _DIGITS), event.pitch, velocity))
    return _apart(sorted(found), single, end)


def _unevenness(chance: Random) -> float:
    return max(-_MOST, min(_MOST, chance.gauss(0, 1)))


def _energy(sections: Sequence[Laid]) -> Callable[[float], float]:
    def at(onset: float) -> float:
        return next((s.energy for s in sections if s.onset <= onset + 1e-9 < s.end), sections[-1].energy)

    return at


def _apart(notes: list[PlannedNote], single: bool, end: float) -> tuple[PlannedNote, ...]:
    """A note ends before its pitch, or of single voices any, is played again."""
    following: dict[int, float] = {}
    kept: list[PlannedNote] = []
    for onset, length, pitch, velocity in reversed(notes):
        voice = 0 if single else pitch
        until = following.get(voice, end)
        if until - onset < _SHORTEST / 2:  # struck twice at once
            continue
        kept.append((onset, round(min(length, until - onset), _DIGITS), pitch, velocity))
        following[voice] = onset
    return tuple(sorted(kept))
