"""Stems played anew from their MIDI."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg

from resonate_resources.recipe import Engine, Json, Product, Recipe
from resonate_resources.recordings.midi import read_notes
from resonate_resources.recordings.recording import Progress, Recording, Stems, silent, write_blocks
from resonate_resources.regeneration.brief import RegenerationBrief
from resonate_resources.regeneration.bus import bus_filter, hand_on
from resonate_resources.regeneration.stem import RebuiltStem, part_of, rebuild_stem
from resonate_resources.signal.summing import sum_recordings

CODE_VERSION = "5"
"""Raised when the algorithm changes in a way that no constant shows."""

REPORT = "regeneration.json"
LEFT_OUT = "leave_one_out/mix.wav"
"""The sum of the stems with no note played by its own recording: what the instruments are worth without copying."""

_STEMS_AT_ONCE = 2  # as many as usual machines have cores to spare


class RegenerationResource(dg.ConfigurableResource[None]):
    """Instruments made from the track itself, or synthesised, that play each stem's MIDI as the stem sounds."""

    def recipe(self, brief: RegenerationBrief) -> Recipe:
        engine = Engine("embedded+dawdreamer-faust", licence="GPL-3.0 (DawDreamer)")
        return Recipe.of(__name__, engine, brief.asked(), CODE_VERSION)

    def regenerate(
        self,
        midi: Mapping[str, Path],
        stems: Stems,
        downbeats_s: Sequence[float],
        brief: RegenerationBrief,
        into: Path,
        progress: Progress = silent,
    ) -> Product:
        """A WAV per MIDI file, under its stem's name; their sum with no note played by its own recording; and the
        report, which tells what plays each stem and what else might.

        Every name in midi must be in stems. downbeats_s: of the track's bars, none where they are not known.
        Raises AudioError for a file that is no MIDI, and where the brief names an instrument that is not to be had.
        """
        kept = [name for name in midi if name in brief.keep]
        made: dict[str, RebuiltStem] = {}
        with TemporaryDirectory(dir=into) as folder, ThreadPoolExecutor(_STEMS_AT_ONCE) as pool:
            scratch = Path(folder)

            def rebuild(name: str) -> RebuiltStem:
                part = part_of(name, read_notes(midi[name]), stems[name], scratch)
                return rebuild_stem(part, stems[name], downbeats_s, brief.wanted(name), scratch)

            futures = {pool.submit(rebuild, name): name for name in midi if name not in kept}
            for done, future in enumerate(as_completed(futures), start=1):
                made[futures[future]] = future.result()
                progress(done / (len(futures) + 1))
            made = {name: made[name] for name in midi if name in made}
            originals = {name: stems[name] for name in midi}
            played = {name: stem.played for name, stem in made.items()}
            written = _written(made, played, originals, into)
            left_out = {name: stem.left_out for name, stem in made.items()}
            (scratch / "left_out").mkdir()
            parts = _written(made, left_out, originals, scratch / "left_out")
            (into / LEFT_OUT).parent.mkdir(exist_ok=True)
            if parts:
                sum_recordings(parts.values(), into / LEFT_OUT)
        report = _report(made, kept)
        path = into / REPORT
        path.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        progress(1.0)
        return Product(
            files={
                **{f"{name}.wav": recording.path for name, recording in written.items()},
                **({LEFT_OUT: into / LEFT_OUT} if written else {}),
            },
            measures=_measures(made, kept),
            notes=tuple(dict.fromkeys(line for stem in made.values() for line in stem.missing)),
            reports={REPORT: path},
        )


def _written(
    made: Mapping[str, RebuiltStem], played: Stems, originals: Stems, into: Path
) -> dict[str, Recording]:
    """The stems as they are handed on, in the order of the originals; the original where none was made."""
    taps = bus_filter([stem.part.recording for stem in made.values()], list(played.values()))
    return {
        name: hand_on(played[name], taps, original, made[name].loudness_lufs, into / f"{name}.wav")
        if name in made
        else write_blocks(into / f"{name}.wav", original.blocks(), like=original)
        for name, original in originals.items()
    }


def _report(made: Mapping[str, RebuiltStem], kept: Sequence[str]) -> dict[str, Json]:
    stems: dict[str, Json] = {name: {"kept": True} for name in kept}
    for name, stem in made.items():
        first = stem.compared[0].told() if stem.compared else {"kind": "silence"}
        stems[name] = {
            "kept": False,
            **first,
            "notes": len(stem.part.notes) if stem.compared else 0,
            "loudness_lufs": stem.loudness_lufs if isfinite(stem.loudness_lufs) else None,
            "copied": round(stem.copied, 3),
            "candidates": [one.told() for one in stem.compared],
        }
    energies = {name: 10 ** (stem.loudness_lufs / 10) for name, stem in made.items()}
    whole = sum(energies.values())
    copied = sum(energies[name] * stem.copied for name, stem in made.items()) / whole if whole else 0.0
    return {"stems": stems, "copied": round(copied, 3)}


def _measures(made: Mapping[str, RebuiltStem], kept: Sequence[str]) -> dict[str, float | int | str | bool]:
    measures: dict[str, float | int | str | bool] = {"generated": True}  # nobody played it: to be labelled so
    for name in kept:
        measures[f"{name}_kept"] = True
    for name, stem in made.items():
        measures[f"{name}_notes"] = len(stem.part.notes) if stem.compared else 0
        measures[f"{name}_loudness_lufs"] = stem.loudness_lufs
        if stem.compared:
            chosen = stem.compared[0]
            measures[f"{name}_instrument"] = chosen.candidate.label
            measures[f"{name}_distance_db"] = round(chosen.distance_db, 2)
            measures[f"{name}_copied"] = round(stem.copied, 3)
    return measures
