"""A recording through the steps of its plan; each stands before the panel, and what does not help is taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from resonate_resources.preset import Preset
from resonate_resources.recipe import Json
from resonate_resources.recordings.recording import AudioError, Progress, Recording
from resonate_resources.restoration.panel import judge, spliced
from resonate_resources.restoration.planning import Planned
from resonate_resources.restoration.step import Facts, Step, StepName

EnginesOf = Callable[[StepName], Sequence[Step]]
"""Those that can do a step, the best first."""


@dataclass(frozen=True)
class Taken:
    """A step that was planned, and what came of it.

    engine: empty where none could do it; with its model and licence. kept: the part of the time that it was kept
    for, 0 to 1. before, after: what the panel measured. passed_over: engines that would have been better, and why
    they were not used; could_not: the names of those among them that were not there or failed.
    """

    step: StepName
    reason: str
    engine: str
    note: str
    kept: float
    before: Mapping[str, float] = field(default_factory=dict)
    after: Mapping[str, float] = field(default_factory=dict)
    taken_back: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()
    could_not: tuple[str, ...] = ()
    model: str | None = None
    licence: str | None = None

    def as_json(self) -> dict[str, Json]:
        return {
            "step": self.step,
            "reason": self.reason,
            "engine": self.engine,
            "model": self.model,
            "licence": self.licence,
            "note": self.note,
            "kept": round(self.kept, 3),
            "before": {name: round(value, 3) for name, value in self.before.items()},
            "after": {name: round(value, 3) for name, value in self.after.items()},
            "taken_back": list(self.taken_back),
            "passed_over": list(self.passed_over),
        }


def restore(
    recording: Recording,
    facts: Facts,
    plan: Sequence[Planned],
    engines_of: EnginesOf,
    preset: Preset,
    folder: Path,
    progress: Progress,
) -> tuple[Recording, tuple[Taken, ...]]:
    """The recording after all steps, a file in `folder`; the very recording where none was kept."""
    current, taken = recording, []
    for number, planned in enumerate(plan):
        made = folder / f"{number}-{planned.step}"
        made.mkdir()
        tell = partial(_part_of, progress, number, len(plan))
        mended, result = _one_step(current, facts, planned, engines_of(planned.step), preset, made, tell)
        if current not in (mended, recording):
            current.path.unlink()  # of the step before: an hour of stereo is 1.3 GB
        current = mended
        taken.append(result)
    return current, tuple(taken)


def _part_of(progress: Progress, number: int, parts: int, done: float) -> None:
    progress((number + done) / parts)


def _one_step(
    recording: Recording,
    facts: Facts,
    planned: Planned,
    engines: Sequence[Step],
    preset: Preset,
    folder: Path,
    progress: Progress,
) -> tuple[Recording, Taken]:
    told = Taken(planned.step, planned.reason, "", "no engine can do it", 0.0)
    passed_over: list[str] = []
    could_not: list[str] = []
    for engine in engines:
        name = engine.engine.name
        try:
            if (why := engine.unavailable()) is not None:
                raise AudioError(why)
            mended = engine.mend(recording, facts, preset, folder / f"{name}.wav", progress)
        except AudioError as error:
            passed_over.append(f"{name}: {error}")
            could_not.append(name)
            continue
        told = replace(told, engine=name, model=engine.engine.model, licence=engine.engine.licence)
        told = replace(told, note=mended.note, passed_over=tuple(passed_over), taken_back=())
        if mended.recording == recording:
            passed_over.append(f"{name}: {mended.note}")
            continue
        verdict = judge(recording, mended.recording, planned.step)
        told = replace(
            told,
            kept=verdict.kept_part,
            before=verdict.before,
            after=verdict.after,
            taken_back=verdict.reasons,
        )
        kept = spliced(recording, mended.recording, verdict, folder / "kept.wav")
        if kept != mended.recording:
            mended.recording.path.unlink()
        if kept != recording:
            return kept, replace(told, could_not=tuple(could_not))
        passed_over.append(f"{name}: {mended.note}; taken back: {'; '.join(verdict.reasons)}")
    if not told.engine:
        told = replace(told, passed_over=tuple(passed_over))
    return recording, replace(told, could_not=tuple(could_not))
