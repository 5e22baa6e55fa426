"""From layers of settings to one brief, which knows where each of its values is from. Later layers win."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from resonate_resources.brief.brief import Brief
from resonate_resources.recordings.recording import AudioError

BUILT_IN = "built in"
_SHOWN = 80
"""Characters of a value in a message."""


class BriefError(AudioError):
    """Settings that can't be used: one line, with where they are from and which name or value is wrong."""


@dataclass(frozen=True)
class Layer:
    """Settings from one place. origin: what people are told of it; values: section → name → value."""

    origin: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Resolved:
    """A brief, and `section.name` (of tables, `section.name.entry`) → origin of each value that somebody gave."""

    brief: Brief
    origins: Mapping[str, str]

    def values(self) -> Iterator[tuple[str, Any, str]]:
        """(name, value in JSON's types, origin) of every setting; of a table, of every entry."""
        for section, values in self.brief.model_dump(mode="json").items():
            for name, value in values.items():
                dotted = f"{section}.{name}"
                entries = value if isinstance(value, Mapping) else {}
                for entry, inner in entries.items():
                    yield f"{dotted}.{entry}", inner, self.origins.get(f"{dotted}.{entry}", BUILT_IN)
                if not entries:
                    yield dotted, value, self.origins.get(dotted, BUILT_IN)

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """The same for people: values as JSON, which for these is as TOML has them."""
        for name, value, origin in self.values():
            yield name, json.dumps(value, ensure_ascii=False), origin


def resolve(layers: Sequence[Layer]) -> Resolved:
    """One brief of all layers, the last one on top; tables (as of gains) are merged. Raises BriefError."""
    merged: dict[str, dict[str, Any]] = {}
    origins: dict[str, str] = {}
    brief = Brief()
    for layer in layers:
        if not isinstance(layer.values, Mapping) or not all(
            isinstance(section, Mapping) for section in layer.values.values()
        ):
            raise BriefError(f"{layer.origin}: settings stand in sections, such as [mastering]")
        for section, values in layer.values.items():
            mine = merged.setdefault(section, {})
            for name, value in values.items():
                both = isinstance(value, Mapping) and isinstance(mine.get(name), Mapping)
                mine[name] = {**mine[name], **value} if both else value
                dotted = f"{section}.{name}"
                given = [f"{dotted}.{entry}" for entry in value] if isinstance(value, Mapping) else [dotted]
                origins |= dict.fromkeys(given, layer.origin)
        try:
            brief = Brief.model_validate(merged)
        except ValidationError as error:
            raise BriefError(f"{layer.origin}: {_told(error)}") from error
    return Resolved(brief, origins)


def parse_toml(text: str, origin: str) -> Layer:
    """Raises BriefError."""
    try:
        return Layer(origin, tomllib.loads(text))
    except (ValueError, RecursionError) as error:  # numbers too long for Python, tables too deep
        raise BriefError(f"{origin}: is no TOML ({str(error)[:200]})") from error


def parse_setting(text: str) -> tuple[str, Any]:
    """`section.name=value` → dotted name and value. `null`, which TOML has no word for, undoes what a file of the
    home or of a folder says; any other value that is no TOML is text. Raises BriefError."""
    name, equals, value = text.partition("=")
    name = name.strip()
    if not equals or not all(name.split(".")) or "." not in name:
        raise BriefError(f"{text}: is not of the form section.name=value, such as mastering.target_lufs=-9")
    if value.strip() == "null":
        return name, None
    try:
        return name, tomllib.loads(f"value = {value}")["value"]
    except (ValueError, RecursionError):
        return name, value.strip()


def nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    """`section.name` (or `section.table.entry`) → value, as sections."""
    values: dict[str, Any] = {}
    for dotted, given in settings.items():
        *above, name = dotted.split(".")
        value = dict(given) if isinstance(given, Mapping) else given
        place = values
        for part in above:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise BriefError(f"{dotted}: {part} is no table")
        place[name] = value
    return values


def _told(error: ValidationError) -> str:
    """The first thing that is wrong, as in `mastering.target_lufs: -90 is less than −36`."""
    first = error.errors()[0]
    place = ".".join(
        str(part) for part in first["loc"] if part != "[key]"
    )  # pydantic's word for a table's name
    if first["type"] == "extra_forbidden":
        parent: Any = Brief.model_fields
        if len(first["loc"]) > 1:
            section = Brief.model_fields[str(first["loc"][0])].annotation
            parent = section.model_fields if section is not None else {}
        return f"{place}: there is no such setting; there are {', '.join(parent)}"
    given = json.dumps(first["input"], ensure_ascii=False, default=str)
    given = given if len(given) <= _SHOWN else f"{given[:_SHOWN]}…"
    if first["type"] == "tuple_type":
        return f'{place}: {given} can\'t be used (a list is written ["one", "other"])'
    message = first["msg"].removeprefix("Value error, ")
    return f"{place}: {given} can't be used ({message[0].lower()}{message[1:]})"
