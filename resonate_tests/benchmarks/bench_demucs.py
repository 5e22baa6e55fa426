"""Our Demucs engine beside the stock `demucs` command: the same files, the same (random, saved) weights.

`python -m resonate_tests.benchmarks.bench_demucs [--model htdemucs] [--seconds 30] [--files 1 5]`

Each is a process of its own that loads the model once and separates all files given to it; its wall time and peak
memory include everything. On a machine with a GPU both use it.
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

from resonate_resources.audio import Recording, silent, write_samples
from resonate_resources.separation.demucs import engine as demucs_engine
from resonate_resources.separation.demucs.engine import DemucsSeparator
from resonate_resources.separation.model_files import models_directory
from resonate_tests.resources.separation.demucs.checkpoints import (
    SOURCES,
    full_size,
    package,
    publish,
    random_model,
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
    parser.add_argument("--files", type=int, nargs="+", default=[1, 5])
    parser.add_argument("--separate", type=Path, nargs="+", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.separate:
        separate(asked.model, asked.separate)
        return
    with tempfile.TemporaryDirectory() as directory:
        compare(asked.model, asked.seconds, asked.files, Path(directory))


def compare(model: str, seconds: float, counts: list[int], directory: Path) -> None:
    models = directory / "models"
    save_models(model, models)
    tracks = [
        random_track(seconds, directory / f"track{number}.wav", number) for number in range(max(counts))
    ]
    stock = [
        sys.executable,
        "-m",
        "demucs",
        "-n",
        model,
        "--repo",
        str(models),
        "-o",
        str(directory),
        "--float32",
    ]
    ours = [sys.executable, "-m", "resonate_tests.benchmarks.bench_demucs", "--model", model, "--separate"]
    print(f"{model}, files of {seconds:g} s, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print("| files | engine | seconds | of a core | × real time | peak GB |\n|---|---|---|---|---|---|")
    for count in counts:
        paths = [str(track.path) for track in tracks[:count]]
        runs = {"stock": measured([*stock, *paths], models), "ours": measured([*ours, *paths], models)}
        for name, run in runs.items():
            print(
                f"| {count} | {name} | {run.wall_seconds:.1f} | {run.cpu_seconds:.1f} "
                f"| {count * seconds / run.wall_seconds:.2f} | {run.peak_gigabytes:.2f} |",
                flush=True,
            )
        print(
            f"| {count} | stock ÷ ours | {runs['stock'].wall_seconds / runs['ours'].wall_seconds:.2f} "
            f"| {runs['stock'].cpu_seconds / runs['ours'].cpu_seconds:.2f} | "
            f"| {runs['stock'].peak_gigabytes / runs['ours'].peak_gigabytes:.2f} |"
        )
    print(f"\n{runs['ours'].output}")


def save_models(model: str, directory: Path) -> None:
    """The architecture at its published size, as both sides find it: by name here, by a bag's description there."""
    if model == "htdemucs_6s":
        models = [random_model(0, [*SOURCES, "guitar", "piano"])]
    else:
        models = [full_size(seed) for seed in range(4 if model == "htdemucs_ft" else 1)]
    names = [publish(package(one), directory, f"{model}{index}") for index, one in enumerate(models)]
    description = f"models: {[name.partition('-')[0] for name in names]}\n"
    if len(models) > 1:
        description += f"weights: {np.eye(len(models)).tolist()}\n"
    (directory / f"{model}.yaml").write_text(description)


def random_track(seconds: float, path: Path, seed: int) -> Recording:
    noise = np.random.default_rng(seed).normal(0, 0.1, (2, round(seconds * RATE)))
    return write_samples(path, noise.astype(np.float32), RATE)


def measured(command: list[str], models: Path) -> Run:
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        env={**os.environ, "RESONATE_MODELS": str(models)},
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
    print(separator.engine().settings)
    error = separator.precision_error_db
    if error is not None:
        print(f"lower precision is {error:.0f} dB from float32")
    print(*separator.notes, sep="\n")


if __name__ == "__main__":
    main()
