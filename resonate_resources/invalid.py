"""What is wrong with something that people write as JSON, in one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import ValidationError

_SAID: Final[Mapping[str, str]] = {
    "extra_forbidden": "there is no such field",
    "missing": "is missing",
    "tuple_type": "should be a list, which is written [one, other]",
    "dict_type": "should be an object of names and values",
    "model_type": "should be an object of names and values",
    "too_short": "has {actual_length}, and needs {min_length}",
    "too_long": "has {actual_length}, and {max_length} is the most",
}
"""Kind of error → it for a person; pydantic speaks of tuples and extra inputs."""


def told(error: ValidationError) -> str:
    """The first thing that is wrong, and where, as in `sections.2.bars: should be less than or equal to 1024`. The
    value is left out: it may be anybody's text."""
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return f"is no JSON: {first['ctx']['error']}"
    where = list(first["loc"])
    if where and isinstance(where[-1], int):  # which of two tempi says nothing to who gave one
        where.pop()
    place = ".".join(map(str, where))
    said = _SAID.get(first["type"], "").format(**first.get("ctx", {}))
    message = said or first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{place}: {message}" if place else message
