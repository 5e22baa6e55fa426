"""Many tracks dropped at once on many machines: python -m resonate_tests.benchmarks.bench_cluster FOLDER [options]

    --tracks N        dropped at once (default: 200)
    --workers A,B     so many workers, one measurement each (default: 1,2,3)
    --seconds S       of each track (default: 6)
    --model NAME      separated by Demucs's NAME, at its published size with random weights, instead of the embedded
                      engine; tells what separation took of each worker's first track and of the later ones

PostgreSQL, RabbitMQ and S3 (moto) are on this machine, and so are the workers: with fewer cores than they want,
their throughput is that of the cores. Prints per number of workers how long it took from the drop to the last
export, tracks a minute, what a run took, and for how long a worker had none between two: the overhead of a track.
Fails where a track was lost, or made twice.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

import soundfile as sf

from resonate_resources.models.weights import models_directory
from resonate_tests.benchmarks.bench_demucs import save_models
from resonate_tests.benchmarks.s3_server import s3_server
from resonate_tests.machines import Machines, short_song
from resonate_tests.postgresql_server import postgresql_server
from resonate_tests.rabbitmq_server import RabbitMQ, free_ports

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def measure(folder: Path, s3: S3Client, tracks: int, workers: int, seconds: float, model: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    bucket = f"cluster-{workers}"
    s3.create_bucket(Bucket=bucket)
    rabbitmq = RabbitMQ()
    with postgresql_server(free_ports(1)[0]) as postgresql:
        machines = Machines(folder, postgresql, rabbitmq.url, s3, bucket)
        try:
            for number in range(tracks):
                sf.write(machines.inbox / f"song {number}.wav", short_song(number, seconds).T, 44100)
            if model:
                save_models(model, models_directory())
                brief = f'[separation]\nengine = "demucs:{model}"\n'
                (machines.inbox / "brief.toml").write_text(brief)
            daemon = machines.start("daemon")
            machines.wait_for("the daemon to work", lambda: "at work" in daemon.log)
            machines.start("daemon")
            for _ in range(workers):
                machines.start("run-worker")
            began = time.perf_counter()
            machines.wait_for("all to be exported", lambda: len(machines.exported()) == tracks, 120 * tracks)
            took = time.perf_counter() - began
            machines.wait_for("the last run to end", machines.idle)
            separated = [_separated(machines, track) for track in machines.exported()] if model else []
            runs = machines.asked(
                "SELECT partition, status, start_time, end_time, extract(epoch FROM create_timestamp)::float"
                " FROM runs WHERE pipeline_name = 'process_track'"
            )
        finally:
            machines.end()
            rabbitmq.end()
    done = [run for run in runs if run[1] == "SUCCESS"]
    assert sorted(run[0] for run in done) == sorted(machines.exported()), "a track was lost, or made twice"
    works = [end - start for _, _, start, end, _ in done]
    gaps = _gaps([(start, end) for _, _, start, end, _ in done], workers)
    print(
        f"{workers} workers, {tracks} tracks of {seconds:g} s: {took:.0f} s, {60 * tracks / took:.1f} a minute; "
        f"a run {statistics.median(works):.1f} s (first {works[0]:.1f}), "
        f"between two of a worker {gaps:.2f} s; waited at most {max(run[2] - run[4] for run in done):.0f} s",
        flush=True,
    )
    if separated:
        first, later = sorted(separated)[-workers:], sorted(separated)[:-workers]
        print(
            f"separation: {first} s of the slowest, one a worker, {statistics.median(later):.2f} s of the others"
        )


def _separated(machines: Machines, track: str) -> float:
    """What separation took of it, in seconds."""
    return float(json.loads(machines.read(f"artefacts/stems/{track}/manifest.json"))["seconds"])


def _gaps(spans: list[tuple[float, float]], workers: int) -> float:
    """Mean time in which a worker that has runs before it carries out none, in seconds a run."""
    first, last = min(start for start, _ in spans), max(end for _, end in spans)
    return max(0.0, (last - first) * workers - sum(end - start for start, end in spans)) / len(spans)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tracks", type=int, default=200)
    parser.add_argument("--workers", default="1,2,3")
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--model", default="")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started is ended
    os.environ["RESONATE_MODELS"] = str(given.folder / "models")
    with s3_server() as s3:
        for workers in map(int, given.workers.split(",")):
            measure(given.folder / str(workers), s3, given.tracks, workers, given.seconds, given.model)


if __name__ == "__main__":
    main()
