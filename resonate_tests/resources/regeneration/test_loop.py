"""A track is bettered for as long as that helps and is allowed, and is never left worse than it was."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from resonate_resources.recordings.recording import AudioError
from resonate_resources.regeneration.decisions import Change, Decisions, InstrumentChoice, apply
from resonate_resources.regeneration.loop import Curve, Improved, improve
from resonate_resources.regeneration.quality_report import QualityReport
from resonate_resources.regeneration.rules import correct
from resonate_tests.resources.regeneration.rebuilt import CANDIDATES, DECISIONS, DIMENSIONS, World, report

SECOND = InstrumentChoice(kind="soundfont", label="Fingered Bass")


def by_rules(decisions: Decisions, heard: QualityReport, tried: Sequence[Change]) -> Change | None:
    return correct(decisions, heard, CANDIDATES, tried)


def improved(world: World, rounds: int = 20, minutes: float = 60.0) -> Improved[Decisions]:
    return improve(DECISIONS, world.rebuild, world.judge, by_rules, rounds, minutes)


class Clock:
    """Gives the times in their order, and goes on by the last step."""

    def __init__(self, *times: float) -> None:
        self._times = iter(times)
        self._now = 0.0

    def __call__(self) -> float:
        self._now = next(self._times, self._now + 60.0)
        return self._now


worlds = st.builds(
    World,
    gate=st.floats(0.25, 4),
    shift_ms=st.floats(-50, 50),
    instrument=st.sampled_from([SECOND, None]),
    told=st.booleans(),
)


@given(worlds, st.integers(0, 12))
@example(World(instrument=SECOND), 12)
def test_rules_never_lose_and_find_what_is_wrong_where_there_are_rounds_for_it(
    world: World, rounds: int
) -> None:
    first = world.judge(DECISIONS).total
    made = improved(world, rounds)
    totals = [each.total for each in made.curve.rounds if each.kept and each.total is not None]
    assert totals[0] == first
    assert totals == sorted(set(totals))
    assert made.curve.total == totals[-1] == world.judge(made.decisions).total == made.report.total
    assert len(made.curve.rounds) <= rounds + 1
    if made.curve.ended == "matched":
        assert made.report.matched
    elif rounds == 12:
        assert made.curve.gained > 0


def test_the_wrong_instrument_and_the_wrong_lengths_are_put_right() -> None:
    made = improved(World(instrument=SECOND, shift_ms=15.0, gate=4.0, told=True))
    assert made.curve.ended == "matched"
    assert made.decisions.stems["bass"].gate >= 2
    assert made.decisions.stems["bass"].instrument == SECOND


def test_what_makes_the_same_again_is_no_round() -> None:
    world = World(instrument=SECOND)
    always = improve(DECISIONS, world.rebuild, world.judge, by_rules, 3, 60.0, same=lambda one, other: True)
    assert always.curve.ended == "nothing left to try"
    assert len(always.curve.rounds) == 1
    assert always.decisions == DECISIONS


def test_only_what_a_change_touches_is_made_again() -> None:
    world = World(instrument=SECOND)
    improved(world)
    assert world.remade[0] == {"drums", "bass", "other", "bus"}
    assert len(world.remade) > 1
    assert set(world.remade[1:]) == {frozenset({"bass", "bus"})}


REPORTS = st.builds(report, st.dictionaries(st.sampled_from(DIMENSIONS), st.floats(0, 100), max_size=15))


@given(st.lists(st.one_of(REPORTS, st.just(None)), max_size=20), REPORTS, st.integers(0, 25))
def test_whatever_is_heard_the_best_is_what_is_left(
    heard: list[QualityReport | None], first: QualityReport, rounds: int
) -> None:
    said = iter([first, *heard, *([None] * 200)])
    built: list[Decisions] = []

    def rebuild(decisions: Decisions, _: frozenset[str], before: Any) -> int:
        built.append(decisions)
        return len(built) - 1

    def judge(_: int) -> QualityReport:
        now = next(said)
        if now is None:
            raise AudioError("the plugin has crashed")
        return now

    made = improve(DECISIONS, rebuild, judge, by_rules, rounds, 1e6)
    assert made.report.total == made.curve.total >= first.total
    assert made.report.accepted or not first.accepted
    assert built[made.made] == made.decisions
    assert len(made.curve.rounds) == len(built) <= rounds + 1
    decisions, total = DECISIONS, first.total
    for each in made.curve.rounds[1:]:
        assert each.change is not None
        if each.kept:
            assert each.total is not None
            assert each.total > total
            decisions, total = apply(decisions, each.change), each.total
    assert decisions == made.decisions


def changes(count: int) -> Iterator[Change]:
    for number in range(count):
        yield Change(path="bus_eq_db", before=6.0, after=number / 100, reason="", by="rules")


def tried_in_turn(
    totals: Sequence[float | Exception], **bounds: Any
) -> tuple[Improved[int], list[list[Change]]]:
    """First one, then another change of the bus, none of which gets better than the one before it by itself."""
    left, seen = changes(100), []
    said = iter(totals)

    def judge(_: int) -> QualityReport:
        now = next(said)
        if isinstance(now, Exception):
            raise now
        return report({"timbre": now})

    def correct_in_turn(decisions: Decisions, _: QualityReport, tried: Sequence[Change]) -> Change:
        seen.append(list(tried))
        return next(left).model_copy(update={"before": decisions.bus_eq_db})

    made = improve(
        DECISIONS, lambda *_: 0, judge, correct_in_turn, **{"rounds": 20, "minutes": 60.0, **bounds}
    )
    return made, seen


def test_a_change_that_lowers_the_total_is_undone_and_told_to_who_corrects_next() -> None:
    made, seen = tried_in_turn([20.0, 10.0, 30.0, 30.0], rounds=3)
    assert [each.kept for each in made.curve.rounds] == [True, False, True, False]
    assert made.decisions.bus_eq_db == 0.01
    assert [len(each) for each in seen] == [0, 1, 2]
    assert made.curve.rounds[1].effect is not None
    assert made.curve.rounds[1].effect < 0
    assert made.curve.rounds[3].effect == 0


def test_a_round_that_fails_is_undone_and_told_and_the_first_is_not_survived() -> None:
    made, _ = tried_in_turn([20.0, AudioError("it has crashed"), 30.0], rounds=2)
    assert [each.failed for each in made.curve.rounds] == ["", "it has crashed", ""]
    assert made.decisions.bus_eq_db == 0.01
    with pytest.raises(AudioError, match="at once"):
        tried_in_turn([AudioError("at once")])


def test_acceptance_is_not_given_up_for_a_higher_total() -> None:
    accepted, higher = report({"timbre": 60.0, "reverb": 60.0}), report({"timbre": 45.0})
    assert higher.total > accepted.total
    assert (accepted.accepted, higher.accepted, accepted.matched) == (True, False, False)
    said = iter([accepted, higher])
    left = changes(1)
    made = improve(DECISIONS, lambda *_: 0, lambda _: next(said), lambda *_: next(left), 1, 60.0)
    assert made.report == accepted


@pytest.mark.parametrize(
    ("bounds", "ended", "rounds"),
    [
        ({"rounds": 0}, "rounds", 0),
        ({"rounds": 3}, "rounds", 3),
        ({"minutes": 0.0}, "minutes", 0),
        # The first ends at 1:00 and the others take a minute each, so the third would end at 4:00.
        ({"minutes": 3.5, "clock": Clock(0, 60, 60, 120, 120, 180, 180)}, "minutes", 2),
        ({"minutes": 4.5, "clock": Clock(0, 60, 60, 120, 120, 180, 180, 240, 240)}, "minutes", 3),
    ],
)
def test_rounds_and_minutes_are_bounds(bounds: dict[str, Any], ended: str, rounds: int) -> None:
    made, _ = tried_in_turn([20.0] * 30, **bounds)
    assert (made.curve.ended, len(made.curve.rounds) - 1) == (ended, rounds)


def test_it_ends_once_it_matches_or_nothing_is_left() -> None:
    made, _ = tried_in_turn([20.0, 99.0, 100.0])
    assert (made.curve.ended, len(made.curve.rounds)) == ("matched", 2)
    nothing = improve(DECISIONS, lambda *_: 0, lambda _: report({"timbre": 0}), lambda *_: None, 5, 60.0)
    assert nothing.curve.ended == "nothing left to try"


def test_the_curve_is_written_as_json(tmp_path: Path) -> None:
    made = improved(World(instrument=SECOND))
    made.curve.write(tmp_path / "loop.json")
    read = json.loads((tmp_path / "loop.json").read_text())
    assert Curve.model_validate(read) == made.curve
    assert read["rounds"][1]["change"]["after"] == SECOND.model_dump()
    assert read["ended"] == "matched"
