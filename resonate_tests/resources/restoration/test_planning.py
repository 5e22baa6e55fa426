from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.restoration.brief import RestorationBrief
from resonate_resources.restoration.planning import LISTENED_FOR, STEPS, Scope, plan_of
from resonate_resources.restoration.step import Facts, StepName
from resonate_resources.signal.traces import Hum, Traces

FINISHED = Traces(
    bandwidth_hz=20_000.0,
    cut="none",
    cut_fits=(),
    comb=None,
    images_hz=(),
    shimmer=0.02,
    hum=None,
    dc=(0.0, 0.0),
    flat_tops=0,
    rms_dbfs=-14.0,
    snr_db=70.0,
    noise_floor_dbfs=-84.0,
    over_steady_noise_db=120.0,
)
"""Of a record as studios make them."""
PHONE = replace(FINISHED, bandwidth_hz=8000.0, cut="brick wall")


def facts(traces: Traces = FINISHED, **known: Any) -> Facts:
    return Facts(**{"kind": "track", "traces": traces, **known})


def steps(known: Facts, scope: Scope = "file", track: Facts | None = None) -> list[StepName]:
    """Those that something known gives a reason for."""
    planned = plan_of(known, track or known, scope, RestorationBrief())
    return [each.step for each in planned if each.reason != LISTENED_FOR]


@pytest.mark.parametrize("scope", ["track", "stem", "file"])
def test_finished_music_is_listened_to_and_has_no_plan_else(scope: Scope) -> None:
    assert steps(facts(), scope) == []
    planned = [each.step for each in plan_of(facts(), facts(), scope, RestorationBrief())]
    assert planned == ([] if scope == "stem" else ["declip", "declick", "decomb"])


@pytest.mark.parametrize(
    ("damaged", "step"),
    [
        (facts(replace(FINISHED, hum=Hum(50, -45.0))), "dehum"),
        (facts(was_noisy=True), "dewow"),
        (facts(was_noisy=True, rt60_s={500.0: 0.9, 1000.0: 0.8}), "dereverb"),
        (facts(was_noisy=True, colour_db={125.0: -7.0, 4000.0: 5.0}), "tone"),
        (facts(PHONE), "extend"),
    ],
)
def test_each_damage_has_its_step(damaged: Facts, step: StepName) -> None:
    assert step in steps(damaged)


def test_what_is_taken_off_comes_before_what_is_added() -> None:
    damaged = facts(replace(PHONE, hum=Hum(60, -40.0)), was_noisy=True, colour_db={200.0: 8.0})
    assert steps(damaged) == ["dehum", "dewow", "fill", "tone", "extend"]


def test_rooms_and_colours_of_what_no_microphone_hissed_in_are_meant() -> None:
    record = facts(rt60_s={500.0: 0.9, 1000.0: 0.8}, colour_db={63.0: -9.0})
    assert steps(record, "track") == []


def test_octaves_are_put_back_in_stems_that_reach_up_to_where_the_track_ends() -> None:
    track = facts(PHONE)
    reaching, ending_below = (
        facts(PHONE, kind="other"),
        facts(replace(PHONE, bandwidth_hz=3000.0), kind="vocals"),
    )
    assert steps(reaching, "stem", track) == ["extend"]
    assert steps(ending_below, "stem", track) == []
    assert "extend" not in steps(track, "track")


def test_what_a_gentle_slope_took_is_put_back_in_the_whole_and_not_in_stems() -> None:
    dark = replace(PHONE, cut="natural")
    assert steps(facts(dark), "track") == ["extend"]
    assert steps(facts(dark, kind="vocals"), "stem", facts(dark)) == []
    assert steps(facts(replace(dark, bandwidth_hz=14_000.0)), "track") == []


def test_a_list_in_the_brief_is_taken_whatever_the_profile_says() -> None:
    brief = RestorationBrief(steps=("extend", "denoise", "polish"))
    planned = plan_of(facts(), facts(), "stem", brief)
    assert [each.step for each in planned] == ["denoise", "extend", "polish"]
    assert not plan_of(facts(PHONE), facts(PHONE), "file", RestorationBrief(steps=()))


@given(
    st.builds(
        replace,
        st.just(FINISHED),
        bandwidth_hz=st.floats(0, 24_000),
        cut=st.sampled_from(["none", "natural", "brick wall", "phone band"]),
        flat_tops=st.integers(0, 10**6),
        over_steady_noise_db=st.one_of(st.none(), st.floats(0, 120)),
        shimmer=st.one_of(st.none(), st.floats(0, 1)),
    ),
    st.dictionaries(st.sampled_from([250.0, 1000.0, 4000.0]), st.floats(0.1, 5.0)),
    st.sampled_from(["track", "stem", "file"]),
)
def test_a_plan_is_in_order_within_its_scope_and_gives_reasons(
    traces: Traces, rt60_s: Mapping[float, float], scope: Scope
) -> None:
    known = facts(traces, rt60_s=rt60_s)
    planned = plan_of(known, known, scope, RestorationBrief())
    places = [STEPS[scope].index(each.step) for each in planned]
    assert places == sorted(set(places))
    assert all(each.reason and "\n" not in each.reason for each in planned)
