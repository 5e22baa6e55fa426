"""A stem in the words that text-to-music models were trained on: genre, what plays, tempo, key."""

from __future__ import annotations

from typing import Final

from resonate_resources.composition.plan import Plan, Stem

_ALONE: Final[dict[Stem, str]] = {
    "vocals": "a cappella vocals", "drums": "drums only", "bass": "bass line only", "other": "no drums, no bass",
    "piano": "keys only", "guitar": "guitar only",
}  # fmt: skip


def describe(plan: Plan, stem: Stem) -> str:
    """As in "deep house, bass line only, synth bass, 122 bpm, C minor". Drums are in no key."""
    sounds = dict.fromkeys(part.sound.replace("_", " ") for part in plan.parts if part.stem == stem)
    key = [] if stem == "drums" else [plan.key]
    return ", ".join([plan.genre.replace("_", " "), _ALONE[stem], *sounds, f"{plan.bpm:.0f} bpm", *key])
