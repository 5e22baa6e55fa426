"""Sections in their order: listed, repeated, or as letters (AABA)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

from resonate_resources.composition.prompt.lexicon import Token, any_of
from resonate_resources.composition.prompt.text import Text

_FORM: Final = re.compile(
    r"(?<![^\W_])(a(?:-?[abc]){2,7})(?![^\W_])(?P<form>[\s-]*(?:form|song form|structure|forma|forme|vorm))?"
)
_MOST_TIMES: Final = 16
_NO_FORMS: Final = ("abba", "aca")


def read_form(text: Text) -> None:
    for match in text.find(_FORM):
        letters = match.group(1).replace("-", "")
        repeats = len(set(letters)) < len(letters) and "b" in letters
        if not repeats or (letters in _NO_FORMS and not match.group("form")):
            continue
        names = {"a": "verse", "b": "bridge" if letters == "aaba" else "chorus", "c": "bridge"}
        text.state("structure", tuple(names[letter] for letter in letters), *match.span())
        return


def sections(text: Text, tokens: Sequence[Token], refused: frozenset[int]) -> list[str]:
    """refused: places of tokens that are not to be had."""
    found: list[str] = []
    group = 0
    end = 0
    for index, token in enumerate(tokens):
        if "(" in text.folded[end : token.at]:
            group = len(found)
        end = token.end
        name = token.value("section")
        if not name or index in refused or (name == "solo" and _is_alone(tokens, index)):
            continue
        begun = len(found)
        found += [name] * _times_before(text.folded[: token.at])
        after = _times_after().match(text.folded, token.end)
        if after:
            repeated = found[group:] if after.group("closed") else found[begun:]
            found += repeated * (min(_number(after), _MOST_TIMES) - 1)
    return found


def _is_alone(tokens: Sequence[Token], index: int) -> bool:
    """A solo violin plays alone; a violin solo is a section."""
    return index + 1 < len(tokens) and tokens[index + 1].value("instrument") is not None


def _times_before(before: str) -> int:
    match = re.search(r"(?<![^\W_/:.])(\d{1,2})\s*(?:x\s*)?$", before)
    return min(max(int(match.group(1)), 1), 8) if match and int(match.group(1)) <= 8 else 1


@cache
def _times_after() -> re.Pattern[str]:
    times, twice = any_of("control", "times"), any_of("control", "twice")
    return re.compile(
        rf"\s*(?P<closed>\))?\s*,?\s*(?:[x*]\s?(?P<n>\d{{1,2}})|(?P<m>\d{{1,2}})\s?(?:x(?!\w)|{times})(?!\s*{any_of('section')})|(?P<twice>{twice}))"
    )


def _number(match: re.Match[str]) -> int:
    return 2 if match.group("twice") else int(match.group("n") or match.group("m"))
