from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.recordings.recording import AudioError
from resonate_resources.separation.quality import Instrumental
from resonate_resources.separation.router import (
    EngineFacts,
    Machine,
    Plan,
    TrackFacts,
    Wish,
    plan,
    read_policy,
)

SONG = TrackFacts(megabytes=8, seconds=200)
LARGE = TrackFacts(megabytes=51, seconds=300)
IDLE, BUSY, GPU = Machine(False, 0.1), Machine(False, 2.5), Machine(True, 0.1)
POLICY = read_policy()

ALL = tuple(
    EngineFacts(name, model, stems, None, 5.0 if name == "lalal" else 0.0)
    for name, model, counts in (
        ("demucs", "htdemucs_ft", (4, 2)),
        ("demucs", "htdemucs", (4, 2)),
        ("demucs", "htdemucs_6s", (6,)),
        ("roformer", "mel", (4, 2)),
        ("uvr", "mdx", (4, 2)),
        ("lalal", None, (4, 2)),
        ("spectral", None, (4, 2)),
    )
    for stems in counts
)


def order(planned: Plan) -> list[str]:
    return [step.engine.label for step in planned.steps]


def without(*names: str) -> list[EngineFacts]:
    return [replace(engine, unavailable="not here") if engine.name in names else engine for engine in ALL]


def test_demucs_is_the_default_and_the_embedded_engine_the_last_resort():
    assert order(plan(SONG, ALL, IDLE, Wish(), POLICY)) == [
        "demucs:htdemucs_ft",
        "roformer:mel",
        "uvr:mdx",
        "lalal",
        "spectral",
    ]


def test_vocals_that_come_first_go_to_the_service_first():
    assert order(plan(SONG, ALL, IDLE, Wish(priority="vocals"), POLICY))[:2] == ["lalal", "roformer:mel"]


def test_two_stems_are_for_the_models_made_for_vocals():
    assert order(plan(SONG, ALL, IDLE, Wish(stems=2), POLICY))[:3] == [
        "roformer:mel",
        "uvr:mdx",
        "demucs:htdemucs_ft",
    ]


def test_a_gpu_brings_roformer_first_and_demucs_as_its_fallback():
    assert order(plan(SONG, ALL, GPU, Wish(), POLICY))[:2] == ["roformer:mel", "demucs:htdemucs_ft"]


def test_a_busy_machine_without_a_gpu_takes_one_model_instead_of_four():
    assert order(plan(SONG, ALL, BUSY, Wish(), POLICY))[0] == "demucs:htdemucs"


def test_a_large_file_goes_to_the_service_unless_it_is_one_of_a_batch():
    assert order(plan(LARGE, ALL, IDLE, Wish(), POLICY))[0] == "lalal"
    assert order(plan(LARGE, ALL, IDLE, Wish(batch=True), POLICY))[0] == "demucs:htdemucs_ft"


def test_six_stems_are_for_the_model_that_has_them():
    assert order(plan(SONG, ALL, IDLE, Wish(stems=6), POLICY)) == ["demucs:htdemucs_6s"]


def test_an_engine_that_cannot_run_is_left_out_with_its_reason():
    planned = plan(SONG, without("demucs", "lalal"), IDLE, Wish(), POLICY)
    assert order(planned) == ["roformer:mel", "uvr:mdx", "spectral"]
    assert [(step.engine.label, step.reason) for step in planned.left_out] == [
        ("demucs:htdemucs_ft", "not here"),
        ("lalal", "not here"),
    ]


def test_the_next_best_model_of_an_engine_stands_in_for_the_best():
    engines = [
        replace(engine, unavailable="no weights") if engine.model == "htdemucs_ft" else engine
        for engine in ALL
    ]
    assert order(plan(SONG, engines, IDLE, Wish(), POLICY))[0] == "demucs:htdemucs"


def test_a_track_that_would_cost_more_than_the_cap_is_not_sent_to_a_service():
    dear = [replace(engine, cost_minutes=31.0) if engine.name == "lalal" else engine for engine in ALL]
    planned = plan(SONG, dear, IDLE, Wish(priority="vocals"), POLICY)
    assert "lalal" not in order(planned)
    [left_out] = planned.left_out
    assert left_out.reason == "would cost 31.0 minutes of at most 30"


@pytest.mark.parametrize("name", ["uvr", "demucs:htdemucs", "lalal"])
def test_an_engine_that_is_asked_for_is_the_whole_plan(name):
    planned = plan(LARGE, ALL, BUSY, Wish(engine=name, priority="vocals"), POLICY)
    assert [step.engine.label.startswith(name) for step in planned.steps] == [True]


@pytest.mark.parametrize(
    ("wish", "line"),
    [
        (Wish(engine="demux"), "demux: no such engine; there are demucs, roformer, uvr, lalal, spectral"),
        (Wish(engine="spectral", stems=6), "spectral: gives 2 or 4 stems, not 6"),
        (Wish(stems=3), "3 stems: there are 2, 4 or 6"),
    ],
)
def test_what_there_is_not_is_told_in_one_line(wish, line):
    with pytest.raises(AudioError) as error:
        plan(SONG, ALL, IDLE, wish, POLICY)
    assert str(error.value) == line


@given(
    st.builds(TrackFacts, st.floats(0, 1e4), st.floats(0, 1e5)),
    st.builds(Machine, st.booleans(), st.floats(0, 50)),
    st.builds(
        Wish, st.just("auto"), st.sampled_from([2, 4]), st.sampled_from(["none", "vocals"]), st.booleans()
    ),
    st.lists(st.sampled_from(ALL), unique=True),
)
def test_whatever_is_there_is_planned_once_or_left_out_with_a_reason(track, machine, wish, engines):
    planned = plan(track, engines, machine, wish, POLICY)
    labels = [step.engine.label for step in (*planned.steps, *planned.left_out)]
    assert len(labels) == len(set(labels))
    assert {step.engine.stems for step in planned.steps} <= {wish.stems}
    assert all(step.reason for step in (*planned.steps, *planned.left_out))
    fitting = {engine.name for engine in engines if engine.stems == wish.stems}
    assert {step.engine.name for step in (*planned.steps, *planned.left_out)} == fitting


def test_a_policy_of_ones_own_counts():
    policy = read_policy(
        """
        retry_below_db = 3.0
        most_cost_minutes = 0.0
        [[rule]]
        name = "nothing but this"
        engines = ["spectral"]
        """
    )
    assert policy.retry_below_db == 3
    assert policy.instrumental == Instrumental(-math.inf, -math.inf)  # none is taken for one
    planned = plan(SONG, ALL, GPU, Wish(), policy)
    assert order(planned) == ["spectral"]
    assert planned.steps[0].reason == "nothing but this"


def test_what_is_taken_for_an_instrumental_is_a_row_of_the_policy():
    row = "instrumental = { level_db = -20, quality_db = -3 }"
    policy = read_policy(f"retry_below_db = 7\nmost_cost_minutes = 1\nrule = []\n{row}")
    assert policy.instrumental == Instrumental(-20.0, -3.0)


@pytest.mark.parametrize(
    "text",
    [
        "rule = [",
        "retry_below_db = 7.0",
        "retry_below_db = 7.0\nmost_cost_minutes = 1\n[[rule]]\nname = 'x'\nengines = []\nfoo = 1",
        "retry_below_db = 7.0\nmost_cost_minutes = 1\nrule = []\ninstrumental = { loudness = 1 }",
        "retry_below_db = 'high'\nmost_cost_minutes = 1\n[[rule]]\nname = 'x'\nengines = []",
    ],
)
def test_a_policy_that_is_none_is_told_in_one_line(text):
    with pytest.raises(AudioError, match=r"^the separation policy can't be used: .+$"):
        read_policy(text)


def test_where_no_rule_holds_it_says_so():
    policy = read_policy(
        'retry_below_db = 7.0\nmost_cost_minutes = 1\n[[rule]]\nname = "x"\nstems = 2\nengines = ["spectral"]'
    )
    with pytest.raises(AudioError, match="no rule of the policy holds for 4 stems"):
        plan(SONG, ALL, IDLE, Wish(), policy)
