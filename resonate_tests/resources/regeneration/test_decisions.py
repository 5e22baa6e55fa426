"""Decisions are bounded, and what was changed can be changed back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from resonate_resources.regeneration.decisions import (
    BUS,
    Change,
    DecisionError,
    Decisions,
    InstrumentChoice,
    StemDecision,
    apply,
    depends,
    undo,
    value_at,
)
from resonate_tests.resources.regeneration.rebuilt import DECISIONS

INSTRUMENT = InstrumentChoice(kind="soundfont", label="Cello")
WITHIN = {
    "instrument": st.sampled_from([INSTRUMENT, None]),
    "shift_ms": st.floats(-50, 50),
    "level_per": st.sampled_from(["bar", "beat", "none"]),
    "eq_db": st.floats(0, 12),
    "width": st.floats(0, 2),
    "gate": st.floats(0.25, 4),
    "sidechain": st.booleans(),
    "sweeps": st.booleans(),
    "room": st.booleans(),
}
"""The bounds that were asked for."""
PATHS = st.one_of(
    st.tuples(st.just("bus_eq_db"), st.floats(0, 6)),
    *(
        st.tuples(st.just(f"stems.{stem}.{name}"), values)
        for stem in ("bass", "other")
        for name, values in WITHIN.items()
    ),
)


def change(path: str, after: Any, before: Any = None) -> Change:
    return Change(path=path, before=before, after=after, reason="heard", by="rules")


@given(st.lists(PATHS, max_size=12))
def test_whatever_was_changed_is_as_before_once_it_is_undone(steps: list[tuple[str, Any]]) -> None:
    decisions, made = DECISIONS, []
    for path, after in steps:
        made.append(change(path, after, value_at(decisions, path)))
        decisions = apply(decisions, made[-1])
        assert value_at(decisions, path) == after
    for one in reversed(made):
        decisions = undo(decisions, one)
    assert decisions == DECISIONS


def test_every_decision_of_a_stem_can_be_changed() -> None:
    assert set(StemDecision.model_fields) == set(WITHIN)


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("stems.bass.shift_ms", 0.0, 50.1),
        ("stems.bass.eq_db", 12.0, 13.0),
        ("stems.bass.width", 1.0, -0.1),
        ("stems.bass.gate", 1.0, 5.0),
        ("stems.bass.gate", 1.0, "long"),
        ("stems.bass.level_per", "bar", "sample"),
        ("stems.bass.instrument", None, "Cello"),
        ("bus_eq_db", 6.0, 6.5),
    ],
)
def test_what_is_out_of_bounds_is_refused_by_its_name(path: str, before: Any, after: Any) -> None:
    with pytest.raises(DecisionError, match=path) as raised:
        apply(DECISIONS, change(path, after, before))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_no_number_is_no_decision(number: float) -> None:
    with pytest.raises(ValidationError):
        change("stems.bass.gate", number)
    with pytest.raises(ValidationError):
        StemDecision(gate=number)


@pytest.mark.parametrize(
    "path",
    ["stems.bass", "stems", "reasons", "stems.bass.__class__", "stems.bass.gate.real", "", "stems..gate"],
)
def test_what_is_no_single_decision_has_no_change(path: str) -> None:
    with pytest.raises(ValidationError):
        change(path, 1.0)


def test_a_stem_that_is_not_there_and_a_change_that_is_not_in_force_are_refused() -> None:
    with pytest.raises(DecisionError, match="no stem of that name"):
        apply(DECISIONS, change("stems.vocals.gate", 2.0, 1.0))
    with pytest.raises(DecisionError, match=r"stems\.bass\.gate: is not 3"):
        apply(DECISIONS, change("stems.bass.gate", 2.0, 3.0))
    with pytest.raises(DecisionError, match="is not 2"):
        undo(DECISIONS, change("stems.bass.gate", 2.0, 1.0))


def test_unknown_names_are_errors_and_decisions_can_not_be_written_to() -> None:
    with pytest.raises(ValidationError, match="extra"):
        Decisions.model_validate({"stems": {"bass": {"reverb": 1}}})
    with pytest.raises(ValidationError):
        Decisions.model_validate({"stems": {"choir": {}}})
    with pytest.raises(ValidationError, match="frozen"):
        DECISIONS.bus_eq_db = 3.0  # type: ignore[misc]


def test_a_stem_is_remade_alone_and_the_bus_after_it() -> None:
    assert depends(change("stems.bass.gate", 2.0)) == {"bass", BUS}
    assert depends(change("bus_eq_db", 2.0)) == {BUS}


def test_reasons_are_one_line_without_what_moves_a_cursor() -> None:
    made = Change(path="bus_eq_db", before=6.0, after=3.0, reason="a\x1b[2J\nb\tc\u202e", by="rules")
    assert made.reason == "a [2J b c"


def test_a_change_is_told_as_a_person_would() -> None:
    assert str(change("stems.bass.sidechain", True, False)) == "bass sidechain from off to on"
    assert str(change("stems.bass.eq_db", 6.0, 12.0)) == "bass eq db from 12 to 6"
    assert (
        str(change("stems.bass.instrument", INSTRUMENT))
        == "bass instrument from the nearest to soundfont, Cello"
    )
