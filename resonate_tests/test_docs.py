"""Tables in the documentation are those of the code."""

from __future__ import annotations

from pathlib import Path

from resonate_resources.brief.brief import Brief
from resonate_resources.brief.layers import resolve

DOCS = Path(__file__).parents[1] / "docs"


def test_every_setting_of_a_brief_is_documented_with_what_is_built_in() -> None:
    table = (DOCS / "briefs.md").read_text()
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    expected = []
    for name, value, _ in resolve([]).rows():
        section, field = name.split(".")
        model = Brief.model_fields[section].annotation
        assert model is not None
        expected.append(f"| `{name}` | `{value}` | {model.model_fields[field].description} |")
    assert rows == expected
