"""Our Demucs engine beside the stock `demucs` command: the same files, the same (random, saved) weights.

`python -m resonate_tests.benchmarks.bench_demucs [--model htdemucs] [--seconds 30] [--files 1 20] [--narrow]
[--engines stock ours]`

Each is a process of its own that loads the model once and separates all files given to it; its wall time and peak
memory include everything. On a machine with a GPU both use it. `--narrow`: layers of few channels, so that how
memory grows with a file's length is known in minutes; what the layers themselves take is then left out.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from resonate_resources.models.weights import models_directory
from resonate_resources.recordings.recording import BLOCK_FRAMES, Recording, silent, write_recording
from resonate_resources.separation.demucs import engine as demucs_engine
from resonate_resources.separation.demucs.engine import DemucsSeparator
from resonate_tests.resources.separation.demucs.checkpoints import (
    SOURCES,
    full_size,
    package,
    publish,
)

RATE = 44100


@dataclass(frozen=True)
class Run:
    wall_seconds: float
    cpu_seconds: float
    peak_gigabytes: float
    output: str


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="htdemucs", choices=["htdemucs", "htdemucs_ft", "htdemucs_6s"])
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--files", type=int, nargs="+", default=[1, 20])
    parser.add_argument("--narrow", action="store_true")
    parser.add_argument("--engines", nargs="+", default=["stock", "ours"], choices=["stock", "ours"])
    parser.add_argument("--separate", type=Path, nargs="+", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.separate:
        separate(asked.model, asked.separate)
        return
    with tempfile.TemporaryDirectory() as directory:
        save_models(asked.model, Path(directory) / "models", asked.narrow)
        compare(asked.model, asked.seconds, asked.files, asked.engines, Path(directory))


def compare(model: str, seconds: float, counts: list[int], engines: list[str], directory: Path) -> None:
    tracks = [
        random_track(seconds, directory / f"track{number}.wav", number) for number in range(max(counts))
    ]
    print(f"{model}, files of {seconds:g} s, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print("| files | engine | seconds | of a core | × real time | peak GB |\n|---|---|---|---|---|---|")
    for count in counts:
        paths = [str(track.path) for track in tracks[:count]]
        runs = {name: measured(command(name, model, directory) + paths, directory) for name in engines}
        for name, run in runs.items():
            print(
                f"| {count} | {name} | {run.wall_seconds:.1f} | {run.cpu_seconds:.1f} "
                f"| {count * seconds / run.wall_seconds:.2f} | {run.peak_gigabytes:.2f} |",
                flush=True,
            )
        if len(runs) < 2:
            continue
        print(
            f"| {count} | stock ÷ ours | {runs['stock'].wall_seconds / runs['ours'].wall_seconds:.2f} "
            f"| {runs['stock'].cpu_seconds / runs['ours'].cpu_seconds:.2f} | "
            f"| {runs['stock'].peak_gigabytes / runs['ours'].peak_gigabytes:.2f} |"
        )
    if "ours" in runs:
        print(f"\n{runs['ours'].output}")


def command(engine: str, model: str, directory: Path) -> list[str]:
    """What separates the files that are named after it, by the models in `directory`/models."""
    if engine == "ours":
        return [
            sys.executable,
            "-m",
            "resonate_tests.benchmarks.bench_demucs",
            "--model",
            model,
            "--separate",
        ]
    models = str(directory / "models")
    return [sys.executable, "-m", "demucs", "-n", model, "--repo", models, "-o", str(directory), "--float32"]


def save_models(model: str, directory: Path, narrow: bool = False) -> None:
    """The architecture at its published size, as both sides find it: by name here, by a bag's description there."""
    sources = [*SOURCES, "guitar", "piano"] if model == "htdemucs_6s" else SOURCES
    widths = {"channels": 8, "bottom_channels": 32, "t_layers": 1} if narrow else {}
    models = [full_size(seed, sources, **widths) for seed in range(4 if model == "htdemucs_ft" else 1)]
    names = [publish(package(one), directory, f"{model}{index}") for index, one in enumerate(models)]
    description = f"models: {[name.partition('-')[0] for name in names]}\n"
    if len(models) > 1:
        description += f"weights: {np.eye(len(models)).tolist()}\n"
    (directory / f"{model}.yaml").write_text(description)


def random_track(seconds: float, path: Path, seed: int) -> Recording:
    rng, frames = np.random.default_rng(seed), round(seconds * RATE)
    with write_recording(path, RATE, 2, frames) as writer:
        for start in range(0, frames, BLOCK_FRAMES):
            writer.write(rng.normal(0, 0.1, (2, min(BLOCK_FRAMES, frames - start))))
    return writer.recording


def measured(command: list[str], directory: Path) -> Run:
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        env={**os.environ, "RESONATE_MODELS": str(directory / "models")},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}\n{output}")
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e6, output)


def separate(model: str, paths: list[Path]) -> None:
    """Our side of the comparison, in its own process."""
    files = models_directory().glob(f"{model}*.th")
    demucs_engine._FILES[model] = tuple(sorted(file.name for file in files))
    separator = DemucsSeparator(model)  # type: ignore[arg-type]
    for path in paths:
        with tempfile.TemporaryDirectory() as into:
            separator.separate(Recording.open(path), Path(into), silent)
    print(dict(separator.recipe().settings))
    print(*separator.notes, sep="\n")


if __name__ == "__main__":
    main()
