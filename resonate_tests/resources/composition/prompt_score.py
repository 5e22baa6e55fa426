"""How much of the marked prompts is read right: python -m resonate_tests.resources.composition.prompt_score

A field is right where it equals its mark; claimed without a mark it is wrong, but for moods beyond those marked
and for `vocals_wanted: false`, which says what `without: vocals` says. A tempo is right where the middle of what
was read lies within the mark, or within 5 % of a marked number. A mark of null is met where nothing is claimed and
it is told.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from resonate_resources.composition.prompt.reading import read_prompt
from resonate_resources.composition.request import Understanding

MARKED = Path(__file__).parent / "prompts" / "marked.json"
_UNORDERED = ("instruments", "without")


@dataclass
class Score:
    """Per field: right, claimed wrongly or beside the mark, missed."""

    right: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    claimed: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    marked: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    fields: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        return sum(self.right.values()) / self.fields


def score() -> Score:
    total = Score()
    for prompt in json.loads(MARKED.read_text(encoding="utf-8")):
        _count(total, prompt, read_prompt(prompt["text"]))
    return total


def _count(total: Score, prompt: dict[str, Any], understood: Understanding) -> None:
    marks = {
        name: value for name, value in prompt["marks"].items() if name not in ("contradiction", "invalid")
    }
    contradictions = prompt.get("contradiction", prompt["marks"].get("contradiction", []))
    marks |= {f"contradiction of {name}": True for name in contradictions}
    claims = {
        name: value for name, value in understood.asked.model_dump().items() if value not in (None, (), False)
    }
    claims |= {"swing": False} if understood.asked.swing is False else {}
    claims |= {f"contradiction of {name}": True for name in understood.contradictory}
    claims |= dict.fromkeys(understood.invalid)
    if "mood" not in marks:
        claims.pop("mood", None)
    for name in sorted(marks.keys() | claims.keys()):
        kind = name.partition(" of ")[0]
        total.fields += 1
        right = name in marks and _is_right(name, marks[name], claims.get(name), understood)
        total.claimed[kind] += name in claims or right
        total.marked[kind] += name in marks
        if right:
            total.right[kind] += 1
        else:
            told = f"{claims.get(name, '-')} instead of {marks.get(name, '-')}"
            total.wrong.append(f"{prompt['id']} {name}: {told} | {prompt['text']}")


def _is_right(name: str, mark: Any, claim: Any, understood: Understanding) -> bool:
    if mark is None:
        return claim is None and (
            name in understood.invalid or any(name in line for line in understood.remarks)
        )
    if claim is None:
        return False
    if name == "bpm":
        low, high = mark if isinstance(mark, list) else (0.95 * mark, 1.05 * mark)
        return bool(low <= sum(claim) / 2 <= high)
    if name == "mood":
        return set(mark) <= set(claim)
    if name in _UNORDERED:
        return set(mark) == set(claim)
    return bool(claim == (tuple(mark) if isinstance(mark, list) else mark))


if __name__ == "__main__":
    found = score()
    print(f"{sum(found.right.values())} of {found.fields} fields right: {found.share:.1%}")
    for name in sorted(found.marked.keys() | found.claimed.keys()):
        right, claimed, marked = found.right[name], found.claimed[name], found.marked[name]
        precision = f"{right / claimed:.2f}" if claimed else "-"
        recall = f"{right / marked:.2f}" if marked else "-"
        print(f"{name:16} precision {precision}  recall {recall}  ({marked} marked, {claimed} claimed)")
    if "--wrong" in sys.argv:
        print(*found.wrong, sep="\n")
