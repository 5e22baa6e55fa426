"""Restoration as a resource: a track, its stems or a single file through the steps that they need."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg
from pydantic import TypeAdapter

from resonate_resources.recipe import Engine, Json, Product, Recipe
from resonate_resources.recordings.recording import Progress, Recording, Stems, silent
from resonate_resources.restoration import engines
from resonate_resources.restoration.brief import RestorationBrief
from resonate_resources.restoration.colour import find_colour
from resonate_resources.restoration.planning import LISTENED_FOR, STEPS, Scope, plan_of
from resonate_resources.restoration.restoring import Taken, restore
from resonate_resources.restoration.room import room_of
from resonate_resources.restoration.step import Facts, StepName
from resonate_resources.signal.bandwidth import find_upper_edge, measure_line_levels
from resonate_resources.signal.picture import draw
from resonate_resources.signal.traces import Traces, find_traces
from resonate_resources.storage.artefacts import PICTURE

CODE_VERSION = "5"
"""Raised when the algorithm changes in a way that no constant shows."""

FACTS = tuple(Traces.__annotations__)
"""What is read of a profile."""
REPORT = "restoration.json"
TRACK = "track"

_TRACES = TypeAdapter(Traces)


class RestorationResource(dg.ConfigurableResource[None]):
    """Mends what is amiss in recordings; what does not help is taken back."""

    def recipe(self, brief: RestorationBrief, scope: Scope) -> Recipe:
        """engines: step → who would do it."""
        doing = {step: engine for step in _steps(brief, scope) if (engine := _first(step, brief)) is not None}
        told: dict[str, Json] = {
            step: f"{engine.name} {engine.model or ''}".strip() for step, engine in doing.items()
        }
        settings: dict[str, Json] = {**brief.asked(), "does": told}
        return Recipe.of((__name__, *engines.MODULES), Engine("restoration"), settings, CODE_VERSION)

    def restore_track(
        self,
        track: Recording,
        facts: Mapping[str, Any],
        brief: RestorationBrief,
        into: Path,
        progress: Progress = silent,
    ) -> Product:
        """Write track.wav, of the track's rate, channels and length; a link to the track where nothing was kept.

        facts: those of FACTS, from the profile.
        """
        known = facts_of(TRACK, track, _TRACES.validate_python(dict(facts)))
        return _product({TRACK: track}, {TRACK: known}, known, "track", brief, into, progress)

    def restore_stems(
        self,
        stems: Stems,
        facts: Mapping[str, Any],
        brief: RestorationBrief,
        into: Path,
        progress: Progress = silent,
    ) -> Product:
        """Write <stem>.wav, of the rate, channels and length of the stems given.

        facts: those of FACTS, from the profile of the track before it was mended.
        """
        track = Facts(TRACK, _TRACES.validate_python(dict(facts)))
        with ThreadPoolExecutor(2) as pool:
            known = dict(zip(stems, pool.map(lambda name: facts_of(name, stems[name]), stems), strict=True))
        return _product(stems, known, track, "stem", brief, into, progress)

    def restore_file(
        self, recording: Recording, brief: RestorationBrief, into: Path, progress: Progress = silent
    ) -> Product:
        """Write track.wav: a recording that is not going to be parted."""
        known = facts_of(TRACK, recording)
        return _product({TRACK: recording}, {TRACK: known}, known, "file", brief, into, progress)


def facts_of(kind: str, recording: Recording, traces: Traces | None = None) -> Facts:
    """What is known of a recording, traces measured here unless they are known already."""
    whole = kind == TRACK
    return Facts(
        kind,
        traces or find_traces(recording),
        rt60_s=_room_of(recording) if whole else {},
        colour_db=_colour_of(recording) if whole else {},
    )


def _room_of(track: Recording) -> Mapping[float, float]:
    room = room_of(track)
    return {} if room is None else room.rt60_s


def _colour_of(track: Recording) -> Mapping[float, float]:
    levels = measure_line_levels(track.blocks(), track.sample_rate)
    return find_colour(levels, track.sample_rate, find_upper_edge(levels, track.sample_rate))


def _product(
    recordings: Stems,
    facts: Mapping[str, Facts],
    track: Facts,
    scope: Scope,
    brief: RestorationBrief,
    into: Path,
    progress: Progress,
) -> Product:
    done: dict[str, float] = dict.fromkeys(recordings, 0.0)

    def one(name: str) -> tuple[Recording, tuple[Taken, ...]]:
        def tell(part: float) -> None:
            done[name] = part
            progress(0.95 * sum(done.values()) / len(done))

        folder = Path(scratch) / name
        folder.mkdir()
        plan = plan_of(facts[name], track, scope, brief)
        return restore(
            recordings[name],
            facts[name],
            plan,
            lambda step: _engines(step, brief),
            brief.preset,
            folder,
            tell,
        )

    with TemporaryDirectory(dir=into) as scratch, ThreadPoolExecutor(2) as pool:
        mended = dict(zip(recordings, pool.map(one, recordings), strict=True))
        files = {}
        for name, (recording, _) in mended.items():
            files[f"{name}.wav"] = into / f"{name}.wav"
            _put(recording, recordings[name], files[f"{name}.wav"])
    taken = {name: steps for name, (_, steps) in mended.items()}
    told = {name: [step.as_json() for step in steps] for name, steps in taken.items()}
    (into / REPORT).write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    reports = {REPORT: into / REPORT}
    shown = {}
    for name in recordings:
        shown[name] = Recording.open(files[f"{name}.wav"])
        if any(step.kept for step in taken[name]):
            shown[f"{name}, before"] = recordings[name]
    (into / PICTURE).write_bytes(draw(shown))
    reports[PICTURE] = into / PICTURE
    return Product(files, _measures(taken, track), _notes(taken), reports)


def _put(recording: Recording, given: Recording, path: Path) -> None:
    """A file of its own: moved; the very one given: linked, as a copy of every sound track costs as much again."""
    if recording != given:
        recording.path.rename(path)
        return
    try:
        os.link(given.path, path)
    except OSError:  # on another file system, or one without links
        shutil.copyfile(given.path, path)


def _measures(taken: Mapping[str, Sequence[Taken]], track: Facts) -> dict[str, float | int | str | bool]:
    measures: dict[str, float | int | str | bool] = {"bandwidth_hz": track.traces.bandwidth_hz}
    for name, steps in taken.items():
        for step in steps:
            if not step.kept:
                continue
            measures[f"{name}_{step.step}_kept"] = step.kept
            for measure, after in step.after.items():
                measures[f"{name}_{step.step}_{measure}"] = after
    measures["steps_kept"] = sum(step.kept > 0 for steps in taken.values() for step in steps)
    return measures


def _notes(taken: Mapping[str, Sequence[Taken]]) -> tuple[str, ...]:
    """A line a step; then, once, who would have been better and can't run here."""
    notes: list[str] = []
    away: dict[str, None] = {}
    for name, steps in taken.items():
        for step in steps:
            if step.reason == LISTENED_FOR and not step.kept and not step.taken_back:
                continue
            by = f" by {step.engine}" if step.engine else ""
            back = (
                "" if not step.taken_back else "; taken back" if not step.kept else "; taken back in places"
            )
            why = f", as {'; '.join(step.taken_back)}" if back else ""
            notes.append(f"{name}, {step.step}{by} ({step.reason}): {step.note}{back}{why}")
            away |= dict.fromkeys(step.passed_over)
    return (*notes, *(f"passed over: {each}" for each in away))


def _steps(brief: RestorationBrief, scope: Scope) -> tuple[StepName, ...]:
    return tuple(step for step in STEPS[scope] if brief.steps is None or step in brief.steps)


def _engines(step: StepName, brief: RestorationBrief) -> Sequence[Any]:
    return engines.engines_of(step, embedded=brief.engines == "embedded")


def _first(step: StepName, brief: RestorationBrief) -> Engine | None:
    return next((each.engine for each in _engines(step, brief) if each.unavailable() is None), None)
