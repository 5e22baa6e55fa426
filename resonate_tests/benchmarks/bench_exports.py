"""Seconds that each export takes, beside copying the same stems: what nobody can go below.

    python -m resonate_tests.benchmarks.bench_exports FOLDER [--minutes 3 60]

Stems and master are noise of 44.1 kHz in stereo, which no codec makes small; beats at 120 BPM.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np

from resonate_resources.exporting.brief import ExportsBrief, Form
from resonate_resources.exporting.song import Marker, Song, Target
from resonate_resources.exporting.targets import MODULES, target_of
from resonate_resources.recordings.recording import Recording, Samples, silent, write_recording
from resonate_resources.recordings.tags import Tags
from resonate_resources.recordings.tempo_map import Grid, TempoMap, TimeSignature
from resonate_resources.regeneration.resource import RegenerationResource

RATE = 44_100
FORMS: tuple[Form, ...] = ("wav", "flac", "aiff", "mp3", "opus")
CODECS: tuple[Literal["alac", "aac"], ...] = ("alac", "aac")


def song_of(folder: Path, minutes: float) -> Song:
    frames = round(minutes * 60 * RATE)
    beats = np.arange(0.25, minutes * 60, 0.5).tolist()
    grid = Grid(beats, beats[::4], [TimeSignature(0.25, 4, 4)])

    def noise(number: int) -> Recording:
        generator = np.random.default_rng(number)

        def blocks() -> Iterator[Samples]:
            for start in range(0, frames, RATE):
                yield generator.normal(0, 0.05, (2, min(RATE, frames - start))).astype(np.float32)

        with write_recording(folder / f"{number}.wav", RATE, 2, frames) as writer:
            for block in blocks():
                writer.write(block)
        return writer.recording

    stems = {name: noise(number) for number, name in enumerate(("vocals", "drums", "bass", "other"))}
    return Song(
        "song-0123456789ab",
        Tags(artist="Artist", title="Title", bpm=120.0, key="Am"),
        grid,
        TempoMap.of(grid, 120.0),
        (),
        [Marker(f"Part {number}", 30.0 * number, 30.0 * number + 30) for number in range(round(minutes * 2))],
        noise(8),
        stems,
        noise(9),
        {},
    )


def measured(target: Target, song: Song, folder: Path) -> tuple[float, float]:
    """(seconds, seconds of the processor)."""
    into = folder / "out"
    into.mkdir()
    began, used = time.perf_counter(), time.process_time()
    target.write(song, into, silent)
    took = time.perf_counter() - began, time.process_time() - used
    shutil.rmtree(into)
    return took


def copied(song: Song, folder: Path) -> float:
    into = folder / "out"
    into.mkdir()
    began = time.perf_counter()
    for recording in (*song.stems.values(), song.master):
        shutil.copyfile(recording.path, into / recording.path.name)
    took = time.perf_counter() - began
    shutil.rmtree(into)
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, nargs="+", default=[3.0])
    asked = parser.parse_args()
    for minutes in asked.minutes:
        folder: Path = asked.folder / f"{minutes:g}"
        folder.mkdir(parents=True)
        song = song_of(folder, minutes)
        copying = copied(song, folder)
        print(f"{minutes:g} minutes: copying stems and master {copying:.2f} s")
        print("| export | s | processor s | times copying |")
        print("|---|---|---|---|")
        usual, maker = ExportsBrief(), RegenerationResource()
        rows = [(name, usual, "") for name in MODULES if name != "ni_stems"]
        rows += [("ni_stems", ExportsBrief(ni_stems_codec=codec), codec) for codec in CODECS]
        rows += [("archive", ExportsBrief(stem_format=form, stem_bits=16), form) for form in FORMS]
        for name, wanted, told in rows:
            seconds, used = measured(target_of(name, wanted, folder, folder, maker), song, folder)
            print(f"| {name} {told} | {seconds:.2f} | {used:.2f} | {seconds / copying:.1f} |", flush=True)
        print(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
