"""Analysis: what the music of a track is, heard in its stems: chords, form, arrangement, pumping, envelopes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np

from resonate_resources.analysis import chord_network, chords, filters
from resonate_resources.analysis.analysis import (
    ANALYSIS,
    Analysis,
    Bar,
    Envelope,
    Section,
    Sweep,
    write_rows,
)
from resonate_resources.analysis.arrangement import energy, playing, repeats
from resonate_resources.analysis.arrangement_chart import arrangement_picture, likeness_picture
from resonate_resources.analysis.bars import (
    bar_edges,
    chords_of_bars,
    harmony_of_bars,
    timbre_of_bars,
)
from resonate_resources.analysis.chords import Chord, KeyFrom, chords_of
from resonate_resources.analysis.drum_envelopes import hear_drum_envelopes
from resonate_resources.analysis.envelopes import hear_envelope
from resonate_resources.analysis.form import Bars, find_form, likeness_of
from resonate_resources.analysis.section_names import name_sections
from resonate_resources.analysis.sound import pumping_of, space_of, traces_of
from resonate_resources.analysis.stem_levels import stem_levels
from resonate_resources.parallel import in_parallel
from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.recordings.recording import Progress, Recording, Stems, silent
from resonate_resources.signal.remains import remains_of_others
from resonate_resources.signal.timbre import hear_timbre

CODE_VERSION = "2"
"""Raised when the algorithm changes in a way that no constant shows."""

METHODS = {
    "chords": chords.METHOD,
    "sections": "novelty and repetition of bars: levels of stems, timbre, chords",
    "plays": "level of each stem against its own loud bars and the whole",
    "pumping": "fall common to most kicks, exponential or linear recovery",
    "space": "rates of decay that stems agree in, by octave; delays: mean cepstrum",
    "traces": "long-term spectra, flat tops, pitch of held notes",
    "envelopes": "median course of level over notes that stand free",
    "drum_envelopes": "median over the strokes that a network hears, each in its drum's band",
    "sweeps": "steady movement of the edge of the spectrum",
}


@dataclass(frozen=True)
class Grid:
    """What the profile knows of a track that the analysis stands on. keys: what chords are spelt in."""

    beats_s: Sequence[float]
    downbeats_s: Sequence[float]
    keys: Sequence[KeyFrom]
    tuning_cents: float

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Grid:
        """Of the profile's fields of the same names, as read from JSON."""
        keys = [KeyFrom(each["start_s"], each["key"]) for each in facts["keys"]]
        return cls(facts["beats_s"], facts["downbeats_s"], keys, facts["tuning_cents"] or 0.0)


class AnalysisResource(dg.ConfigurableResource[None]):
    """Hears what stems do over time."""

    def recipe(self) -> Recipe:
        engine = Engine("signal-analysis", chord_network.MODEL, licence=chord_network.LICENCE)
        return Recipe.of(__name__, engine, {"weights_sha256": chord_network.SHA256}, CODE_VERSION)

    def analyse(
        self, track: Recording, stems: Stems, grid: Grid, into: Path, progress: Progress = silent
    ) -> Product:
        """Write analysis.json, bars.parquet, chords.parquet and sections.parquet into that existing directory."""
        told = chords_of(track, grid.beats_s, grid.keys, grid.tuning_cents, lambda done: progress(0.5 * done))
        edges, has_bars = bar_edges(grid.downbeats_s, track.duration)
        levels = stem_levels(stems)
        in_bars = levels.in_spans(edges)
        names = tuple(stems)
        plays = playing(in_bars, names, remains_of_others(stems))
        progress(0.6)
        timbre = hear_timbre(track)
        bars = Bars(in_bars, timbre_of_bars(timbre, edges), harmony_of_bars(told, edges))
        likeness = likeness_of(bars)
        parts = find_form(bars, likeness)
        progress(0.7)
        loudness = energy(in_bars)
        letters = [part.letter for part in parts]
        own = [float(10 * np.log10(np.mean(10 ** (loudness[part.start : part.end] / 10)))) for part in parts]
        in_parts = [_most_often(plays[part.start : part.end], names) for part in parts]
        called = name_sections(letters, own, [len(each) for each in in_parts])
        sections = tuple(
            Section(
                start_s=float(edges[part.start]),
                end_s=float(edges[part.end]),
                label=part.letter,
                confidence=round(part.confidence, 3),
                name=name,
                name_confidence=sure,
                level_db=round(level, 2),
                plays=who,
            )
            for part, (name, sure), level, who in zip(parts, called, own, in_parts, strict=True)
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
        progress(0.9)
        analysis = Analysis(
            has_bars=has_bars,
            bars=rows,
            chords=told,
            sections=sections,
            pumping=pumping_of(stems, sounding),
            space=space_of(stems, sounding),
            traces=traces_of(track, stems, sounding),
            envelopes={name: Envelope(**asdict(found)) for name, found in envelopes.items() if found},
            drum_envelopes={drum: Envelope(**asdict(found)) for drum, found in drums.items()},
            sweeps={
                name: tuple(Sweep(**asdict(each)) for each in found)
                for name, found in sweeps.items()
                if found
            },
            methods=METHODS,
        )
        return _product(analysis, likeness, names, track.duration, into)


def _sweeps_of(stems: Stems, name: str) -> tuple[str, list[filters.Sweep]]:
    return name, filters.find_sweeps(stems[name])


def _most_often(bars: Sequence[tuple[str, ...]], names: Sequence[str]) -> tuple[str, ...]:
    """The stems that play in half of the bars and more."""
    return tuple(name for name in names if 2 * sum(name in bar for bar in bars) >= len(bars))


def _product(
    analysis: Analysis, likeness: np.ndarray, names: Sequence[str], duration_s: float, into: Path
) -> Product:
    analysis.write(into / ANALYSIS)
    tables: dict[str, Sequence[Chord | Bar | Section]] = {
        "bars": analysis.bars,
        "chords": analysis.chords,
        "sections": analysis.sections,
    }
    for name, rows in tables.items():
        write_rows(rows, into / f"{name}.parquet")
    (into / "picture.png").write_bytes(arrangement_picture(analysis, names, duration_s))
    (into / "self_similarity.png").write_bytes(likeness_picture(likeness, analysis))
    measures: dict[str, float | int | str] = {
        "bars": len(analysis.bars) if analysis.has_bars else 0,
        "sections": len(analysis.sections),
        "form": "".join(section.label for section in analysis.sections)[:60],
        "chords": len({chord.label for chord in analysis.chords} - {chords.NO_CHORD}),
    }
    if analysis.pumping:
        measures["pumping_db"] = max(found.depth_db for found in analysis.pumping.values())
    notes = (
        ()
        if analysis.has_bars
        else ("no bars were found: sections and arrangement are told by stretches of 2 s",)
    )
    made = (ANALYSIS, *(f"{name}.parquet" for name in tables))
    reports = ("picture.png", "self_similarity.png")
    return Product(
        {name: into / name for name in made}, measures, notes, reports={name: into / name for name in reports}
    )
