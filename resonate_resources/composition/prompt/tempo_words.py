"""What slow and fast mean: of a genre, where one is said."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Final

from resonate_resources.composition.request import FASTEST_BPM, SLOWEST_BPM

Range = tuple[float, float]

_GENERAL: Final[dict[str, Range]] = {
    "very_slow": (40, 60),
    "slow": (56, 84),
    "moderate": (85, 116),
    "fast": (130, 170),
    "very_fast": (165, 210),
}
_OF_A_GENRE: Final[dict[str, Range]] = {
    "very_slow": (-0.3, 0.0),
    "slow": (-0.2, 0.4),
    "moderate": (0.3, 0.7),
    "fast": (0.6, 1.2),
    "very_fast": (1.0, 1.4),
}
"""As parts of the way from a genre's slowest to its fastest."""
SLOW_WORDS: Final = ("very_slow", "slow")
FAST_WORDS: Final = ("fast", "very_fast")
_NOT_SLOW_BPM: Final = 140.0
_NOT_FAST_BPM: Final = 80.0


def range_of(word: str, genre: str | None) -> Range:
    """word: one of the lexicon's tempo values, which may be a range itself (allegro)."""
    if "-" in word:
        slow, _, fast = word.partition("-")
        return float(slow), float(fast)
    if not genre:
        return _GENERAL[word]
    slowest, fastest = _usual()[genre]
    way = max(fastest - slowest, 20)  # slow and fast differ in a genre of one tempo, too
    low, high = (slowest + part * way for part in _OF_A_GENRE[word])
    return max(float(round(low)), SLOWEST_BPM), min(float(round(high)), FASTEST_BPM)


def excludes(word: str, bpm: Range) -> bool:
    """Whether a word and a number can't both be meant."""
    return (word in SLOW_WORDS and bpm[0] >= _NOT_SLOW_BPM) or (
        word in FAST_WORDS and bpm[1] <= _NOT_FAST_BPM
    )


def common_range(ranges: list[Range]) -> Range | None:
    """What would do for all of them."""
    low, high = max(each[0] for each in ranges), min(each[1] for each in ranges)
    return (low, high) if low <= high else None


@cache
def _usual() -> dict[str, Range]:
    path = Path(__file__).parent / "tempi.toml"
    return {
        genre: (low, high) for genre, (low, high) in tomllib.loads(path.read_text(encoding="utf-8")).items()
    }
