from __future__ import annotations

import pytest
from dagster._config import process_config

from resonate_assets.brief_change import BriefChange


@pytest.mark.parametrize(
    ("section", "name", "table"),
    [("regeneration", "stems", {"bass": "additive"}), ("mixing", "gains_db", {"bass": -1.5})],
)
def test_tables_of_words_and_of_numbers_can_be_set(section: str, name: str, table: dict[str, object]) -> None:
    given = {section: {name: table}}
    schema = BriefChange.to_config_schema().as_field().config_type
    checked = process_config(schema, given)
    assert checked.success, checked.errors
    assert BriefChange(**given).settings() == {
        f"{section}.{name}.{entry}": value for entry, value in table.items()
    }
