"""The form of a track: where sections begin, on downbeats, and which of them are the same.

A segmental model (a hidden semi-Markov model of one state): what speaks for a section to begin with a bar
(`section_starts`) and how long sections usually are. Its likeliest path tells where they begin, its posterior how
sure that is.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from resonate_resources.analysis.likeness import Bars, Floats, Likeness
from resonate_resources.analysis.section_starts import log_odds

_LENGTHS = {16: 0.8, 12: 0.4, 8: 1.0, 6: 0.2, 4: 0.5, 3: -1.2, 2: -0.8, 1: -3.0}
"""Bars of a section → nats for it; others 0 where even, −0.6 where odd."""
_ODD = -0.6
_AT_ENDS = -0.6  # at least: pieces begin and end in the midst of things
_LONGEST = 128
_SAME = 0.46


@dataclass(frozen=True)
class Part:
    """Bars from start up to end; parts of one letter are the same. confidence: 0 to 1, that it begins there."""

    start: int
    end: int
    letter: str
    confidence: float


def find_form(bars: Bars, likeness: Likeness) -> list[Part]:
    """Parts from the first to the last bar, without gaps; none of no bars. likeness: of `likeness_of`."""
    if not len(bars):
        return []
    starts, posterior = best_starts(log_odds(bars, likeness))
    edges = [*starts, len(bars)]
    letters = _letters(likeness, edges)
    return [
        Part(start, end, letter, float(posterior[start]))
        for start, end, letter in zip(edges[:-1], edges[1:], letters, strict=True)
    ]


def best_starts(odds: Floats) -> tuple[list[int], Floats]:
    """The bars at which parts begin, by Viterbi, and of each bar how likely a part begins there, (bars,).

    odds: (bars,), log-odds of `section_starts`.
    """
    count = len(odds)
    gain = np.concatenate([[0.0], odds[1:], [0.0]])
    usual = np.array([_LENGTHS.get(n, _ODD if n % 2 else 0.0) for n in range(1, min(count, _LONGEST) + 1)])
    at_ends = np.maximum(usual, _AT_ENDS)
    best, forward, backward = (np.full(count + 1, -np.inf) for _ in range(3))
    best[0] = forward[0] = backward[count] = 0.0
    came = np.zeros(count + 1, np.intp)
    for end in range(1, count + 1):
        longest = min(end, _LONGEST)
        welcome = (at_ends if end == count else usual)[:longest].copy()
        if longest == end:
            welcome[-1] = at_ends[end - 1]
        values = best[end - longest : end][::-1] + welcome
        came[end] = end - 1 - int(values.argmax())
        best[end] = values.max() + gain[end]
        forward[end] = np.logaddexp.reduce(forward[end - longest : end][::-1] + welcome) + gain[end]
    for start in range(count - 1, -1, -1):
        longest = min(count - start, _LONGEST)
        welcome = (at_ends if start == 0 else usual)[:longest].copy()
        if longest == count - start:
            welcome[-1] = at_ends[longest - 1]
        following = slice(start + 1, start + longest + 1)
        backward[start] = np.logaddexp.reduce(backward[following] + gain[following] + welcome)
    starts = [int(came[count])]
    while starts[-1] > 0:
        starts.append(int(came[starts[-1]]))
    posterior = np.exp(np.minimum(forward + backward - forward[count], 0.0))[:count]
    return starts[::-1], np.asarray(posterior, np.float64)


def _letters(likeness: Likeness, edges: list[int]) -> list[str]:
    """A, B, … in order of appearance: a part whose bars are like those of an earlier one has its letter."""
    letters: list[str] = []
    for number, (start, end) in enumerate(pairwise(edges)):
        known: dict[str, float] = {}
        for earlier in range(number):
            other, other_end = edges[earlier], edges[earlier + 1]
            lag, both = start - other, min(end - start, other_end - other)
            if lag > likeness.shape[1]:
                continue
            alike = float(likeness[start : start + both, lag - 1].mean())
            alike *= 0.7 + 0.3 * both / max(end - start, other_end - other)
            known[letters[earlier]] = max(alike, known.get(letters[earlier], 0.0))
        best = max(known, key=lambda letter: known[letter], default="")
        new = letter_of(len(set(letters)))
        letters.append(best if best and known[best] >= _SAME else new)
    return letters


def letter_of(number: int) -> str:
    """A to Z, then A1 to Z1, and so on."""
    turn, letter = divmod(number, 26)
    return string.ascii_uppercase[letter] + (str(turn) if turn else "")
