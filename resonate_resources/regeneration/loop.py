"""A rebuilt track bettered round by round: one decision changed, what depends on it remade, and judged again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from resonate_resources.recordings.recording import AudioError
from resonate_resources.regeneration.decisions import BUS, Change, Decisions, apply, depends
from resonate_resources.regeneration.quality_report import QualityReport
from resonate_resources.signal import rounds_chart

LOOP = "loop.json"
_MINUTE_S: Final = 60.0
_MOST_TRIED: Final = 5  # changes a round, most of which make the same again

Made = TypeVar("Made")
"""What is judged: a track as it was rebuilt."""

Ended = Literal["matched", "nothing left to try", "rounds", "minutes"]


class Round(BaseModel):
    """The first has no change. effect: on the best total so far. remade: stems, and the bus. lowest: the dimension
    with the lowest score. failed: why there is no total, on one line."""

    model_config = ConfigDict(frozen=True)

    change: Change | None
    total: float | None
    effect: float | None
    kept: bool
    lowest: str | None
    remade: tuple[str, ...]
    seconds: float
    failed: str = ""

    def __str__(self) -> str:
        if self.change is None:
            return f"as decided first: {self.total:.1f}"
        outcome = "kept" if self.kept else "undone"
        came = f"{outcome}: {self.failed}" if self.failed else f"{self.effect:+.2f}, {outcome}"
        return f"{self.change} ({came}; {self.change.by}: {self.change.reason})"


class Curve(BaseModel):
    """total: of the best, which is the last round that was kept. ended: why there was no further round."""

    model_config = ConfigDict(frozen=True)

    rounds: tuple[Round, ...]
    total: float
    ended: Ended

    @property
    def gained(self) -> float:
        first = self.rounds[0].total
        assert first is not None  # the first round does not fail
        return self.total - first

    def picture(self, matched: float | None = None) -> bytes:
        """A PNG. matched: the total to be reached."""
        return rounds_chart.rounds(
            [each.total for each in self.rounds],
            [each.kept for each in self.rounds],
            list(map(str, self.rounds)),
            matched,
        )

    def write(self, path: Path) -> None:
        path.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Improved(Generic[Made]):
    """The best of all rounds."""

    decisions: Decisions
    made: Made
    report: QualityReport
    curve: Curve


def improve(
    first: Decisions,
    rebuild: Callable[[Decisions, frozenset[str], Made | None], Made],
    judge: Callable[[Made], QualityReport],
    correct: Callable[[Decisions, QualityReport, Sequence[Change]], Change | None],
    rounds: int,
    minutes: float,
    clock: Callable[[], float] = time.monotonic,
    same: Callable[[Made, Made], bool] | None = None,
) -> Improved[Made]:
    """Rebuild, judge, change, until the report says "matched", for at most so many rounds after the first and so
    many minutes, the first among them.

    rebuild: the track by those decisions; what is not named (stems, BUS) is taken from what is given, which must
    stay as it is. correct: is told of all changes so far, those undone among them. A change is kept where it raises
    the total and loses no acceptance; one that makes the same again is no round. No round begins that would end too
    late were it as long as the longest so far; one that raises AudioError is undone, but for the first.
    """
    began = clock()
    everything = frozenset({*map(str, first.stems), BUS})
    decisions, made = first, rebuild(first, everything, None)
    report = judge(made)
    done = [
        Round(
            change=None,
            total=report.total,
            effect=None,
            kept=True,
            lowest=_lowest(report),
            remade=tuple(sorted(everything)),
            seconds=round(clock() - began, 2),
        )
    ]
    tried: list[Change] = []
    longest = 0.0
    ended: Ended = "matched"
    while not report.matched:
        started = clock()
        if len(done) > rounds or len(tried) >= _MOST_TRIED * rounds:
            ended = "rounds"
            break
        if started - began + longest >= minutes * _MINUTE_S:
            ended = "minutes"
            break
        change = correct(decisions, report, tuple(tried))
        if change is None:
            ended = "nothing left to try"
            break
        tried.append(change)
        changed = apply(decisions, change)
        remade = depends(change)
        failed = ""
        try:
            other = rebuild(changed, remade, made)
            if same is not None and same(made, other):
                continue
            heard = judge(other)
        except AudioError as error:
            failed = str(error)
        took = clock() - started
        longest = max(longest, took)
        better = not failed and heard.total > report.total and (heard.accepted or not report.accepted)
        done.append(
            Round(
                change=change,
                total=None if failed else heard.total,
                effect=None if failed else round(heard.total - report.total, 2),
                kept=better,
                lowest=None if failed else _lowest(heard),
                remade=tuple(sorted(remade)),
                seconds=round(took, 2),
                failed=failed,
            )
        )
        if better:
            decisions, made, report = changed, other, heard
    return Improved(decisions, made, report, Curve(rounds=tuple(done), total=report.total, ended=ended))


def _lowest(report: QualityReport) -> str | None:
    return min(report.dimensions, key=lambda name: report.dimensions[name].score, default=None)
