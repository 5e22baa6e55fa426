from __future__ import annotations

import pytest

from resonate_tests.benchmarks.defects import tables
from resonate_tests.benchmarks.defects.measuring import Measured


def measured(
    kind: str = "hum",
    grade: str = "gross",
    own: str | None = "noise_floor",
    total: float = 80.0,
    **scores: float,
) -> Measured:
    return Measured(
        song="300",
        kind=kind,
        grade=grade,
        size=1.0,
        audible="yes" if own else "no",
        own=own,
        total=total,
        accepted=total >= 85,
        scores={"noise_floor": 60.0, "bass": 100.0} | scores,
        amounts={},
    )


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([99, 90, 50], True),
        ([99, 99.3, 50], True),
        ([90, 95, 50], False),
        ([100, 100], False),
        ([80, 90], False),
    ],
)
def test_scores_fall_where_none_is_higher_than_before(scores: list[float], expected: bool) -> None:
    assert tables.falls(scores) is expected


def test_the_own_dimension_is_first_where_none_is_lower() -> None:
    assert measured().own_first
    assert not measured(bass=50.0).own_first
    assert not measured(own="tuning").own_first


def test_what_is_heard_and_accepted_is_let_through() -> None:
    ones = [
        measured(total=90.0),
        measured(kind="fade", own="bass", total=70.0),
        measured("same", "slight", None, 98.0),
    ]
    text = tables.summary(ones)

    assert "heard: 1 of 2 accepted; 1 of 2 kinds and grades" in text
    assert "let through: hum (gross)" in text
    assert "not heard: 1 of 1 accepted" in text
    assert "least total 98.0" in text


def test_a_dimension_is_blind_to_kinds_of_its_own_that_cost_it_nothing() -> None:
    ones = [measured(), measured(kind="fade", own="bass"), measured(kind="wow", own="tuning")]
    text = tables.blindness(ones)

    assert "- bass: blind to fade" in text
    assert "tuning: is not judged (wow)" in text
    assert "noise_floor: blind" not in text


def test_points_lost_are_shown_at_the_worst_grade() -> None:
    text = tables.by_dimension([measured(grade="slight", noise_floor=90.0), measured()])

    assert text.splitlines()[-1] == "| hum |  | **40** |"


def test_a_dimension_is_told_by_what_is_heard_of_its_own_defects() -> None:
    ones = [
        measured(grade="slight", total=90.0, noise_floor=95.0),
        measured(grade="gross", total=70.0, noise_floor=40.0),
        measured("hiss", "slight", total=80.0, noise_floor=60.0, bass=50.0),
        measured("hiss", "gross", total=80.0, noise_floor=70.0),
    ]
    # Of four one is accepted; hum falls, hiss rises; in three of four nothing is lower.
    assert "| noise_floor | 2 | 4 | 3 | 50 % | 75 % |" in tables.by_own(ones)
