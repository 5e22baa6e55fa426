"""What is mixed: the plan's parts, and one of what leads from section to section."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, get_args

from resonate_resources.composition.plan import Part, Plan, Stem
from resonate_resources.composition.sound.mixing_table import Heard
from resonate_resources.composition.sound.sweep import Sweep
from resonate_resources.composition.sound.transitions import SOUNDING
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import AudioError

_ALWAYS: Final = frozenset({"vocals", "drums", "bass", "other"})
TRANSITIONS: Final = "transitions"
"""What the part of risers, impacts and their like is called."""


@dataclass(frozen=True)
class Track:
    """part: None of what leads from section to section. file_name: without a suffix."""

    name: str
    file_name: str
    stem: Stem
    role: Heard
    part: Part | None = None
    level: float = 0.0
    pan: float = 0.0
    sweeps: Sequence[Sweep] = ()


def tracks_of(plan: Plan) -> list[Track]:
    """Raises AudioError for parts of one name, and where there is none."""
    if not plan.parts:
        raise AudioError(f"{plan.title}: has no parts")
    names = [*(part.name for part in plan.parts), TRANSITIONS]
    if len({*names}) != len(names):
        raise AudioError(f"{plan.title}: each part needs a name of its own, other than {TRANSITIONS!r}")
    tracks = [
        Track(part.name, _file_name(number, part.name), part.stem, part.role, part, part.level, part.pan,
              _sweeps(plan, part.name))
        for number, part in enumerate(plan.parts, 1)
    ]  # fmt: skip
    if any(effect.kind in SOUNDING for effect in plan.effects):
        tracks.append(Track(TRANSITIONS, _file_name(len(names), TRANSITIONS), "other", TRANSITIONS))
    return tracks


def stems_of(parts: Iterable[Track | Part]) -> list[Stem]:
    """Vocals, drums, bass and other always, piano and guitar where they play."""
    playing = {part.stem for part in parts}
    return [stem for stem in get_args(Stem) if stem in _ALWAYS or stem in playing]


def notes_of(part: Part, bpm: float) -> list[Note]:
    """The part's notes in seconds, by onset."""
    quarter_s = 60 / bpm
    return sorted(
        Note(onset * quarter_s, (onset + length) * quarter_s, pitch, velocity)
        for onset, length, pitch, velocity in part.notes
    )


def _sweeps(plan: Plan, name: str) -> list[Sweep]:
    quarter_s = 60 / plan.bpm
    return [
        Sweep(
            effect.begins * quarter_s,
            effect.ends * quarter_s,
            opens=effect.kind == "low_pass_opening",
            holds=effect.kind == "low_pass_closing"
            and effect.ends >= plan.quarters,  # what rings on stays dark
        )
        for effect in plan.effects
        if name in effect.parts and effect.kind not in SOUNDING
    ]


def _file_name(number: int, name: str) -> str:
    """Numbered, so that names which differ by what a file's can't have do not meet."""
    return f"{number:02d}-{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')[:40] or 'part'}"
