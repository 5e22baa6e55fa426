"""Analysis: what the music of a track is, heard in its stems: chords, form, arrangement, pumping, envelopes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import numpy.typing as npt

from resonate_resources.analysis import filters, melody
from resonate_resources.analysis.analysis import (
    ANALYSIS,
    Analysis,
    Bar,
    Equalisation,
    Section,
    SectionName,
    write_rows,
)
from resonate_resources.analysis.arrangement import energy, playing, repeats
from resonate_resources.analysis.arrangement_chart import analysis_picture
from resonate_resources.analysis.bars import (
    bar_edges,
    chords_of_bars,
    harmony_of_bars,
    parts_of_bars,
    timbre_of_bars,
)
from resonate_resources.analysis.drum_envelopes import hear_drum_envelopes
from resonate_resources.analysis.envelopes import hear_envelope
from resonate_resources.analysis.form import find_form
from resonate_resources.analysis.likeness import PARTS, Bars, Likeness, likeness_of
from resonate_resources.analysis.melody import hear_melody
from resonate_resources.analysis.planned_form import PlannedSection, planned_form
from resonate_resources.analysis.section_names import name_sections
from resonate_resources.analysis.sound import held_pitch_of, pumping_of, space_of
from resonate_resources.analysis.stem_levels import stem_levels
from resonate_resources.analysis.third_octaves import THIRDS_HZ, third_octaves
from resonate_resources.harmony import chord_network, chords
from resonate_resources.harmony.chords import Chord, Harmony, KeyFrom, hear_harmony
from resonate_resources.parallel import in_parallel
from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.recordings.recording import Progress, Recording, Stems, silent
from resonate_resources.signal.pumping import Pumping
from resonate_resources.signal.remains import remains_of_others
from resonate_resources.signal.spectral_holes import holes_of
from resonate_resources.signal.timbre import hear_timbre

CODE_VERSION = "4"
"""Raised when the algorithm changes in a way that no constant shows."""

MELODY, PICTURE = "melody.npz", "picture.png"
_VOICE = "vocals"

METHODS = {
    "chords": chords.METHOD,
    "sections": "segmental model of bars: novelty, repetition and fills; levels of stems, timbre, chords",
    "melody": melody.METHOD,
    "equalisation": "mean power by thirds of an octave",
    "plays": "level of each stem against its own loud bars and the whole",
    "pumping": "fall common to most kicks, exponential or linear recovery, before the room",
    "space": "rates of diffuse decays, by octave; delays: mean cepstrum",
    "holes": "part of the lines from 5 to 10 kHz that lie 30 dB under what is around them",
    "held_pitch": "standard deviation of the pitch within 0.2 s of held notes",
    "envelopes": "median course of level over notes that stand free",
    "sweeps": "steady movement of a cut-off, against what the stem usually has in each band",
    "drum_envelopes": "median over the strokes that a network hears, each in its drum's band",
}


@dataclass(frozen=True)
class Grid:
    """What the profile knows of a track that the analysis stands on. keys: what chords are spelt in. sections:
    where they were planned; else they are heard."""

    beats_s: Sequence[float]
    downbeats_s: Sequence[float]
    keys: Sequence[KeyFrom]
    tuning_cents: float
    sections: Sequence[PlannedSection] = ()

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Grid:
        """Of the profile's fields of the same names, as read from JSON."""
        keys = [KeyFrom(each["start_s"], each["key"]) for each in facts["keys"]]
        sections = [
            PlannedSection(each["start_s"], each["label"], each["name"])
            for each in facts.get("sections") or ()
            if each.get("name")
        ]
        return cls(facts["beats_s"], facts["downbeats_s"], keys, facts["tuning_cents"] or 0.0, sections)


class AnalysisResource(dg.ConfigurableResource[None]):
    """Hears what stems do over time."""

    def recipe(self) -> Recipe:
        engine = Engine("signal-analysis", chord_network.MODEL, licence=chord_network.LICENCE)
        return Recipe.of(__name__, engine, {"weights_sha256": chord_network.SHA256}, CODE_VERSION)

    def analyse(
        self, track: Recording, stems: Stems, grid: Grid, into: Path, progress: Progress = silent
    ) -> Product:
        """Write analysis.json, melody.npz (`Melody.write`), bars.parquet, chords.parquet and sections.parquet into
        that existing directory."""
        harmony = hear_harmony(
            track, grid.beats_s, grid.keys, grid.tuning_cents, lambda done: progress(0.5 * done)
        )
        told = harmony.chords
        edges, has_bars = bar_edges(grid.downbeats_s, track.duration)
        levels = stem_levels(stems)
        in_bars = levels.in_spans(edges)
        names = tuple(stems)
        plays = playing(in_bars, names, remains_of_others(stems))
        progress(0.6)
        timbre = hear_timbre(track)
        in_parts = levels.in_spans(parts_of_bars(edges, PARTS)).reshape(-1, PARTS, len(names))
        bars = Bars(in_bars, in_parts, timbre_of_bars(timbre, edges), harmony_of_bars(told, edges))
        likeness = likeness_of(bars)
        parts, names_planned = (
            planned_form(grid.sections, edges) if grid.sections else (find_form(bars, likeness), [])
        )
        progress(0.7)
        loudness = energy(in_bars)
        letters = [part.letter for part in parts]
        own = [float(10 * np.log10(np.mean(10 ** (loudness[part.start : part.end] / 10)))) for part in parts]
        who_plays = [_most_often(plays[part.start : part.end], names) for part in parts]
        called: Sequence[tuple[SectionName | None, float]] = (
            [(name, 1.0) for name in names_planned]
            if names_planned
            else name_sections(letters, own, [len(each) for each in who_plays])
        )
        sections = tuple(
            Section(
                bar=part.start + 1,
                start_s=float(edges[part.start]),
                end_s=float(edges[part.end]),
                label=part.letter,
                confidence=round(part.confidence, 3),
                name=name,
                name_confidence=sure,
                level_db=round(level, 2),
                plays=who,
            )
            for part, (name, sure), level, who in zip(parts, called, own, who_plays, strict=True)
        )
        section_of = [part.letter for part in parts for _ in range(part.start, part.end)]
        rows = tuple(
            Bar(
                start_s=float(edges[number]),
                end_s=float(edges[number + 1]),
                section=section_of[number],
                chords=chords_in,
                plays=plays[number],
                level_db=round(float(loudness[number]), 2),
                repeats=None if repeated is None else repeated + 1,
            )
            for number, (chords_in, repeated) in enumerate(
                zip(chords_of_bars(told, edges), repeats(likeness), strict=True)
            )
        )
        sounding = [name for name in names if any(name in bar.plays for bar in rows)]
        envelopes = {name: hear_envelope(levels.mean_square[name]) for name in sounding}
        drums = hear_drum_envelopes(stems["drums"]) if "drums" in sounding else {}
        sweeps = dict(in_parallel(partial(_sweeps_of, stems), iter(sounding)))
        sung = _VOICE in sounding
        line = hear_melody(stems[_VOICE] if sung else track)
        progress(0.9)
        analysis = Analysis(
            has_bars=has_bars,
            bars=rows,
            chords=told,
            sections=sections,
            pumping=pumping_of(stems, sounding),
            space=space_of(stems, sounding),
            holes=holes_of(track),
            held_pitch=held_pitch_of(stems, sounding),
            envelopes={name: found for name, found in envelopes.items() if found},
            drum_envelopes=drums,
            sweeps={name: tuple(found) for name, found in sweeps.items() if found},
            equalisation=_equalisation(track, {name: stems[name] for name in sounding}, sections),
            melody_from=_VOICE if sung else "track",
            methods=METHODS | ({"sections": "the plan"} if grid.sections else {}),
        )
        line.write(into / MELODY)
        return _product(analysis, likeness, harmony, names, track.duration, into)


def _equalisation(track: Recording, stems: Stems, sections: Sequence[Section]) -> Equalisation:
    edges = np.array([*(section.start_s for section in sections), track.duration])
    whole, *of_sections = third_octaves(track, edges)
    of_stems = {name: third_octaves(stem, edges[[0, -1]])[0] for name, stem in stems.items()}
    return Equalisation(
        thirds_hz=tuple(round(hertz, 1) for hertz in THIRDS_HZ),
        track_db=_rounded(whole),
        sections_db=tuple(map(_rounded, of_sections)),
        stems_db={name: _rounded(levels) for name, levels in of_stems.items()},
    )


def _rounded(levels_db: npt.NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(np.round(levels_db, 1).tolist())


def _sweeps_of(stems: Stems, name: str) -> tuple[str, list[filters.Sweep]]:
    return name, filters.find_sweeps(stems[name])


def _most_often(bars: Sequence[tuple[str, ...]], names: Sequence[str]) -> tuple[str, ...]:
    """The stems that play in half of the bars and more."""
    return tuple(name for name in names if 2 * sum(name in bar for bar in bars) >= len(bars))


def pumping_measures(pumping: Mapping[str, Pumping]) -> dict[str, float]:
    """Of the stem that pumps the most certainly; nothing where none does."""
    if not pumping:
        return {}
    surest = max(pumping.values(), key=lambda found: found.confidence)
    return {"pumping_db": surest.depth_db, "pumping_confidence": surest.confidence}


def _product(
    analysis: Analysis,
    likeness: Likeness,
    harmony: Harmony,
    names: Sequence[str],
    duration_s: float,
    into: Path,
) -> Product:
    analysis.write(into / ANALYSIS)
    tables: dict[str, Sequence[Chord | Bar | Section]] = {
        "bars": analysis.bars,
        "chords": analysis.chords,
        "sections": analysis.sections,
    }
    for name, rows in tables.items():
        write_rows(rows, into / f"{name}.parquet")
    (into / PICTURE).write_bytes(analysis_picture(analysis, likeness, harmony, names, duration_s))
    measures: dict[str, float | int | str] = {
        "bars": len(analysis.bars) if analysis.has_bars else 0,
        "sections": len(analysis.sections),
        "form": "".join(section.label for section in analysis.sections)[:60],
        "different_chords": len({chord.label for chord in analysis.chords} - {chords.NO_CHORD}),
    }
    measures |= pumping_measures(analysis.pumping)
    notes = (
        ()
        if analysis.has_bars
        else ("no bars were found: sections and arrangement are told by stretches of 2 s",)
    )
    made = (ANALYSIS, MELODY, *(f"{name}.parquet" for name in tables))
    return Product({name: into / name for name in made}, measures, notes, reports={PICTURE: into / PICTURE})
