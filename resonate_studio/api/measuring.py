"""What no stage measured of versions and the page needs to compare them: loudness of stems, offsets to the sample.

Kept with the light copies, by content; measured behind the answer where it is asked for the first time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from resonate_studio.api import models
from resonate_studio.api.hearable import Hearable, VersionName
from resonate_studio.hearing.light_copies import LightCopies, Sound

_CUT_OUT = ("original", "stems")
"""Stems are taken out of the original where they are; their sum is the original, to the sample."""


def with_measures(copies: LightCopies, heard: Sequence[Hearable]) -> tuple[list[models.Version], bool]:
    """The versions with what is known by now, and whether more of it is going to be."""
    current = {one.version.id: Sound(one.recording, one.sha256) for one in heard if one.version.current}
    measuring = False
    found = []
    # What is asked for last is measured first: the current ones, which come first.
    for one in reversed(heard):
        known, pending = _measured(copies, one, current)
        found.append(one.version.model_copy(update=known))
        measuring |= pending
    return found[::-1], measuring


def _measured(
    copies: LightCopies, one: Hearable, current: Mapping[str, Sound]
) -> tuple[dict[str, float | None], bool]:
    sound, known, pending = Sound(one.recording, one.sha256), dict[str, float | None](), False
    if one.version.loudness_lufs is None:
        loudness = copies.loudness_soon(sound)
        finite = loudness.value is not None and math.isfinite(loudness.value)
        known["loudness_lufs"], pending = loudness.value if finite else None, loudness.pending
    original = _taken_from(one.version.id, current)
    if original is not None:
        offset = copies.offset_soon(original, sound)
        known["offset_s"], pending = offset.value or 0.0, pending or offset.pending
    return known, pending


def _taken_from(version_id: str, current: Mapping[str, Sound]) -> Sound | None:
    """What a version was made of: a stem's own stem, the original. None of what can't have moved, or is that."""
    name = VersionName.parse(version_id)
    if name is None or name.kind in _CUT_OUT:
        return None
    of_stem = current.get(f"stems:{name.part}") if name.kind.endswith("stems") else None
    return of_stem or current.get("original")
