"""Every synthetic case of EBU Tech 3341 and 3342, and the report of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from resonate_tests.resources.signal.ebu_cases import CASES, Case, as_markdown

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_meter_conforms(case: Case) -> None:
    assert case.passes(case.read())


def test_a_meter_that_is_off_does_not() -> None:
    case = CASES[0]
    assert not case.passes([value + 0.2 for value in case.read()])
    assert not case.passes([])


def test_the_report_in_the_documentation_is_what_is_read() -> None:
    assert as_markdown() in (DOCS / "loudness.md").read_text()
