from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from resonate_resources.recordings.recording import AudioError, Recording, Stems, write_samples
from resonate_resources.separation.attempts import Outcome, carry_out
from resonate_resources.separation.judging import JudgeOfStems
from resonate_resources.separation.quality import (
    Instrumental,
    StemQuality,
    WindowQuality,
    measure_quality,
    window_bounds,
)
from resonate_resources.separation.router import EngineFacts, Plan, Step
from resonate_resources.separation.splicing import Span
from resonate_resources.separation.trying import Judge
from resonate_tests.resources.separation.separators import RATE, Truthful, true_stems

SECONDS = 100
TRUTH = true_stems(SECONDS)
GOOD = [12.0] * 10
NO_TRACK = Instrumental()


@pytest.fixture
def track(tmp_path) -> Recording:
    return write_samples(tmp_path / "track.wav", np.sum(list(TRUTH.values()), axis=0), RATE)


@pytest.fixture
def truth(tmp_path) -> dict[str, Recording]:
    folder = tmp_path / "truth"
    folder.mkdir()
    return {name: write_samples(folder / f"{name}.wav", stem, RATE) for name, stem in TRUTH.items()}


@pytest.fixture
def carried_out(track, truth, tmp_path):
    def run(
        separators: Sequence[Truthful],
        cost_minutes: float | Sequence[float] = 0.0,
        left_out: Sequence[Step] = (),
        judge: Judge | None = None,
        instrumental: Instrumental = NO_TRACK,
        retry_below_db: float = 7.0,
    ) -> Outcome:
        costs = [cost_minutes] * len(separators) if isinstance(cost_minutes, float) else cost_minutes
        by_engine = {
            EngineFacts(s.name, None, 4, None, cost): s for s, cost in zip(separators, costs, strict=True)
        }
        plan = Plan(tuple(Step(engine, "the rule") for engine in by_engine), tuple(left_out))
        into = tmp_path / "attempts"
        into.mkdir()
        judge = judge or JudgeOfStems(truth, into)
        return carry_out(
            plan,
            track,
            by_engine.__getitem__,
            judge,
            retry_below_db,
            instrumental,
            into,
            lambda _: None,
        )

    return run


def test_vocals_that_are_good_enough_end_the_search(carried_out):
    first, second = Truthful("first", TRUTH, GOOD), Truthful("second", TRUTH, GOOD)
    outcome = carried_out([first, second])
    assert second.asked == []
    assert [(a.engine, a.outcome) for a in outcome.attempts] == [
        ("first", "all kept, vocals measured at 12.0 dB")
    ]
    assert outcome.engine.name == "first"


def test_under_seven_decibels_the_next_engine_is_tried_and_the_better_one_kept(carried_out, truth):
    poor, good = Truthful("poor", TRUTH, [2.0] * 10), Truthful("good", TRUTH, GOOD)
    outcome = carried_out([poor, good])
    assert good.asked == [(0, SECONDS * RATE)]
    assert outcome.engine.name == "good"
    assert outcome.quality["vocals"].si_sdr_db == pytest.approx(12, abs=0.2)
    assert measure_quality(outcome.stems, truth)["vocals"].si_sdr_db == outcome.quality["vocals"].si_sdr_db
    assert outcome.attempts[1].reason == "vocals measured at 2.0 dB, under 7; the rule"
    assert outcome.attempts[1].outcome == "better in 10 of 10 windows"


def test_a_worse_second_attempt_changes_nothing(carried_out):
    outcome = carried_out([Truthful("poor", TRUTH, [4.0] * 10), Truthful("worse", TRUTH, [1.0] * 10)])
    assert outcome.engine.name == "poor"
    assert outcome.quality["vocals"].si_sdr_db == pytest.approx(4, abs=0.2)
    assert outcome.attempts[1].outcome == "better in 0 of 10 windows"
    assert outcome.attempts[1].kept_s == ()


def test_only_windows_that_came_out_poor_are_separated_again_with_context_and_paid_for(carried_out, truth):
    """Two windows of ten are bad enough to bring the whole under 7 dB."""
    first = Truthful("first", TRUTH, [12, 12, -8, -8, 12, 12, 12, 12, 12, 12])
    second = Truthful("second", TRUTH, [20] * 10)
    outcome = carried_out([first, second], cost_minutes=10.0)
    assert second.asked == [(10 * RATE, 50 * RATE)]
    paid = outcome.attempts[1]
    assert paid.tried_s == ((10.0, 50.0),)
    assert paid.kept_s == ((20.0, 30.0), (30.0, 40.0))
    assert paid.cost_minutes == pytest.approx(4.0)
    assert outcome.engine.name == "first"  # most of it is
    # The fades reach half a second into the bad windows.
    assert all(window.si_sdr_db > 11 for window in outcome.quality["vocals"].windows)


def test_what_is_said_of_every_span_is_kept(carried_out):
    class Talkative(Truthful):
        def separate(self, track, into, progress):
            stems = super().separate(track, into, progress)
            self.notes = (f"from {self.asked[-1][0] // RATE} s",)
            return stems

    first = Truthful("first", TRUTH, [-15, 12, 12, 12, 12, 12, 12, 12, -15, 12])
    outcome = carried_out([first, Talkative("second", TRUTH, [20] * 10)])
    assert outcome.notes == ("from 0 s", "from 70 s")


def test_of_each_window_the_better_attempt_is_kept(carried_out):
    first = Truthful("first", TRUTH, [5, 0] * 5)
    second = Truthful("second", TRUTH, [0, 5] * 5)
    outcome = carried_out([first, second])
    assert outcome.attempts[1].kept_s == tuple((10.0 * n, 10.0 * n + 10) for n in range(1, 10, 2))
    assert all(window.si_sdr_db > 4 for window in outcome.quality["vocals"].windows)


def test_an_engine_that_fails_is_passed_over_and_told(carried_out):
    broken = Truthful("broken", TRUTH, GOOD, failure="out of\nmemory")
    outcome = carried_out([broken, Truthful("good", TRUTH, GOOD)])
    assert outcome.engine.name == "good"
    assert outcome.attempts[0].outcome == "failed: out of memory"
    assert outcome.attempts[1].reason == "broken failed; the rule"


def test_where_all_fail_one_line_says_why(carried_out):
    left_out = [Step(EngineFacts("lalal", None, 4, "no key"), "no key")]
    with pytest.raises(AudioError) as error:
        carried_out([Truthful("broken", TRUTH, GOOD, failure="out of memory")], left_out=left_out)
    assert str(error.value) == (
        "no engine could separate the track (lalal: no key; broken: failed: out of memory)"
    )


def test_a_failure_after_a_first_result_keeps_that(carried_out):
    outcome = carried_out(
        [Truthful("poor", TRUTH, [3.0] * 10), Truthful("broken", TRUTH, GOOD, failure="connection lost")]
    )
    assert outcome.engine.name == "poor"
    assert [attempt.outcome for attempt in outcome.attempts][1] == "failed: connection lost"


def test_a_full_disk_is_not_an_engines_failure(carried_out, monkeypatch, tmp_path):
    from resonate_resources.recordings.recording import DestinationError

    def full(*_):
        raise DestinationError(tmp_path / "x.wav")

    separator = Truthful("first", TRUTH, GOOD)
    monkeypatch.setattr(separator, "separate", full)
    with pytest.raises(DestinationError):
        carried_out([separator, Truthful("second", TRUTH, GOOD)])


def predicting(quality_db: float) -> Judge:
    """Finds the same quality in every window, of whatever it gets."""

    def judge(part: Recording, stems: Stems, span: Span) -> dict[str, StemQuality]:
        windows = tuple(
            WindowQuality(start / RATE, stop / RATE, quality_db, 5.0)
            for start, stop in window_bounds(part.frames, RATE)
        )
        return {name: StemQuality("predicted", quality_db, 5.0, windows) for name in stems}

    return judge


# The four stems of the track have equal power, 6.0 dB under its own; noise 2 dB under one makes it 2.1 dB louder.
POOR = [2.0] * 10


def test_for_an_instrumental_no_engine_is_paid_and_the_free_ones_are_tried_on(carried_out):
    first, paid, free = (Truthful(name, TRUTH, POOR) for name in ("first", "paid", "free"))
    outcome = carried_out(
        [first, paid, free], [0.0, 3.0, 0.0], judge=predicting(-5.0), instrumental=Instrumental(-3.0, 0.0)
    )
    assert paid.asked == []
    assert free.asked == [(0, SECONDS * RATE)]
    assert outcome.attempts[1].outcome == "left out"
    assert outcome.attempts[1].cost_minutes == 0
    assert outcome.attempts[1].reason == (
        "vocals predicted at -5.0 dB, under 7; taken for an instrumental, so nothing is paid: "
        "no window's vocals are louder than -3.9 dB against the track or predicted better than -5.0 dB"
    )


@pytest.mark.parametrize(
    ("quality_db", "instrumental"),
    [
        (-5.0, Instrumental(-4.5, 0.0)),  # loud enough for a voice
        (1.0, Instrumental(-3.0, 0.0)),  # good enough for a voice
        (-5.0, NO_TRACK),
    ],
)
def test_where_there_may_be_vocals_the_engine_is_paid(carried_out, quality_db, instrumental):
    first, paid = (Truthful(name, TRUTH, POOR) for name in ("first", "paid"))
    carried_out([first, paid], [0.0, 3.0], judge=predicting(quality_db), instrumental=instrumental)
    assert paid.asked == [(0, SECONDS * RATE)]


def test_a_paid_engine_that_comes_first_has_nothing_to_be_judged_by(carried_out):
    paid = Truthful("paid", TRUTH, POOR)
    outcome = carried_out([paid], 3.0, judge=predicting(-5.0), instrumental=Instrumental(0.0, 7.0))
    assert outcome.attempts[0].cost_minutes == 3.0


def test_where_the_truth_is_known_to_have_vocals_poor_ones_are_worth_paying_for(carried_out):
    first, paid = (Truthful(name, TRUTH, POOR) for name in ("first", "paid"))
    carried_out([first, paid], [0.0, 3.0], instrumental=Instrumental(0.0, 7.0))
    assert paid.asked == [(0, SECONDS * RATE)]


def considered(outcome: Outcome) -> list[str]:
    return [step.engine.name for step in outcome.considered]


def test_engines_that_good_vocals_left_untried_were_not_considered(carried_out):
    outcome = carried_out([Truthful("first", TRUTH, GOOD), Truthful("second", TRUTH, GOOD)])
    assert considered(outcome) == ["first"]
    assert outcome.satisfied


def test_an_engine_that_failed_was_not_considered_one_that_came_out_worse_was(carried_out):
    outcome = carried_out(
        [
            Truthful("broken", TRUTH, GOOD, failure="out of memory"),
            Truthful("poor", TRUTH, POOR),
            Truthful("worse", TRUTH, [1.0] * 10),
            Truthful("offline", TRUTH, GOOD, failure="connection lost"),
        ]
    )
    assert considered(outcome) == ["poor", "worse"]
    assert not outcome.satisfied


def test_the_engine_that_brings_the_vocals_over_seven_decibels_is_the_last_considered(carried_out):
    outcome = carried_out(
        [Truthful(n, TRUTH, q) for n, q in (("poor", POOR), ("good", GOOD), ("third", GOOD))]
    )
    assert considered(outcome) == ["poor", "good"]
    assert outcome.satisfied


def test_an_engine_that_is_not_paid_for_an_instrumental_was_considered_in_its_place(carried_out):
    engines = [Truthful(name, TRUTH, POOR) for name in ("first", "paid", "free")]
    outcome = carried_out(
        engines, [0.0, 3.0, 0.0], judge=predicting(-5.0), instrumental=Instrumental(-3.0, 0.0)
    )
    assert considered(outcome) == ["first", "paid", "free"]
    assert not outcome.satisfied


def test_what_the_plan_left_out_was_not_considered(carried_out):
    left_out = [Step(EngineFacts("lalal", None, 4, "no key"), "no key")]
    outcome = carried_out([Truthful("first", TRUTH, GOOD)], left_out=left_out)
    assert considered(outcome) == ["first"]


def test_who_asks_for_one_engine_is_satisfied_with_poor_vocals(carried_out):
    """Nothing is below minus infinity, which is what an engine asked for by name is held to."""
    assert carried_out([Truthful("first", TRUTH, POOR)], retry_below_db=-math.inf).satisfied
