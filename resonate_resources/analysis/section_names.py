"""What sections may be called: hints from where they stand, how often they come and how loud they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from resonate_resources.analysis.analysis import SectionName

_LOUDER_DB = 1.0


def name_sections(
    letters: Sequence[str], levels_db: Sequence[float], voices: Sequence[int]
) -> list[tuple[SectionName | None, float]]:
    """A name and a confidence of 0 to 1 for each section; None where nothing tells.

    voices: how many stems play. A chorus is what comes again louder than the rest; a verse is what comes again and
    is no chorus; a bridge comes once, between others; an intro and an outro stand at the ends and are thinner.
    """
    count = len(letters)
    if count < 3:
        return [(None, 0.0)] * count
    often = Counter(letters)
    again = [letter for letter in often if often[letter] > 1]

    def level(letter: str) -> float:
        own = [db for db, other in zip(levels_db, letters, strict=True) if other == letter]
        return sum(own) / len(own)

    loudest = max(again, key=level, default=None)
    others = [level(letter) for letter in again if letter != loudest]
    plain = loudest is not None and bool(others) and level(loudest) > max(others) + _LOUDER_DB
    named: list[tuple[SectionName | None, float]] = []
    for number, letter in enumerate(letters):
        following = voices[min(number + 1, count - 1)], levels_db[min(number + 1, count - 1)]
        before = voices[max(number - 1, 0)], levels_db[max(number - 1, 0)]
        if number == 0 and (voices[0] < following[0] or levels_db[0] < following[1] - 3):
            named.append(("intro", 0.9))
        elif number == count - 1 and (voices[-1] < before[0] or levels_db[-1] < before[1] - 3):
            named.append(("outro", 0.8))
        elif letter == loudest and plain:
            named.append(("chorus", 0.85))
        elif letter in again and plain:
            named.append(("verse", 0.85))
        elif often[letter] == 1 and 1 < number < count - 1 and plain:
            named.append(("bridge", 0.4))
        else:
            named.append((None, 0.0))
    return named
