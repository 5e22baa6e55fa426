"""What profile and analysis cost, part by part, and how it grows with a track's length.

    python -m resonate_tests.benchmarks.bench_lengths SONGS [MINUTES …]

SONGS: a folder of songs of `music_truth`, whose mixtures and stems are put one after the other until they last
1, 10 and 60 minutes. Each length and stage has a process of its own, in which ten seconds are heard first, so that
neither imports nor models are counted. Prints processor seconds and peak memory, then the seconds that every part
takes a minute of music; what several threads do at once counts for each. Needs 10 GB of disk for the hour.
"""

from __future__ import annotations

import importlib
import json
import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from resonate_resources.analysis.resource import AnalysisResource, Grid
from resonate_resources.profiling.brief import ProfileBrief
from resonate_resources.profiling.profile import Profile
from resonate_resources.profiling.resource import ProfilingResource
from resonate_resources.recordings.recording import Recording, write_recording
from resonate_tests.benchmarks.music_truth.song import STEMS

MINUTES = (1, 10, 60)
_WARM, _WARM_S = "warm", 10.0
PARTS = {
    "profile": {
        "profiling.analysis": "hear_beats find_beats hear_timbre pitch_class_energy estimate_keys find_sections",
        "profiling.resource": "_measured measure_width _fingerprint draw",
    },
    "analysis": {
        "analysis.resource": "hear_harmony stem_levels remains_of_others hear_timbre likeness_of find_form"
        " hear_melody third_octaves hear_envelope hear_drum_envelopes _sweeps_of pumping_of space_of holes_of"
        " held_pitch_of _product",
    },
}
"""Modules below resonate_resources, and functions that they call."""


def main(songs: Path, minutes: Sequence[float]) -> None:
    """Print the tables."""
    parts: dict[str, dict[float, float]] = defaultdict(dict)
    print("| minutes | stage | seconds | a minute of music | peak memory, MiB |\n|---|---|---|---|---|")
    with TemporaryDirectory() as scratch:
        warm = joined(songs, _WARM_S, Path(scratch) / _WARM)
        run("profile", warm)
        for length in minutes:
            made = joined(songs, 60 * length, Path(scratch) / f"{length:g}")
            for stage in PARTS:
                told = json.loads(
                    subprocess.run(
                        [sys.executable, "-m", __spec__.name, "--measure", stage, str(made)],
                        stdout=subprocess.PIPE,
                        check=True,
                    ).stdout
                )
                row = (
                    length,
                    stage,
                    f"{told['seconds']:.1f}",
                    f"{told['seconds'] / length:.2f}",
                    told["mib"],
                )
                print("|", *(f"{cell} |" for cell in row), flush=True)
                for part, seconds in told["parts"].items():
                    parts[f"{stage}: {part}"][length] = seconds / length
    print("\n| part |", *(f"{length} min |" for length in minutes))
    print("|---|" + "---|" * len(minutes))
    for part, seconds_of in parts.items():
        print(f"| {part} |", *(f"{seconds_of.get(length, 0):.3f} |" for length in minutes))


def joined(songs: Path, seconds: float, into: Path) -> Path:
    """A folder with mixture and stems of songs, one song after the other, and over again as often as needed."""
    into.mkdir()
    order = sorted(song for song in songs.iterdir() if (song / "truth.json").exists())
    for name in ("mix", *STEMS):
        mixtures = [Recording.open(song / "mix.wav") for song in order]

        frames = round(seconds * mixtures[0].sample_rate)
        path = into / f"{name}.wav"
        with write_recording(path, mixtures[0].sample_rate, mixtures[0].channels, frames) as writer:
            for song, mixture in cycle(zip(order, mixtures, strict=True)):
                part = Recording.open(song / path.name) if (song / path.name).exists() else None
                for block in (part or mixture).blocks():
                    taken = block[:, :frames]
                    writer.write(taken if part else np.zeros_like(taken))
                    frames -= taken.shape[1]
                if not frames:
                    break
    return into


def measure(stage: str, folder: Path) -> dict[str, Any]:
    """Processor seconds, peak memory in MiB and seconds by part of a stage on such a folder."""
    spent: dict[str, float] = defaultdict(float)

    def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            began = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                spent[name.strip("_")] += time.perf_counter() - began

        return call

    for place, names in PARTS[stage].items():
        module = importlib.import_module(f"resonate_resources.{place}")
        for name in names.split():
            setattr(module, name, timed(name, getattr(module, name)))
    run(stage, folder.parent / _WARM)
    spent.clear()
    began = time.process_time()
    run(stage, folder)
    seconds = time.process_time() - began
    return {
        "seconds": seconds,
        "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
        "parts": spent,
    }


def run(stage: str, folder: Path) -> None:
    track = Recording.open(folder / "mix.wav")
    if stage == "profile":
        ProfilingResource().profile(track, ProfileBrief(), folder)
    else:
        stems = {name: Recording.open(folder / f"{name}.wav") for name in STEMS}
        grid = Grid.of(Profile.read(folder / "profile.json").model_dump())
        AnalysisResource().analyse(track, stems, grid, folder)


if __name__ == "__main__":
    if sys.argv[1] == "--measure":
        print(json.dumps(measure(sys.argv[2], Path(sys.argv[3]))))
    else:
        main(Path(sys.argv[1]), [float(length) for length in sys.argv[2:]] or MINUTES)
