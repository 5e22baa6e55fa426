"""Remixing as a resource: stems at another tempo and in another key, chops of the voice, loops."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np

from resonate_resources.brief.section import STEM_NAMES
from resonate_resources.recipe import Engine, Json, Product, Recipe
from resonate_resources.recordings.music import READ as MUSIC
from resonate_resources.recordings.music import Music
from resonate_resources.recordings.recording import (
    AudioError,
    Progress,
    Recording,
    Stems,
    silent,
    write_samples,
)
from resonate_resources.remixing.brief import RemixingBrief
from resonate_resources.remixing.chops import chop_name, cut, find_chops, told
from resonate_resources.remixing.loops import (
    bars_of,
    choose_loops,
    levels_of_bars,
    loop_name,
    looped,
    mark_loop,
)
from resonate_resources.remixing.move import Move, move_for
from resonate_resources.signal.spelling import pitch_names
from resonate_resources.signal.stretching import stretch

CODE_VERSION = "2"
"""Raised when the algorithm changes in a way that no constant shows."""

READ = (*MUSIC, "sections")
"""What is read of a profile."""
REMIX, CHOPS, LOOPS = "remix.json", "chops/chops.json", "loops/loops.json"
_VOICE = "vocals"


class RemixingResource(dg.ConfigurableResource[None]):
    """Makes material for remixes."""

    def recipe(self, brief: RemixingBrief) -> Recipe:
        return Recipe.of(__name__, Engine("rubber-band"), brief.asked(), CODE_VERSION)

    def remix(
        self,
        recordings: Stems,
        profile: Mapping[str, Any],
        brief: RemixingBrief,
        into: Path,
        progress: Progress = silent,
    ) -> Product:
        """Write remix.json and what the brief asks for: each recording at another tempo and pitch, <name>.wav (the
        very same where neither changes), chops/ and loops/, each with an index in JSON.

        recordings: stems, and the master or the track itself by a name of its own, all of one time line. profile:
        its fields READ. Where tempo or key can't be had, nothing else is made, and a note says why.
        """
        try:
            move = move_for(brief, Music.of(profile), profile.get("key"))
        except AudioError as error:
            (into / REMIX).write_text(_as_json({"asked": brief.asked()}), encoding="utf-8")
            return Product({REMIX: into / REMIX}, notes=(f"nothing was made: {error}",))
        sources = dict(recordings)
        files: dict[str, Path] = {}
        notes: list[str] = []
        if brief.moves:
            moved = {}
            for number, (name, recording) in enumerate(sources.items()):
                files[f"{name}.wav"] = into / f"{name}.wav"
                start = number / len(sources)
                moved[name] = _moved(
                    recording, move, files[f"{name}.wav"], _part_of(progress, start, 0.8 / len(sources))
                )
            sources = moved
            notes += _notes_of_peaks(moved)
        if brief.moves or brief.loops:
            notes += _notes_of_beats(move)
        measures: dict[str, float | int | str | bool] = {"semitones": move.semitones} if brief.moves else {}
        if brief.moves and move.tempo_bpm is not None:
            measures["tempo_bpm"] = move.tempo_bpm
        if brief.chops:
            made = _chops(sources.get(_VOICE), move, into, notes)
            measures["chops"] = max(len(made) - 1, 0)
            files |= made
        if brief.loops:
            sections = [(section["start_s"], section["label"]) for section in profile.get("sections") or ()]
            made = _loops(sources, move, sections, brief, into, notes)
            measures["loops"] = max(len(made) - 1, 0)
            files |= made
        (into / REMIX).write_text(_as_json(_told(move, brief)), encoding="utf-8")
        return Product({REMIX: into / REMIX, **files}, measures, tuple(notes))


def _part_of(progress: Progress, start: float, share: float) -> Progress:
    return lambda part: progress(start + share * part)


def _moved(recording: Recording, move: Move, path: Path, progress: Progress) -> Recording:
    if not move.changes_nothing:
        return stretch(recording, move.time_map, move.semitones, path, progress)
    try:
        os.link(recording.path, path)
    except OSError:  # on another file system, or one without links
        shutil.copyfile(recording.path, path)
    return Recording.open(path)


def _notes_of_peaks(moved: Mapping[str, Recording]) -> list[str]:
    """What a file of 16 or 24 bits would clip: stretching turns phases, so peaks rise."""
    over = []
    for name, recording in moved.items():
        peak = max((float(np.abs(block).max(initial=0)) for block in recording.blocks()), default=0.0)
        if peak > 1:
            over.append(f"{name}.wav (peak {20 * math.log10(peak):+.1f} dBFS)")
    return (
        [f"over full scale, turn it down before it becomes 16 or 24 bits: {', '.join(over)}"] if over else []
    )


def _notes_of_beats(move: Move) -> list[str]:
    if move.tempo_bpm is None or move.quarters_bpm is None or move.quarters_bpm == move.tempo_bpm:
        return []
    return [
        f"a beat is {2 * move.quarters_bpm / move.tempo_bpm:g}/8: {move.tempo_bpm:.1f} beats are "
        f"{move.quarters_bpm:.1f} quarter notes a minute, which is what a DAW counts"
    ]


def _told(move: Move, brief: RemixingBrief) -> dict[str, Json]:
    knots: list[Json] = [
        [round(source, 4), round(target, 4)]
        for source, target in zip(move.time_map.source_s[1:-1], move.time_map.target_s[1:-1], strict=True)
    ]
    ratios = move.time_map.ratios
    return {
        "asked": brief.asked(),
        "tempo_bpm": None if move.tempo_bpm is None else round(move.tempo_bpm, 3),
        "key": move.key,
        "semitones": move.semitones,
        "ratio": round(float(ratios[0]), 6) if not knots else None,
        "knots_s": knots,
    }


def _chops(voice: Recording | None, move: Move, into: Path, notes: list[str]) -> dict[str, Path]:
    chops = [] if voice is None else find_chops(voice)
    if voice is None or not chops:
        notes.append(
            "no chops of vocals: " + ("there are none" if voice is None else "no onset was heard in them")
        )
        return {}
    if not move.tempo.known:
        notes.append("chops have no bars and beats: no tempo was found in the track")
    names = pitch_names(move.key)
    digits = max(3, len(str(len(chops))))
    (into / CHOPS).parent.mkdir()
    files, index = {}, []
    for number, chop in enumerate(chops, 1):
        name = chop_name(number, digits, chop, voice.sample_rate, names)
        samples = cut(voice, chop)
        files[f"chops/{name}"] = write_samples(into / "chops" / name, samples, voice.sample_rate).path
        index.append({"file": name, **told(chop, voice.sample_rate, move.tempo, names)})
    (into / CHOPS).write_text(_as_json(index), encoding="utf-8")
    return {CHOPS: into / CHOPS, **files}


def _loops(
    sources: Mapping[str, Recording],
    move: Move,
    sections: list[tuple[float, str]],
    brief: RemixingBrief,
    into: Path,
    notes: list[str],
) -> dict[str, Path]:
    names = sorted(sources, key=lambda name: name in STEM_NAMES)
    whole = sources[names[0]]
    bars = bars_of(move.tempo, whole.duration)
    levels = levels_of_bars(whole, move.tempo, bars)
    placed = [(float(move.time_map(start)), label) for start, label in sections]
    files, index = {}, []
    for count in brief.loops:
        chosen = choose_loops(move.tempo, bars, levels, placed, count)
        if not chosen:
            length = f"{count} bar{'s' if count > 1 else ''}"
            lack = "no bars were found"
            if bars:
                longest = choose_loops(move.tempo, bars, levels, [], count)
                lack = "no section is so long" if longest else "nowhere are so many whole bars in a row"
            notes.append(f"no loops of {length}: {lack}")
        for loop in chosen:
            for source, recording in sources.items():
                samples = looped(recording, loop)
                if samples is None:
                    continue
                name = loop_name(source, loop)
                path = into / "loops" / name
                path.parent.mkdir(exist_ok=True)
                write_samples(path, samples, recording.sample_rate)
                mark_loop(path, samples.shape[1], recording.sample_rate, loop)
                files[f"loops/{name}"] = path
                index.append(
                    {
                        "file": name,
                        "source": source,
                        "bar": loop.bar,
                        "bars": loop.bars,
                        "section": loop.section or None,
                        "start_s": round(loop.start_s, 4),
                        "frames": samples.shape[1],
                        "tempo_bpm": round(loop.tempo_bpm, 3),
                        "time_signature": f"{loop.numerator}/{loop.denominator}",
                    }
                )
    if not files:
        return {}
    (into / LOOPS).write_text(_as_json(index), encoding="utf-8")
    return {LOOPS: into / LOOPS, **files}


def _as_json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
