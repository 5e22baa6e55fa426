"""Rules at the desk: what is too much for its kind goes, nothing else does, and nothing jumps."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.mixing.brief import MixingBrief
from resonate_resources.mixing.conductor.conduct import conduct
from resonate_resources.mixing.conductor.nuance import Judgement
from resonate_resources.mixing.conductor.rules import conduct_by_rules, defects_db
from resonate_resources.mixing.holdings import Worth, hold
from resonate_resources.mixing.kind import kind_of
from resonate_resources.mixing.material import material_of
from resonate_resources.mixing.plan import MixPlan, Octaves
from resonate_resources.mixing.planning import plan_mix
from resonate_resources.mixing.wishes import Wishes
from resonate_resources.recordings.recording import Stems
from resonate_resources.signal.linear_phase import filtered, linear_phase
from resonate_studio.demo_song import DemoSong
from resonate_tests.benchmarks.bench_conductor import DEFECTS, distance_db, spoiled
from resonate_tests.resources.mixing.conductor.desks import HARSH, MUD, STEMS, desk, holdings, kind


def tone_of(excess: Octaves, spread_db: float = 1.0) -> np.ndarray:
    wishes = Wishes(dict.fromkeys(STEMS, 0.0))
    made = conduct(wishes, holdings(), kind(excess, spread_db), -24.0, MixingBrief(), None)
    assert made.wishes.gains_db == wishes.gains_db
    assert made.wishes.tones_db == {}
    return np.array(made.wishes.tone_db)


@pytest.mark.parametrize(("excess", "octaves"), [(MUD, [3, 4]), (HARSH, [7, 8])])
def test_what_is_too_much_is_taken_off_where_it_is_and_the_reason_names_it(
    excess: Octaves, octaves: list[int]
) -> None:
    tone = tone_of(tuple(part * 5 / 9 for part in excess))
    assert tone[octaves] == pytest.approx([-5, -5], abs=0.1)
    assert np.delete(tone, octaves) == pytest.approx([0] * 8)
    by_rules = desk(kind(excess))
    conduct_by_rules(by_rules)
    name = "muddy" if excess == MUD else "harsh"
    assert by_rules.moves[0].reason == f"{name} by 9.0 dB for its kind"


@given(st.lists(st.floats(-1, 1), min_size=10, max_size=10))
def test_what_is_within_the_kinds_spread_is_left_alone(within: list[float]) -> None:
    """Of any shape, no more than two of its standard deviations: here each octave's, of 3 dB, is a third of one."""
    assert not tone_of(tuple(within), 3.0).any()


def test_what_is_missing_is_not_put_in() -> None:
    assert not tone_of((0, 0, 0, -9, -9, 0, 0, 0, 0, 0)).any()


def test_the_correction_grows_from_nothing_without_a_jump() -> None:
    amounts = np.arange(0, 12, 0.02)
    tones = np.array([tone_of(tuple(part * amount / 9 for part in MUD), 2.0) for amount in amounts])
    steps = np.abs(np.diff(tones, axis=0)).max(axis=1)
    assert not tones[0].any()
    assert tones[-1, 3] == -6
    assert steps.max() < 0.15  # 0.1 dB is the least that is moved at all


@given(st.lists(st.floats(-12, 12), min_size=10, max_size=10), st.floats(0.5, 4), st.integers(0, 9))
def test_what_is_heard_as_a_defect_moves_on_steadily(excess: list[float], spread: float, at: int) -> None:
    nudged = [value + 0.001 * (octave == at) for octave, value in enumerate(excess)]
    one, two = (defects_db(Judgement(kind(tuple(each), spread), 2.0, None)) for each in (excess, nudged))
    for name in one.keys() | two.keys():
        assert abs(one.get(name, 0.0) - two.get(name, 0.0)) < 0.05


@given(st.lists(st.floats(-12, 12), min_size=10, max_size=10), st.floats(0.5, 4))
def test_rules_end_leave_nothing_worse_and_say_the_same_twice(excess: list[float], spread: float) -> None:
    moves = []
    for _ in range(2):
        by_rules = desk(kind(tuple(excess), spread))
        conduct_by_rules(by_rules)
        moves.append(by_rules.moves)
    assert moves[0] == moves[1]
    kept = [move for move in moves[0] if move.outcome == "kept"]
    assert all(move.after < move.before for move in kept)


def planned(stems: Stems) -> MixPlan:
    worth = {name: [Worth(0.0, stem.duration, math.inf, 0.0)] for name, stem in stems.items()}
    finished = material_of(20_000.0, [0.0] * 10)
    return plan_mix(MixingBrief(), finished, hold(stems, worth), dict.fromkeys(stems, -20.0))


def test_a_finished_song_is_left_alone(demo_song: DemoSong) -> None:
    plan = planned(demo_song.stems)
    assert plan.moves_nothing
    assert (plan.moves, plan.conducted_by) == ((), "rules")


@pytest.mark.parametrize("defect", ["muddy", "harsh"])
def test_a_song_that_was_spoiled_on_purpose_is_brought_back(
    defect: str, demo_song: DemoSong, tmp_path: Path
) -> None:
    """The distance is scipy's Welch spectra by third octave, of what was mixed and then carried out."""
    stems = spoiled(demo_song.stems, DEFECTS[defect], 8.0, tmp_path)
    plan = planned(stems)
    assert plan.tone_db != (0,) * 10
    clean, bad = (
        np.sum([stem.read() for stem in each.values()], axis=0) for each in (demo_song.stems, stems)
    )
    rate = demo_song.stems["vocals"].sample_rate
    taps = linear_phase(plan.tone_db, rate)
    mended = np.sum([np.concatenate([*filtered(stem, taps)], axis=1) for stem in stems.values()], axis=0)
    assert distance_db(mended, clean, rate) <= 0.5 * distance_db(bad, clean, rate)
    assert any(defect in reason for reason in plan.reasons)
    kind = kind_of({name: energy.sum(axis=0) for name, energy in hold(stems, {}).stems.items()})
    assert defect in kind.defects_db(2.0)
    assert defect not in kind.with_tone(plan.tone_db).defects_db(2.0)
