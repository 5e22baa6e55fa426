"""Songs for Live, and what readers by others find in the sets that are written of them."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from resonate_resources.exporting.ableton.target import AbletonLive
from resonate_resources.exporting.song import Marker, Song
from resonate_resources.recipe import Product
from resonate_resources.recordings.midi import Note, write_notes
from resonate_resources.recordings.recording import (
    Recording,
    silent,
    write_samples,
)
from resonate_resources.recordings.tags import Tags
from resonate_resources.recordings.tempo_map import Grid, TempoMap, TimeSignature
from resonate_tests.reader_environments import read_with

SECONDS = 24.0
WITHIN_S = 0.001
ON_LINE_S = 0.0085
"""A tempo holds for all beats that are within 8 ms of it (`TempoMap`)."""
FOUR = ("vocals", "drums", "bass", "other")


def drifting() -> Grid:
    """From 118 to 124 BPM, from 0.37 s on, with a pickup of two beats."""
    beats = 0.37 + np.cumsum([0.0, *(60 / np.linspace(118, 124, 45))])
    return Grid(beats.tolist(), beats[2::4].tolist(), [TimeSignature(float(beats[2]), 4, 4)])


def steady(bpm: float, beats_a_bar: int, signature: tuple[int, int]) -> Grid:
    beats = np.arange(0, SECONDS - 0.01, 60 / bpm)
    return Grid(beats.tolist(), beats[::beats_a_bar].tolist(), [TimeSignature(0.0, *signature)])


def changing() -> Grid:
    """Eight bars of three, then fours, at 150 BPM."""
    beats = np.arange(0, SECONDS - 0.01, 0.4)
    signatures = [TimeSignature(0.0, 3, 4), TimeSignature(float(beats[24]), 4, 4)]
    return Grid(beats.tolist(), [*beats[:24:3].tolist(), *beats[24::4].tolist()], signatures)


GRIDS = {
    "steady": steady(120, 4, (4, 4)),
    "drifting": drifting(),
    "six eighths": steady(70, 2, (6, 8)),
    "changing": changing(),
}
SECTIONS = (Marker("Intro", 0.0, 6.2), Marker("Chorus & Bridge <2>", 6.2, SECONDS))
PLAYED = [
    Note(0.5, 0.9, 36, 100),
    Note(7.013, 7.5, 38, 64),
    Note(7.3, 9.25, 38, 90),
    Note(20.02, 20.1, 36, 1),
]


def a_song(
    folder: Path,
    grid: Grid,
    *,
    parts: Sequence[str] = FOUR,
    rate: int = 8000,
    channels: int = 2,
    bpm: float | None = None,
    tags: Tags = Tags(artist="Björk", title="Jóga", key="Ebm"),  # noqa: B008 — it is frozen
    notes: Mapping[str, Sequence[Note]] | None = None,
    level: float = 0.1,
    seconds: float = SECONDS,
) -> Song:
    folder.mkdir(exist_ok=True)
    generator = np.random.default_rng(3)

    def recording(name: str) -> Recording:
        sound = generator.normal(0, level, (channels, round(seconds * rate))).astype(np.float32)
        return write_samples(folder / f"{name}.wav", sound, rate)

    tempo_map = TempoMap.of(grid, bpm)
    midi = {}
    for part, played in (notes or {}).items():
        midi[part] = folder / f"{part}.mid"
        write_notes(midi[part], list(played), tempo=tempo_map, name=part, program=0, key=None)
    stems = {part: recording(part) for part in parts}
    original = recording("original")
    return Song("t", tags, grid, tempo_map, (), SECTIONS, original, stems, recording("master"), midi)


@dataclass(frozen=True)
class Written:
    song: Song
    product: Product
    folder: Path

    @property
    def als(self) -> Path:
        [path] = [path for path in self.product.files.values() if path.suffix == ".als"]
        return path

    def tree(self) -> ElementTree.Element:
        return ElementTree.fromstring(gzip.decompress(self.als.read_bytes()))

    def logic(self, quarters: Sequence[float] = ()) -> dict[str, Any]:
        told: dict[str, Any] = read_with("logic2ableton", str(self.als), str([*map(float, quarters)]))
        return told

    def abletoolz(self) -> dict[str, Any]:
        told: dict[str, Any] = read_with("abletoolz", str(self.als))
        return told


def written(song: Song, into: Path) -> Written:
    into.mkdir()
    return Written(song, AbletonLive().write(song, into, silent), into)
