"""A track through all stages: time of each, orchestration, peak memory; and the load time of the code location.

    python -m resonate_tests.benchmarks.bench_pipeline [MINUTES …]      (3 and 60 by default)
    python -m resonate_tests.benchmarks.bench_pipeline 180 --telephone    (mono at 8 kHz; of stereo it takes 75 GB)

Orchestration is what remains of a run's wall time after the engines and the checks, which measure the files again:
Dagster's steps and event log, hashing, publishing and exporting. A second run of the same file computes nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import dagster as dg
import soxr

from resonate_assets.jobs import STAGES
from resonate_resources.recordings.recording import Recording, write_recording, write_samples
from resonate_studio.demo_song import compose, render


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("minutes", type=float, nargs="*", default=[3.0, 60.0])
    parser.add_argument("--telephone", action="store_true", help="mono at 8 kHz")
    asked = parser.parse_args()
    print(f"code location loads in {load_seconds():.2f} s")
    for length in asked.minutes:
        with tempfile.TemporaryDirectory() as directory:
            report(length, asked.telephone, Path(directory))


def report(minutes: float, telephone: bool, directory: Path) -> None:
    """Process a track of that length in a fresh home, twice."""
    track = long_track(minutes, telephone, directory)
    wall, peak, told = process(track, directory / "home")
    stages = {name: made["metadata"]["seconds"] for name, made in told["assets"].items()}
    again, _, _ = process(track, directory / "home")
    print(f"\n{minutes:g} minutes: {wall:.1f} s, peak memory {peak / 2**30:.2f} GiB ({told['status']})")
    checks, stages["exports"] = step_seconds(directory / "home")
    for name, seconds in stages.items():
        print(f"  {name:18} {seconds:8.2f} s")
    print(f"  engines together   {sum(stages.values()):8.2f} s")
    print(f"  checks together    {checks:8.2f} s")
    print(f"  orchestration      {told['seconds'] - sum(stages.values()) - checks:8.2f} s")
    print(f"  from the cache     {again:8.2f} s for the whole command, imports included")


def step_seconds(home: Path) -> tuple[float, float]:
    """Time of the first run's asset checks, and of its exports, which copy before they are timed."""
    with dg.DagsterInstance.from_config(str(home / "dagster_home")) as instance:
        runs = instance.get_runs(dg.RunsFilter(job_name="process_track"))
        steps = instance.get_run_step_stats(runs[-1].run_id)
    took = {step.step_key: (step.end_time or 0.0) - (step.start_time or 0.0) for step in steps}
    return sum(seconds for step, seconds in took.items() if step not in STAGES), took["exports"]


def load_seconds() -> float:
    """Best of three imports of the definitions, each in a new process, interpreter start included."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", "import resonate_assets.definitions"], check=True
        )
        times.append(time.perf_counter() - start)
    return min(times)


def long_track(minutes: float, telephone: bool, directory: Path) -> Path:
    """The demo song, over and over, each time a little softer: no two minutes are equal."""
    song = directory / "song"
    song.mkdir()
    mix: Recording = render(compose(), song).mix
    if telephone:
        mono = mix.read().mean(0, keepdims=True)
        mix = write_samples(song / "telephone.wav", soxr.resample(mono.T, mix.sample_rate, 8000).T, 8000)
    frames = int(minutes * 60 * mix.sample_rate)
    path = directory / "track.wav"
    with write_recording(path, mix.sample_rate, mix.channels, frames) as writer:
        written, gain = 0, 1.0
        while written < frames:
            block = mix.read(0, frames - written)
            writer.write(block * block.dtype.type(gain))
            written, gain = written + block.shape[1], gain * 0.99
    return path


def process(track: Path, home: Path) -> tuple[float, int, dict[str, Any]]:
    """Wall time in seconds, peak resident bytes, and what `resonate process` tells."""
    environment = {**os.environ, "RESONATE_HOME": str(home), "DAGSTER_HOME": str(home / "dagster_home")}
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "resonate_studio.cli", "process", "--json", str(track)],
        env=environment,
        check=True,
        capture_output=True,
    )
    wall = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    told: dict[str, Any] = json.loads(done.stdout)["tracks"][0]
    return wall, peak, told


if __name__ == "__main__":
    main()
