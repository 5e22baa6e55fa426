"""Drums and percussion: the genre's grooves by energy, fills where phrases end, rolls where tension is built."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

from resonate_resources.composition.composer.chance import stream
from resonate_resources.composition.composer.form import PHRASE_BARS, Laid
from resonate_resources.composition.composer.grid import VELOCITY, Event, strokes
from resonate_resources.composition.composer.harmony import Span
from resonate_resources.composition.composer.metre import beat_quarters
from resonate_resources.composition.genre import DRUM_KEYS, Drums, Groove, Level, at_level, level_of
from resonate_resources.composition.plan import BEATS_A_BAR
from resonate_resources.composition.request import Metre

_HIT: Final = 0.1  # quarters: drums ring out by themselves
_FILLS_INSIDE: Final = 0.4  # of phrase ends within a section
_LEFT_OUT: Final = 0.12  # of ghost notes
_CRASH_FROM: Final = 0.6
_ROLL_FROM: Final = 0.45  # energy of a build that has a roll
KICK: Final = DRUM_KEYS["kick"]


def drum_events(
    drums: Drums, written: Metre, metre: Metre, sections: Sequence[Laid], spans: Sequence[Span], seed: int
) -> list[Event]:
    """Of all sections. written: the metre of the grids; spans: for what timpani are tuned to."""
    events: list[Event] = []
    for index, section in enumerate(sections):
        groove = chosen_groove(drums.groove, section, "drums", seed)
        last = index == len(sections) - 1
        if not groove:
            continue
        own = grooved(groove, written, metre, section, spans)
        chance = stream(seed, "fills", section.name, section.nth)
        if section.name == "build" and section.energy >= _ROLL_FROM and drums.fills:
            own = _rolled(own, metre, section)
        else:
            own = _filled(own, drums.fills, written, metre, section, spans, chance, last)
        if last and section.bars > 1:
            own = _ended(own, metre, section, drums.crash)
        elif drums.crash and section.energy >= _CRASH_FROM and own:
            crash = "cymbals" if drums.kit == "orchestral_percussion" else "crash"
            own.append(Event(section.onset, _HIT, DRUM_KEYS[crash], VELOCITY["x"]))
        events += [event for event in own if event.velocity != VELOCITY["o"] or chance.random() >= _LEFT_OUT]
    return sorted(events)


def percussion_events(
    grooves: dict[Level, Groove],
    written: Metre,
    metre: Metre,
    sections: Sequence[Laid],
    spans: Sequence[Span],
    seed: int,
) -> list[Event]:
    """As drums, without fills. sections: those in which it plays."""
    return sorted(
        event
        for section in sections
        for event in grooved(
            chosen_groove(grooves, section, "percussion", seed), written, metre, section, spans
        )
    )


def chosen_groove(by_level: dict[Level, Groove], section: Laid, name: str, seed: int) -> dict[str, str]:
    """A grid for each voice; sections of one name and level have the same."""
    chance = stream(seed, name, section.name, level_of(section.energy))
    return {voice: chance.choice(hits) for voice, hits in at_level(by_level, section.energy).items()}


def grooved(
    groove: dict[str, str], written: Metre, metre: Metre, section: Laid, spans: Sequence[Span]
) -> list[Event]:
    return [
        Event(
            section.onset + stroke.onset,
            _HIT,
            _key(voice, section.onset + stroke.onset, spans),
            VELOCITY[stroke.letter],
        )
        for voice, grid in groove.items()
        for stroke in strokes(grid, written, metre, section.bars)
    ]


def _key(voice: str, onset: float, spans: Sequence[Span]) -> int:
    if voice != "timpani":
        return DRUM_KEYS[voice]
    root = next(span.harmony.root for span in reversed(spans) if span.onset <= onset)
    return DRUM_KEYS[voice] + (root - DRUM_KEYS[voice]) % 12


def _filled(
    events: list[Event],
    fills: Sequence[Groove],
    written: Metre,
    metre: Metre,
    section: Laid,
    spans: Sequence[Span],
    chance: Random,
    last: bool,
) -> list[Event]:
    """A fill in the last bar of the section, and in some phrases' last bars, from its first stroke on."""
    bar_quarters = BEATS_A_BAR[metre]
    for bar in range(PHRASE_BARS - 1, section.bars, PHRASE_BARS):
        closing = bar == section.bars - 1
        if not fills or (closing and last) or (not closing and chance.random() >= _FILLS_INSIDE):
            continue
        fill = chance.choice(fills)
        place = section._replace(onset=section.onset + bar * bar_quarters, bars=1)
        played = grooved(
            {voice: chance.choice(hits) for voice, hits in fill.items()}, written, metre, place, spans
        )
        begins = min((event.onset for event in played), default=section.end)  # none in a short metre
        events = [e for e in events if not begins <= e.onset < place.onset + bar_quarters] + played
    return events


def _rolled(events: list[Event], metre: Metre, section: Laid) -> list[Event]:
    """A snare that doubles its rate towards the end and grows, in place of the back beat."""
    snares = (DRUM_KEYS["snare"], DRUM_KEYS["clap"])
    kept = [event for event in events if event.pitch not in snares]
    beat = beat_quarters(metre)
    onset = section.onset
    length = section.end - section.onset
    while onset < section.end - 1e-9:
        gone = (onset - section.onset) / length
        kept.append(Event(onset, _HIT, DRUM_KEYS["snare"], 45 + 65 * gone))
        onset += beat / (1 if gone < 0.5 else 2 if gone < 0.75 else 4)
    last_bar = section.end - BEATS_A_BAR[metre]
    return [event for event in kept if event.pitch != KICK or event.onset < last_bar]


def _ended(events: list[Event], metre: Metre, section: Laid, crash: bool) -> list[Event]:
    """The last bar is one stroke."""
    begins = section.end - BEATS_A_BAR[metre]
    low = min((event.pitch for event in events), default=KICK)
    kept = [event for event in events if event.onset < begins]
    kept.append(Event(begins, _HIT, low, VELOCITY["x"]))
    if crash and section.energy >= 0.3:
        kept.append(Event(begins, _HIT, DRUM_KEYS["crash"], VELOCITY["x"]))
    return kept
