"""Songs whose beats are known, for what DJ programs are told of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from resonate_resources.exporting.song import Marker, Song
from resonate_resources.recordings.recording import Recording, write_samples
from resonate_resources.recordings.tags import Tags
from resonate_resources.recordings.tempo_map import Grid, TempoMap, TimeSignature

FOUR, THREE, SIX, SEVEN = ((4, 4), (3, 4), (6, 8), (7, 8))
BEATS_A_BAR = {FOUR: 4, THREE: 3, SIX: 2, SEVEN: 7}

STEADY_S = [0.25 + 0.5 * n for n in range(64)]
STEADY = Grid(STEADY_S, STEADY_S[::4], [TimeSignature(0.25, 4, 4)])
NO_BEATS = Grid()


def _drifting() -> Grid:
    """From 118 to 124 BPM over 200 beats, of which the first comes before the first bar."""
    seconds = 0.4 + np.concatenate([[0.0], np.cumsum(60 / np.linspace(118, 124, 199))])
    beats = seconds.tolist()
    return Grid(beats, beats[1::4], [TimeSignature(beats[1], 4, 4)])


DRIFTING = _drifting()
IN_SIX_S = [0.5 + 0.8 * n for n in range(40)]
IN_SIX = Grid(IN_SIX_S, IN_SIX_S[::2], [TimeSignature(0.5, 6, 8)])
"""75 dotted quarters a minute, two a bar."""


def mapped(grid: Grid) -> list[float]:
    """Seconds of a grid's beats on the one time line, which `test_song.py` compares with the grid itself."""
    tempo_map = TempoMap.of(grid, None)
    return [tempo_map.second(tick) for tick in tempo_map.beats]


@st.composite
def wandering(draw: st.DrawFn) -> Grid:
    """Bars of one time signature after some beats of another bar; the tempo wanders, or beats are off by 10 ms."""
    numerator, denominator = draw(st.sampled_from([FOUR, THREE, SIX, SEVEN]))
    a_bar = BEATS_A_BAR[numerator, denominator]
    second, beat = draw(st.floats(0.02, 7)), draw(st.floats(0.3, 1.2))
    off = draw(st.sampled_from([0.0, 0.005]))
    beats = []
    for _ in range(draw(st.integers(2, 8)) * a_bar + 1):
        beats.append(second + draw(st.floats(-off, off)))
        beat = min(max(beat * draw(st.floats(0.97, 1.03)), 0.25), 1.3)
        second += beat
    pick_up = draw(st.integers(0, a_bar - 1))
    return Grid(beats, beats[pick_up::a_bar], [TimeSignature(beats[pick_up], numerator, denominator)])


def a_song(
    folder: Path,
    grid: Grid,
    sections: Sequence[Marker] = (),
    tags: Tags | None = None,
    source: Path | None = None,
    *,
    level: float = 0.1,
    sample_rate: int = 44_100,
    channels: int = 2,
    seconds: float = 2.0,
) -> Song:
    """A song of that grid with a tone of that peak, whose recording is short beside it: no target hears beats."""
    tone = level * np.sin(np.arange(round(seconds * sample_rate)) * (2 * np.pi * 997 / sample_rate))
    path = folder / "original.wav"
    samples = np.tile(tone.astype(np.float32), (channels, 1))
    original = Recording.open(path) if path.exists() else write_samples(path, samples, sample_rate)
    return Song(
        track="song-0123456789ab",
        tags=tags or Tags(artist="Björk", title="Jóga"),
        grid=grid,
        tempo_map=TempoMap.of(grid, None),
        keys=(),
        sections=sections,
        original=original,
        stems={"vocals": original, "drums": original, "bass": original},
        master=original,
        notes={},
        source=source,
    )


def parts(count: int) -> list[Marker]:
    """Sections of 8 s, an intro and then verse and chorus in turn."""
    names = ["Intro", *("Verse", "Chorus") * count][:count]
    return [Marker(name, 0.25 + 8 * n, 8.25 + 8 * n) for n, name in enumerate(names)]
