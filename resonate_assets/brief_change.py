"""The launchpad of set_brief: a typed, documented form, made from the brief's own model.

What a setting means does not belong here: it stands in the capability's section of the brief.
"""

from __future__ import annotations

import types
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import dagster as dg
from pydantic import Field, create_model

from resonate_resources.brief.brief import Brief


def _form_type(name: str, kind: Any) -> Any:  # noqa: PLR0911 — a table of types
    """The type of a setting as Dagster's forms know it: literals of text become enumerations."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _form_type(name, inner[0])
    if origin is Literal:
        if all(isinstance(value, str) for value in inner):
            return Enum(name, {value: value for value in inner}, type=str)
        return type(inner[0])
    if origin in (Union, types.UnionType):
        return _form_type(name, next(each for each in inner if each is not type(None)))
    if origin is tuple:
        return list[str]
    if origin is dict:
        return dict[str, str] if inner[1] is str else dict[str, float]
    return kind


def _form(section: str, model: Any) -> Any:
    fields: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        kind = _form_type(f"{section}_{name}", field.annotation)
        fields[name] = (kind | None, Field(None, description=field.description))
    return create_model(f"{model.__name__}Change", __base__=dg.Config, __doc__=model.__doc__, **fields)


_FORMS: dict[str, Any] = {
    section: _form(section, field.annotation) for section, field in Brief.model_fields.items()
}


class _Change(dg.Config):
    """Values that are to be set for the track, and stay set. What is left out stays as it is."""

    unset: list[str] = Field([], description="names of settings to forget, such as mastering.target_lufs")
    null: list[str] = Field(
        [], description="names of settings that are to be null, whatever a file says, such as profile.key"
    )

    def settings(self) -> dict[str, Any]:
        """`section.name` → value, of what is given; of tables, `section.name.entry`."""
        given: dict[str, Any] = dict.fromkeys(self.null)
        for section in _FORMS:
            for name, value in dict(getattr(self, section)).items():
                if isinstance(value, dict):
                    given |= {f"{section}.{name}.{entry}": inner for entry, inner in value.items()}
                elif value is not None:
                    given[f"{section}.{name}"] = value.value if isinstance(value, Enum) else value
        return given


_sections: Any = {
    section: (form, Field(default_factory=form, description=form.__doc__)) for section, form in _FORMS.items()
}
if TYPE_CHECKING:
    BriefChange = _Change
else:
    BriefChange = create_model("BriefChange", __base__=_Change, __doc__=_Change.__doc__, **_sections)
    """The form as a whole, a section a stage."""
