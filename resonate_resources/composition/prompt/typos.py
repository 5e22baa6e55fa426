"""Words that are spelt wrongly, by one letter, or by two where they are long."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Final

from resonate_resources.composition.prompt.lexicon import Word, lexicon
from resonate_resources.composition.prompt.text import fold

_SHORTEST: Final = 5
_LONG: Final = 9  # from here two letters may be wrong
_KINDS: Final = ("genre", "instrument", "mood", "tempo", "section", "swing", "vocals")


def nearest(text: str) -> tuple[str, Word] | None:
    """What was meant, and what that is; None where nothing is near, or it is a word in its own right."""
    if len(text) < _SHORTEST or text in _words_in_their_own_right():
        return None
    best: tuple[int, str, Word] | None = None
    for phrase, word in _by_beginning().get(text[:1], ()):
        allowed = 2 if min(len(text), len(phrase)) >= _LONG else 1
        if abs(len(text) - len(phrase)) > allowed:
            continue
        distance = _distance(text, phrase)
        if distance <= allowed and (not best or distance < best[0]):
            best = (distance, phrase, word)
    return best[1:] if best else None


@cache
def _by_beginning() -> dict[str, list[tuple[str, Word]]]:
    """Single words of the lexicon by their first letter, which is seldom the wrong one."""
    words: defaultdict[str, list[tuple[str, Word]]] = defaultdict(list)
    for phrase, word in lexicon().phrases:
        if word.kind in _KINDS and not word.weak and phrase.isalpha() and len(phrase) >= _SHORTEST:
            words[phrase[0]].append((phrase, word))
    return dict(words)


@cache
def _words_in_their_own_right() -> frozenset[str]:
    path = Path(__file__).parent / "words" / "own_right.txt"
    return frozenset(fold(path.read_text(encoding="utf-8"))[0].split())


def _distance(one: str, other: str) -> int:
    """Damerau's and Levenshtein's, of neighbours exchanged at most once (optimal string alignment)."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        current = [row]
        for column, against in enumerate(other, 1):
            cost = min(last[column] + 1, current[-1] + 1, last[column - 1] + (letter != against))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == against:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        before, last = last, current
    return last[-1]
