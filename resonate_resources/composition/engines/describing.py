"""A stem in the words that text-to-music models were trained on: genre, what plays, tempo, key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, cast

from resonate_resources.composition.plan import Part, Plan, Stem

_ALONE: Final[dict[Stem, str]] = {
    "vocals": "a cappella vocals", "drums": "drums only", "bass": "bass line only", "other": "no drums, no bass",
    "piano": "keys only", "guitar": "guitar only",
}  # fmt: skip


def played(plan: Plan, stems: Iterable[str]) -> list[Stem]:
    """Of the stems those that have parts, in their order."""
    return [stem for stem in cast("list[Stem]", [*stems]) if any(part.stem == stem for part in plan.parts)]


def describe(plan: Plan, stem: Stem) -> str:
    """As in "deep house, bass line only, synth bass, 122 bpm, C minor". Drums are in no key."""
    sounds = _sounds(part for part in plan.parts if part.stem == stem)
    key = [] if stem == "drums" else [plan.key]
    return ", ".join([_genre(plan), _ALONE[stem], *sounds, f"{plan.bpm:.0f} bpm", *key])


def describe_all(plan: Plan) -> str:
    """As in "deep house, kit 909, synth bass, synth pad, 122 bpm, C minor"."""
    return ", ".join([_genre(plan), *_sounds(plan.parts), f"{plan.bpm:.0f} bpm", plan.key])


def _genre(plan: Plan) -> str:
    return plan.genre.replace("_", " ")


def _sounds(parts: Iterable[Part]) -> dict[str, None]:
    return dict.fromkeys(part.sound.replace("_", " ") for part in parts)
