"""What restoration did, step by step: planned why, done by whom, kept or not, and its aim before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from resonate_resources.restoration.evidence import SPOKEN, Measure
from resonate_resources.restoration.panel import AIMS
from resonate_resources.restoration.planning import LISTENED_FOR
from resonate_resources.restoration.resource import REPORT
from resonate_resources.restoration.step import StepName
from resonate_resources.storage.artefacts import Artefact
from resonate_studio.api.shape import Shape
from resonate_studio.api.wording import without_paths

_SUBJECTS: Mapping[StepName, str] = {
    "declip": "clipped tops",
    "declick": "clicks",
    "dehum": "hum",
    "denoise": "noise",
    "dewow": "wow and flutter",
    "derumble": "rumble",
    "dereverb": "room",
    "decomb": "upsampling lines",
    "deshimmer": "shimmer",
    "deess": "sibilance",
    "fill": "codec holes",
    "tone": "colour",
    "extend": "lost octaves",
    "polish": "polish",
}
"""Step → what it is about, as sentences on stages call it."""

_UNITS: Mapping[Measure, str] = {
    "floor_db": "dBFS",
    "hum_db": "dB over what lies beside it",
    "rumble_db": "dBFS",
    "rough_db": "dBFS",
    "clipped_permille": "‰ of samples",
    "spikes_db": "dB over what lies beside them",
    "sibilance_db": "dB over 1 to 5 kHz",
    "reverb_db": "dB in 12 ms, as octaves die away",
    "wow_cents": "cents",
    "dull_octaves": "octaves under 20 kHz",
    "shimmer": "0 to 1",
    "holes": "of 1",
}
"""Of what is an aim; see `evidence`."""


class StepAim(Shape):
    """What a step is there to lessen, mean of where it changed anything: all the worse the higher."""

    name: str
    unit: str
    before: float
    after: float


class RestorationStep(Shape):
    """subject: what the step is about, for a person. engine: empty where none could do it. kept: the part of what
    it changed that it was kept for, 0 to 1; taken_back: why not for the rest. nothing_found: every recording is
    listened to for it, and this one has none. aim: null where nothing was changed, and of steps that have none."""

    step: str
    subject: str
    reason: str
    engine: str
    note: str
    kept: float
    taken_back: list[str]
    nothing_found: bool
    aim: StepAim | None


def steps_of(artefact: Artefact) -> dict[str, list[RestorationStep]] | None:
    """Recording (`track`, or a stem) → its steps in their order; None of a stage that is no restoration, and of one
    of an earlier version, which had other steps."""
    if REPORT not in artefact.manifest.files:
        return None
    told = artefact.read_json(REPORT)
    if any(each["step"] not in get_args(StepName) for steps in told.values() for each in steps):
        return None
    return {name: [_step(each) for each in steps] for name, steps in told.items()}


def notes_begin(steps: Mapping[str, Sequence[RestorationStep]]) -> tuple[str, ...]:
    """What a restoration's notes on its steps begin with."""
    return tuple(f"{name}, {step.step} " for name, each in steps.items() for step in each)


def _step(told: Mapping[str, Any]) -> RestorationStep:
    idle = not told["kept"] and not told["taken_back"]
    return RestorationStep(
        step=told["step"],
        subject=_SUBJECTS[told["step"]],
        reason=without_paths(told["reason"]),
        engine=told["engine"],
        note=without_paths(told["note"]),
        kept=told["kept"],
        taken_back=told["taken_back"],
        nothing_found=idle and told["reason"] == LISTENED_FOR,
        aim=_aim(told),
    )


def _aim(told: Mapping[str, Any]) -> StepAim | None:
    aim = AIMS.get(told["step"])
    if aim is None or aim.measure not in told["before"]:
        return None
    return StepAim(
        name=SPOKEN[aim.measure],
        unit=_UNITS[aim.measure],
        before=told["before"][aim.measure],
        after=told["after"][aim.measure],
    )
