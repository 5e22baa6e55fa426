"""Songs of a few seconds whose stems are noise, so that nobody's reader can take one for another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from resonate_resources.exporting.song import KeyFrom, Marker, Song
from resonate_resources.recordings.midi import Note, write_notes
from resonate_resources.recordings.recording import Samples, write_samples
from resonate_resources.recordings.tags import Tags
from resonate_resources.recordings.tempo_map import Grid, TempoMap, TimeSignature

FOUR = ("vocals", "drums", "bass", "other")
SIX = (*FOUR, "piano", "guitar")
TAGS = Tags(artist="Björk", title="Jóga", bpm=120.0, key="Am", artwork=b"\xff\xd8\xff12")
SECONDS = 3.0


def noise(number: int, frames: int, channels: int = 2, peak: float = 0.2) -> Samples:
    return np.random.default_rng(number).uniform(-peak, peak, (channels, frames)).astype(np.float32)


def steady(seconds: float = SECONDS) -> Grid:
    """120 BPM in fours."""
    beats = np.arange(0, seconds, 0.5).tolist()
    return Grid(beats, beats[::4], (TimeSignature(0.0, 4, 4),))


def song(
    folder: Path,
    stems: Mapping[str, Samples] | Sequence[str] = FOUR,
    master: Samples | None = None,
    *,
    rate: int = 44_100,
    channels: int = 2,
    tags: Tags = TAGS,
    grid: Grid | None = None,
    source: Path | None = None,
) -> Song:
    """stems: samples, or names of noises. master: their sum where nothing is said."""
    if not isinstance(stems, Mapping):
        frames = round(SECONDS * rate)
        stems = {name: noise(number, frames, channels) for number, name in enumerate(stems)}
    grid = steady() if grid is None else grid
    tempo = TempoMap.of(grid, None)
    whole: Samples = np.sum([*stems.values()], axis=0) if master is None else master
    (folder / "notes").mkdir(parents=True)
    write_notes(folder / "notes" / "bass.mid", [Note(0.5, 1.0, 40, 90)], tempo=tempo, name="Bass", program=33)
    recording = write_samples(folder / "master-in.wav", whole, rate)
    return Song(
        "joga-0123456789ab",
        tags,
        grid,
        tempo,
        (KeyFrom(0.0, "A minor"),),
        (Marker("Intro", 0.0, 1.0), Marker("Chorus", 1.0, SECONDS)),
        recording,
        {name: write_samples(folder / f"{name}-in.wav", samples, rate) for name, samples in stems.items()},
        recording,
        {"bass": folder / "notes" / "bass.mid"},
        source,
    )
