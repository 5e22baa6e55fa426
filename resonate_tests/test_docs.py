"""Tables in the documentation are those of the code."""

from __future__ import annotations

import json
from pathlib import Path

from resonate_resources.brief.brief import Brief

DOCS = Path(__file__).parents[1] / "docs"


def test_every_setting_of_a_brief_is_documented_with_what_is_built_in() -> None:
    table = (DOCS / "briefs.md").read_text()
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    expected = [
        f"| `{section}.{name}` | `{json.dumps(value)}` | {type(part).model_fields[name].description} |"
        for section, part in Brief()
        for name, value in part.model_dump(mode="json").items()
    ]
    assert rows == expected
