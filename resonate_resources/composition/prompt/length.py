"""How long it is to be: minutes and seconds, or bars."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from resonate_resources.composition.prompt.lexicon import any_of
from resonate_resources.composition.prompt.numbers import MINUS, NUMBER, number
from resonate_resources.composition.prompt.text import Text
from resonate_resources.composition.request import LONGEST_S, MOST_BARS, SHORTEST_S

_SECONDS: Final = {"hour": 3600.0, "minute": 60.0, "second": 1.0}
_CLOCK: Final = re.compile(r"(?<![\d:/.])(?:(\d{1,2}):)?(\d{1,3}):([0-5]\d)(?![\d:])")
_PRIMES: Final = re.compile(r"(?<![\w'])(\d{1,3})\s?'\s?([0-5]?\d)(?:''|\"|(?![\w']))")
_M_AND_S: Final = re.compile(r"(?<![^\W_])(\d{1,3})\s?m\s?([0-5]?\d)\s?s?(?![^\W_])")
_DECADE: Final = re.compile(r"(?<![^\W_])(?:19|20)?[0-9]0'?(?:s|er[ns]?)(?![^\W_])")
_IS_LENGTH: Final = re.compile(r"\s*(?:long|loop|clip|jingle|lang)")
_MOMENT: Final = re.compile(r"(?:\b(?:at|um|bei|from|until)|@|:\d\d,|:\d\d and)\s*$")
"""Before a time within the track, that is not its length."""
_MANY: Final = r"(?:\d{1,3}(?:[.,]\d{3})+|\d{1,6})"
_JOIN: Final = r"\s*(?:,|and|et|und|y|e|en|i|и|ve)?\s*"


def read_length(text: Text) -> None:
    for match in text.find(_DECADE):
        if not re.match(r"[1-4]0s", match.group()) and not _IS_LENGTH.match(text.folded, match.end()):
            text.take(*match.span())  # the 80s are no length; whether it is a mood is for the words
    for pattern in (_CLOCK, _PRIMES, _M_AND_S):
        for match in text.find(pattern):
            if _MOMENT.search(text.folded[: match.start()]):
                continue
            *hours, minutes, seconds = match.groups()
            whole = 3600 * int((hours and hours[0]) or 0) + 60 * int(minutes) + int(seconds)
            _state(text, float(whole), *match.span())
    for match in text.find(_spans()):
        minus = MINUS.search(text.folded[: match.start()])
        _state(text, _seconds(match) * (-1 if minus else 1), *match.span())
    for match in text.find(_bars()):
        if not _of_a_section(text, match):
            _state_bars(text, match)


@cache
def _spans() -> re.Pattern[str]:
    """A value and its unit, with a half, and smaller units after it."""
    half, and_half = any_of("control", "half"), any_of("control", "and_half")
    one_and_half, article = any_of("control", "one_and_half"), any_of("common", "article")
    units = "|".join(f"(?P<{name}>{any_of('unit', name)})" for name in _SECONDS)
    value = (
        rf"(?P<number>(?!808|909|303){NUMBER})(?:\s*(?:-|~|{any_of('control', 'to')})\s*(?P<upper>{NUMBER}))?"
        r"(?P<half_sign>\s+1/2)?"
        rf"|(?P<sign>1/2)|(?P<half>{half})|(?P<one_and_half>{one_and_half})|(?P<article>{article})"
    )
    other = f"{any_of('unit', 'bpm')}|{any_of('unit', 'bar')}"
    return re.compile(
        rf"(?<![^\W_])(?:{value})(?P<half_before>[\s-]*{and_half})?[\s-]*(?:{units})(?P<half_after>\s*{and_half})?"
        rf"(?:{_JOIN}(?P<seconds>[1-9]?\d)\s*{any_of('unit', 'second')}"
        rf"|\s+(?P<bare>[1-5]\d)(?![\d/:.,])(?!\s*-?\s*(?:{other})))?"
    )


def _seconds(match: re.Match[str]) -> float:
    found = match.groupdict()
    unit = next(_SECONDS[name] for name in _SECONDS if found[name])
    value = 1.0
    if found["number"]:
        value = number(found["number"])
        value = (value + number(found["upper"])) / 2 if found["upper"] else value
    elif found["half"] or found["sign"]:
        value = 0.5
    elif found["one_and_half"]:
        value = 1.5
    if found["half_sign"] or found["half_before"] or found["half_after"]:
        value += 0.5
    return value * unit + float(found["seconds"] or found["bare"] or 0)


def _state(text: Text, seconds: float, at: int, end: int) -> None:
    if SHORTEST_S <= seconds <= LONGEST_S:
        text.state("duration_s", seconds, at, end)
    else:
        why = f"a track is {SHORTEST_S:.0f} seconds to {LONGEST_S / 60:.0f} minutes long"
        text.refuse("duration_s", at, end, why)


@cache
def _bars() -> re.Pattern[str]:
    return re.compile(
        rf"(?<![\w/])({_MANY})(?:\s*(?:-|~|{any_of('control', 'to')})\s*({_MANY}))?[\s-]*{any_of('unit', 'bar')}"
    )


@cache
def _around() -> tuple[re.Pattern[str], re.Pattern[str]]:
    section, article = any_of("section"), r"(?:of|von|de|di|van|do|:|\(|,?\s*(?:a|an|the))?"
    return (
        re.compile(rf"\s*{article}\s*(?:\w+\s)?(?:{section}|blues)"),
        re.compile(rf"(?:{section}\s*(?:of|von|de|di|van|is|:|\()?|every|each|alle|tous les|cada|ogni)\s*$"),
    )


def _of_a_section(text: Text, match: re.Match[str]) -> bool:
    """A section's bars, or a form's, are not the track's."""
    after, before = _around()
    return bool(
        after.match(text.whole, match.end())
        or before.search(text.whole, max(0, match.start() - 40), match.start())
    )


def _state_bars(text: Text, match: re.Match[str]) -> None:
    low, high = (int(re.sub("[.,]", "", match.group(each) or match.group(1))) for each in (1, 2))
    if low >= 1 and high <= MOST_BARS:
        text.state("bars", round((low + high) / 2), *match.span())
    else:
        text.refuse("bars", *match.span(), f"a track has 1 to {MOST_BARS} bars")
