"""Exports' section of the brief."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from resonate_resources.brief.section import Section, once

Part = Literal["stems", "unrestored_stems", "master", "restored_track", "midi"]
PARTS: tuple[Part, ...] = ("stems", "master", "restored_track", "midi")


class ExportsBrief(Section):
    """What is put into the track's folder."""

    parts: tuple[Part, ...] = Field(
        default=PARTS,
        strict=False,
        description="what goes into the folder: stems (restored), unrestored_stems (exact), master, "
        "restored_track (where something was mended), midi",
    )

    _once = field_validator("parts")(once)
