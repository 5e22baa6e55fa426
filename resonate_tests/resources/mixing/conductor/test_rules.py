"""Rules at the desk: what is too much for its kind goes, nothing else does, and nothing jumps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from resonate_resources.mixing.brief import MixingBrief
from resonate_resources.mixing.conductor.conduct import conduct
from resonate_resources.mixing.conductor.nuance import Judgement
from resonate_resources.mixing.conductor.rules import conduct_by_rules
from resonate_resources.mixing.holdings import Worth, hold
from resonate_resources.mixing.kind import DEFECTS as SHAPES
from resonate_resources.mixing.kind import kind_of
from resonate_resources.mixing.material import FINISHED
from resonate_resources.mixing.plan import MixPlan, Octaves
from resonate_resources.mixing.resource import PLAN, MixingResource
from resonate_resources.mixing.wishes import Wishes
from resonate_resources.preset import Preset
from resonate_resources.recordings.recording import write_samples
from resonate_studio.demo_song import DemoSong
from resonate_tests.benchmarks.bench_conductor import DEFECTS, distances_db, planned, spoiled
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


def test_a_hole_is_not_filled() -> None:
    assert (tone_of((0, 0, 0, -9, -9, 0, 0, 0, 0, 0)) <= 0).all()


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
    one, two = (Judgement(kind(tuple(each), spread), 2.0, None).defects_db() for each in (excess, nudged))
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


def hat() -> np.ndarray:
    bursts = np.random.default_rng(1).standard_normal(4 * 44_100) * (np.arange(4 * 44_100) % 11_025 < 2000)
    return signal.sosfilt(signal.butter(4, 6000, "high", fs=44_100, output="sos"), bursts)


def toms() -> np.ndarray:
    at = np.arange(4 * 44_100) / 44_100
    return (np.sin(2 * np.pi * 90 * at) + np.sin(2 * np.pi * 140 * at)) * np.exp(-6 * (at % 0.5))


def bass_notes() -> np.ndarray:
    at = np.arange(4 * 44_100) / 44_100
    return sum(np.sin(2 * np.pi * 82 * partial * at) / partial for partial in range(1, 12))


@pytest.mark.parametrize("preset", ["conservative", "balanced", "aggressive"])
@pytest.mark.parametrize(("name", "played"), [("drums", hat), ("drums", toms), ("bass", bass_notes)])
def test_what_one_part_plays_alone_is_left_alone(
    name: str, played: Callable[[], np.ndarray], preset: Preset, tmp_path: Path
) -> None:
    sound = (0.2 * np.stack([played()] * 2) / np.abs(played()).max()).astype(np.float32)
    remains = (1e-3 * np.random.default_rng(2).standard_normal(sound.shape)).astype(np.float32)
    stems = {
        each: write_samples(tmp_path / f"{each}.wav", sound if each == name else remains, 44_100)
        for each in STEMS
    }
    worth = {each: [Worth(0.0, 4.0, 10.0, 1.0)] for each in stems}
    brief = MixingBrief(preset=preset)
    product = MixingResource().plan(stems, worth, FINISHED, brief, tmp_path)
    assert MixPlan.read(product.files[PLAN]).moves_nothing


def test_a_finished_song_is_left_alone(demo_song: DemoSong) -> None:
    plan = planned(demo_song.stems)
    assert plan.moves_nothing
    assert (plan.moves, plan.conducted_by) == ((), "rules")


@pytest.mark.parametrize(("defect", "raised_db", "left"), [("muddy", 6.0, 0.5), ("harsh", 10.0, 2 / 3)])
def test_a_song_that_was_spoiled_on_purpose_is_brought_back(
    defect: str, raised_db: float, left: float, demo_song: DemoSong, tmp_path: Path
) -> None:
    """The distance is of scipy's Welch spectra by third octave. By itself the song is nearly two standard
    deviations under its kind at 4 to 8 kHz: of what is added there, so much can't be told from its own."""
    stems = spoiled(demo_song.stems, DEFECTS[defect], raised_db, tmp_path)
    plan = planned(stems)
    before, after = distances_db(demo_song.stems, stems, plan)
    assert after <= left * before
    assert any(defect in reason for reason in plan.reasons)
    kind = kind_of({name: energy.sum(axis=0) for name, energy in hold(stems, {}).stems.items()})
    shape = SHAPES[defect]
    assert kind.amount(shape)[1] > 2
    assert kind.with_tone(plan.tone_db).amount(shape)[1] <= 2
