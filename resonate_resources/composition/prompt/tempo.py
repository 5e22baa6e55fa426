"""Beats per minute, said as a number."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from resonate_resources.composition.prompt.lexicon import any_of
from resonate_resources.composition.prompt.numbers import MINUS, NUMBER, number
from resonate_resources.composition.prompt.text import TAKEN, Text
from resonate_resources.composition.request import FASTEST_BPM, SLOWEST_BPM

_ABOUT: Final = 0.05
"""How far from it a tempo may be that is to be near one."""
_BARE_BPM: Final = (50.0, 220.0)
"""A number by itself, without a unit, is taken for a tempo within these."""


def read_tempo_with_unit(text: Text) -> None:
    """Before lengths are read: beats a minute are no minute."""
    _read(text, _with_unit())


def _read(text: Text, pattern: re.Pattern[str]) -> None:
    for match in text.find(pattern):
        if TAKEN not in text.folded[match.start() : match.end()]:
            _state(text, match, *match.span())


def read_tempo(text: Text) -> None:
    """After keys and metres, whose numbers are none."""
    _read(text, _labelled())
    if any(said.field == "bpm" for said in text.said) or "bpm" in text.invalid:
        return
    for match in text.find(_bare()):
        placed = match.group("led") is not None or match.group("followed") is not None
        if placed and _BARE_BPM[0] <= number(match.group("low")) <= _BARE_BPM[1]:
            _state(text, match, *match.span("low"))
            return


@cache
def _value() -> str:
    limits = "|".join(
        f"(?P<{name}>{any_of('control', name)})" for name in ("up_to", "at_least", "about", "between")
    )
    after = "|".join(
        f"(?P<{name}>{any_of('control', name)})" for name in ("up_to_after", "at_least_after", "about_after")
    )
    to = any_of("control", "to")
    return (
        rf"(?:(?<![^\W_])(?:{limits})\s*)?(?<![\d.])(?P<low>-?{NUMBER})(?:\s*(?:-|~|{to})\s*(?P<high>{NUMBER}))?"
        rf"(?P<after>\s*(?:{after}|\+|ish))?"
    )


@cache
def _with_unit() -> re.Pattern[str]:
    slower = r"(?P<or_slower>\s+or\s+(?:slower|less|below|under))"
    faster = r"(?P<or_faster>\s+or\s+(?:faster|more|above|over)|\s*\+)"
    return re.compile(rf"{_value()}\s*-?{any_of('unit', 'bpm')}(?:{slower}|{faster})?(?!\s*[:=]\s*\d)")


@cache
def _labelled() -> re.Pattern[str]:
    """After a word that says so: tempo 120, at 120, BPM: 120, ♩=96."""
    label = rf"(?<![^\W_])(?:{any_of('unit', 'bpm')}\s*[:=]?|{any_of('unit', 'tempo')}|q(?=\s*=))"
    label += r"\s*(?:is|of|:|=|は|が|を)?\s*"
    units = rf"{any_of('unit', 'second', 'minute', 'hour', 'bar')}|{any_of('section')}"
    units += r"|%|'|(?:x|st|nd|rd|th|[ap]m)(?!\w)"
    return re.compile(rf"{label}{_value()}(?![\d/:]|\s*[\s-]?(?:{units}))(?:\s*{any_of('unit', 'bpm')})?")


@cache
def _bare() -> re.Pattern[str]:
    counted = any_of("unit") + "|" + any_of("section") + "|" + any_of("control", "times")
    music = ("genre", "mood", "instrument", "vocals", "swing", "energy", "tempo")
    after = "|".join([*map(any_of, music), any_of("control", "but", "about", "and", "not", "key"), TAKEN])
    return re.compile(
        rf"(?P<led>(?:^|[,;(|]|(?<![^\W_]){any_of('genre')})\s*)?(?<![\w.:/#-])(?P<low>\d{{2,3}}(?:\.\d)?)"
        rf"(?:\s?-\s?(?P<high>\d{{2,3}}))?(?P<about>\s?ish)?(?![\w:/%#'])(?!\s*-?\s*(?:{counted}))"
        rf"(?P<followed>\s*(?:$|[,.;)!|])|\s+(?:{after}))?"
    )


def _state(text: Text, match: re.Match[str], at: int, end: int) -> None:
    found = match.groupdict()
    low = number(found["low"])
    high = number(found["high"]) if found.get("high") else low
    if MINUS.search(text.folded[:at]):
        low = -low
    low, high = min(low, high), max(low, high)
    if not (low >= SLOWEST_BPM and high <= FASTEST_BPM):
        why = f"a tempo is {SLOWEST_BPM:.0f} to {FASTEST_BPM:.0f} beats per minute"
        text.refuse("bpm", at, end, why)
        return
    if low == high:
        if found.get("up_to") or found.get("up_to_after") or found.get("or_slower"):
            low = SLOWEST_BPM
        elif found.get("at_least") or found.get("at_least_after") or found.get("or_faster"):
            high = FASTEST_BPM
        elif found.get("about") or found.get("about_after") or "ish" in (found.get("after") or ""):
            low, high = round(low * (1 - _ABOUT)), round(high * (1 + _ABOUT))
            low, high = max(low, SLOWEST_BPM), min(high, FASTEST_BPM)
    text.state("bpm", (float(low), float(high)), at, end)
