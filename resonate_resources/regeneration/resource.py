"""Stems played anew from their MIDI."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg
import numpy as np

from resonate_resources.models.language_model import ChosenModel
from resonate_resources.recipe import Engine, Json, Product, Recipe
from resonate_resources.recordings.midi import read_notes
from resonate_resources.recordings.recording import (
    REBUILT,
    AudioError,
    Progress,
    Recording,
    Stems,
    silent,
    write_blocks,
)
from resonate_resources.recordings.tempo_map import TempoMap
from resonate_resources.regeneration import brain, rules
from resonate_resources.regeneration.brain import Brain
from resonate_resources.regeneration.brief import RegenerationBrief
from resonate_resources.regeneration.decisions import Change, Decisions
from resonate_resources.regeneration.facts import Heard, Ranked, facts_of
from resonate_resources.regeneration.instrument_export import export_instruments
from resonate_resources.regeneration.loop import LOOP, Curve, improve
from resonate_resources.regeneration.motion import Motion
from resonate_resources.regeneration.provided_files import told_of_files
from resonate_resources.regeneration.quality_report import QualityReport
from resonate_resources.regeneration.rebuilding import STEMS_AT_ONCE, Rebuilding, Rebuilt
from resonate_resources.regeneration.stem import PreparedStem, part_of, prepare_stem, share_of_energy
from resonate_resources.signal.kicks import kicks
from resonate_resources.signal.summing import sum_recordings
from resonate_resources.signal.true_peak import measure_sample_peak

CODE_VERSION = "9"
"""Raised when the algorithm changes in a way that no constant shows."""

REPORT = "regeneration.json"
LEFT_OUT = "leave_one_out/without_own_recordings.wav"
"""The sum of the stems with no note played by its own recording: what the instruments are worth without copying."""
PICTURE = "picture.png"

Judge = Callable[[Stems, Path], Mapping[str, Any]]
"""Quality control's report of rebuilt stems, as `qc.json` has it; writes to the folder what it needs for that."""

_TOLD_ROUNDS = 8
_ENDED = {
    "matched": "stopped, as it matches",
    "nothing left to try": "stopped, as nothing is left to try",
    "rounds": "stopped after the rounds that were asked for (regeneration.rounds)",
    "minutes": "stopped, as another round might outlast regeneration.minutes",
}
_PREPARING = 0.5  # of the time, where rounds follow


class RegenerationResource(dg.ConfigurableResource[None]):
    """Instruments made from the track itself, or synthesised, that play each stem's MIDI as the stem sounds.

    conductor_model, conductor_server, conductor_key_variable: see `ChosenModel`; no model: none can be asked for.
    """

    conductor_model: str = ""
    conductor_server: str = ""
    conductor_key_variable: str = ""

    def recipe(self, brief: RegenerationBrief) -> Recipe:
        """A model is keyed with its name, what it is told, and the wish, which nobody else reads."""
        engine = Engine("embedded+dawdreamer-faust", licence="GPL-3.0 (DawDreamer)")
        asked = {**brief.asked(), **told_of_files(brief)}
        if brief.decisions == "model":
            engine = Engine(engine.name, self.conductor_model or None, licence=engine.licence)
            return Recipe.of((__name__, brain.__name__), engine, asked, CODE_VERSION)
        return Recipe.of((__name__, rules.__name__), engine, asked | {"wish": ""}, CODE_VERSION)

    def regenerate(
        self,
        midi: Mapping[str, Path],
        stems: Stems,
        heard: Heard,
        brief: RegenerationBrief,
        into: Path,
        judge: Judge | None = None,
        progress: Progress = silent,
    ) -> Product:
        """A WAV per MIDI file, under its stem's name; their sum, and the sum with no note played by its own
        recording; and the report, which tells what plays each stem and what else might.

        Every name in midi must be in stems. judge: by whom rebuilt stems are bettered, for as many rounds as the
        brief asks; None: they are made once. Raises AudioError for a file that is no MIDI, where the brief names an
        instrument that is not to be had, and where it asks for a model and none is set up.
        """
        originals = {name: stems[name] for name in midi}
        kept = [name for name in midi if name in brief.keep]
        chosen = self._model(brief)
        rounds = brief.rounds if judge is not None else 0
        with TemporaryDirectory(dir=into) as folder:
            scratch = Path(folder)
            prepared = _prepared(
                {name: path for name, path in midi.items() if name not in kept},
                originals,
                stems.get("drums"),
                heard,
                brief,
                scratch,
                lambda done: progress(done * (_PREPARING if rounds else 1.0)),
            )
            ranked = {
                name: [Ranked.model_validate(each.told()) for each in stem.compared]
                for name, stem in prepared.items()
            }
            leads = {name: stem.transitions for name, stem in prepared.items()}
            facts = facts_of(heard, ranked, brief.wish if chosen else "", leads)
            asked = Brain(chosen) if chosen else None
            first = asked.decide(facts) if asked else rules.decide(facts)
            rebuilding = Rebuilding(prepared, originals, scratch)
            decisions, curve = first, None
            if judge is None or not rounds or not any(stem.compared for stem in prepared.values()):
                made = rebuilding.rebuild(first, frozenset(), None)
            else:
                better = asked.correct if asked else rules.correct

                def correct(now: Decisions, report: QualityReport, tried: Sequence[Change]) -> Change | None:
                    progress(
                        _PREPARING + (1 - _PREPARING) * min(1.0, len(tried) / rounds)
                    )  # tries may be more
                    return better(now, report, ranked, tried)

                def judged(rebuilt: Rebuilt) -> QualityReport:
                    return QualityReport.model_validate(judge(rebuilt.stems, scratch))

                improved = improve(
                    first, rebuilding.rebuild, judged, correct, rounds, brief.minutes, same=Rebuilt.same
                )
                decisions, made, curve = improved.decisions, improved.made, improved.curve
            (into / LEFT_OUT).parent.mkdir(exist_ok=True)
            left_out = rebuilding.leave_out(decisions, made, into / LEFT_OUT)
            files = {f"{name}.wav": _moved(made.stems[name], into / f"{name}.wav", scratch) for name in midi}
            copied = {
                name: share_of_energy(
                    made.played[name],
                    stem.chosen(decisions.of(name)).copies if stem.compared else (),
                    [each for each in decisions.transitions if each.stem == name],
                )
                for name, stem in prepared.items()
            }
        reports = {REPORT: into / REPORT}
        told = _report(prepared, kept, decisions, copied)
        reports[REPORT].write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        notes = list(dict.fromkeys(line for stem in prepared.values() for line in stem.missing))
        if prepared and not any(stem.compared for stem in prepared.values()):
            notes.append("no notes were heard in what is to be played: it is silent")
        notes += asked.notes if asked else ()
        if decisions.transitions:
            notes.append(f"beside the notes: {', '.join(map(str, decisions.transitions))}")
        sums = {LEFT_OUT: into / LEFT_OUT} if left_out else {}
        if files:
            total = sum_recordings([Recording.open(path) for path in files.values()], into / REBUILT)
            sums = {REBUILT: total.path, **sums}
            if (over_db := measure_sample_peak(total)) > 0:
                notes.append(
                    f"{REBUILT} peaks {over_db:.1f} dB over full scale: turn it down before it leaves 32-bit float"
                )
        if curve is not None:
            curve.write(into / LOOP)
            (into / PICTURE).write_bytes(curve.picture())
            reports |= {LOOP: into / LOOP, PICTURE: into / PICTURE}
            notes += _rounds_told(curve)
        progress(1.0)
        return Product(
            files={**files, **sums},
            measures=_measures(prepared, kept, decisions, copied, curve),
            notes=tuple(notes),
            reports=reports,
        )

    def instruments(
        self,
        midi: Mapping[str, Path],
        stems: Stems,
        tempo: TempoMap,
        rebuilt: Mapping[str, Any],
        about: str,
        into: Path,
        progress: Progress,
    ) -> Product:
        """See `export_instruments`."""
        return export_instruments(midi, stems, tempo, rebuilt, about, into, progress)

    def _model(self, brief: RegenerationBrief) -> ChosenModel | None:
        if brief.decisions == "rules":
            return None
        if not self.conductor_model:
            raise AudioError(
                "regeneration.decisions=model needs a model: set RESONATE_CONDUCTOR_MODEL, or leave it at rules"
            )
        return ChosenModel(self.conductor_model, self.conductor_server, self.conductor_key_variable)


def _prepared(
    midi: Mapping[str, Path],
    originals: Stems,
    drums: Recording | None,
    heard: Heard,
    brief: RegenerationBrief,
    scratch: Path,
    progress: Progress,
) -> dict[str, PreparedStem]:
    known = heard.profile
    strokes = kicks(drums) if drums and heard.analysis.pumping else np.zeros(0)

    def prepare(name: str) -> PreparedStem:
        part = part_of(name, read_notes(midi[name]), originals[name], scratch)
        motion = Motion.of(name, heard, strokes)
        grid = known.downbeats_s, known.beats_s
        stem = prepare_stem(part, originals[name], *grid, brief.wanted(name), motion, brief.provided)
        begins = [section.start_s for section in heard.analysis.sections[1:]]
        return stem.heard(scratch / f"{name}.heard.wav", begins, grid)

    made = {}
    with ThreadPoolExecutor(STEMS_AT_ONCE) as pool:
        futures = {pool.submit(prepare, name): name for name in midi}
        for done, future in enumerate(as_completed(futures), start=1):
            made[futures[future]] = future.result()
            progress(done / (len(futures) + 1))
    return {name: made[name] for name in midi}


def _moved(recording: Recording, path: Path, scratch: Path) -> Path:
    """What lies in scratch is moved to the path; what does not is somebody else's, and copied."""
    if recording.path.is_relative_to(scratch):
        return recording.path.rename(path)
    return write_blocks(path, recording.blocks(), like=recording).path


def _rounds_told(curve: Curve) -> list[str]:
    rounds = [f"round {number}: {each}" for number, each in enumerate(curve.rounds)]
    more = [f"{len(rounds) - _TOLD_ROUNDS} more rounds in {LOOP}"] if len(rounds) > _TOLD_ROUNDS else []
    return [*rounds[:_TOLD_ROUNDS], *more, _ENDED[curve.ended]]


def _report(
    prepared: Mapping[str, PreparedStem],
    kept: Sequence[str],
    decisions: Decisions,
    copied: Mapping[str, float],
) -> dict[str, Json]:
    stems: dict[str, Json] = {name: {"kept": True} for name in kept}
    for name, stem in prepared.items():
        chosen = stem.chosen(decisions.of(name)) if stem.compared else None
        playing = next(
            (each.told() for each in stem.compared if each.candidate is chosen), {"kind": "silence"}
        )
        stems[name] = {
            "kept": False,
            **playing,
            "notes": len(stem.part.notes) if stem.compared else 0,
            "loudness_lufs": stem.loudness_lufs if isfinite(stem.loudness_lufs) else None,
            "copied": round(copied[name], 3),
            "candidates": [one.told() for one in stem.compared],
        }
    energies = {name: 10 ** (stem.loudness_lufs / 10) for name, stem in prepared.items()}
    whole = sum(energies.values())
    share = sum(energies[name] * copied[name] for name in prepared) / whole if whole else 0.0
    return {"stems": stems, "copied": round(share, 3), "decisions": decisions.model_dump(mode="json")}


def _measures(
    prepared: Mapping[str, PreparedStem],
    kept: Sequence[str],
    decisions: Decisions,
    copied: Mapping[str, float],
    curve: Curve | None,
) -> dict[str, float | int | str | bool]:
    measures: dict[str, float | int | str | bool] = {"generated": True}  # nobody played it: to be labelled so
    if curve is not None:
        measures |= {"rounds": len(curve.rounds) - 1, "gained": round(curve.gained, 2)}
    for name in kept:
        measures[f"{name}_kept"] = True
    for name, stem in prepared.items():
        measures[f"{name}_notes"] = len(stem.part.notes) if stem.compared else 0
        measures[f"{name}_loudness_lufs"] = stem.loudness_lufs
        if stem.compared:
            chosen = stem.chosen(decisions.of(name))
            nearness = next(each.distance_db for each in stem.compared if each.candidate is chosen)
            measures[f"{name}_instrument"] = chosen.label
            measures[f"{name}_distance_db"] = round(nearness, 2)
            measures[f"{name}_copied"] = round(copied[name], 3)
    if decisions.transitions:
        measures["transitions"] = len(decisions.transitions)
    return measures
