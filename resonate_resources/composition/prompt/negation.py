"""Which words a no is about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from resonate_resources.composition.prompt.lexicon import Token

_WALL: Final = re.compile(r"[.;!?\n()|]|\s[-/]\s")
_THINGS: Final = ("instrument", "foreign_instrument", "vocals")
_NEGATED: Final = (*_THINGS, "mood", "genre", "foreign_genre", "tempo", "section", "swing", "energy")
_CARRIES_NOTHING: Final = ("common", "control")


def refused(folded: str, tokens: Sequence[Token]) -> frozenset[int]:
    """Places of the tokens that are not to be had."""
    found: set[int] = set()
    active = only_next = False
    for index, token in enumerate(tokens):
        gap = _gap(folded, tokens, index)
        if _WALL.search(gap) or ("," in gap and not _goes_on(folded, tokens, index)):
            active = False
        control = token.value("control")
        if control == "not_after":
            found ^= _before(folded, tokens, index)
            active = False
        elif control in ("not", "not_too"):
            active = not (active and _follows_no(tokens, index))
            only_next = control == "not_too"
        elif control in ("but", "only") or (control == "and" and active and not _is_thing(tokens, index + 1)):
            active = False
        elif active and any(word.kind in _NEGATED for word in token.words):
            found.add(index)
            # "no sad piano" is about both; "not sad, with a piano" about the one.
            active = not only_next and (
                _is_any(token, _THINGS) or _is_thing(tokens, index + 1) or _or_follows(tokens, index)
            )
    return frozenset(found)


def _gap(folded: str, tokens: Sequence[Token], index: int) -> str:
    return folded[tokens[index - 1].end if index else 0 : tokens[index].at]


def _is_any(token: Token, kinds: Sequence[str]) -> bool:
    return any(word.kind in kinds for word in token.words)


def _is_thing(tokens: Sequence[Token], index: int) -> bool:
    return index < len(tokens) and _is_any(tokens[index], _THINGS)


def _or_follows(tokens: Sequence[Token], index: int) -> bool:
    return index + 1 < len(tokens) and tokens[index + 1].value("control") in ("or", "and")


def _follows_no(tokens: Sequence[Token], index: int) -> bool:
    return index > 0 and tokens[index - 1].value("control") == "not"


def _goes_on(folded: str, tokens: Sequence[Token], index: int) -> bool:
    """Behind a comma: no drums, bass or vocals; but not: no drums, piano and strings."""
    for place in range(index, len(tokens)):
        if place > index and _WALL.search(_gap(folded, tokens, place)):
            return False
        control = tokens[place].value("control")
        if control == "or":
            return place > index or _is_any(tokens[index], _THINGS)
        if not (_is_any(tokens[place], _NEGATED) or tokens[place].value("common")):
            return False
    return False


def _before(folded: str, tokens: Sequence[Token], index: int) -> set[int]:
    """Of a language whose no comes last: all that is joined right before it."""
    found: set[int] = set()
    for place in range(index - 1, -1, -1):
        token = tokens[place]
        joined = token.value("control") in ("and", "or") or (token.words and token.value("common"))
        if _is_any(token, _NEGATED):
            if found and not _joined(tokens, place):
                break
            found.add(place)
        elif (not joined and token.words) or (not joined and len(found) == 0 and index - place > 3):
            break
        if re.search(r"[,.;!?\n()]", _gap(folded, tokens, place)):
            break
    return found


def _joined(tokens: Sequence[Token], index: int) -> bool:
    return index + 1 < len(tokens) and tokens[index + 1].value("control") in ("and", "or")
