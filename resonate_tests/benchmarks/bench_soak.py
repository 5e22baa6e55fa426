"""An installation of many processes under load for hours: python -m resonate_tests.benchmarks.bench_soak FOLDER

    --minutes M    of load (default: 120)
    --crowd N      tracks at once at its beginning (default: 200): five sixths dropped, the others of a library
    --every S      a new track every so many seconds, once these are done (default: 60)

Two studios that are asked for the library and for metrics every two seconds, two daemons, three workers,
PostgreSQL, RabbitMQ, S3 (moto). Tracks are of three seconds. Of the crowd it is told, once all are exported, how
long that took, which were made twice, and how many runs failed, or began before one that was more urgent. Then
every other one of those that are exported is removed.
A line a minute, as CSV: memory (MB), open files and threads of each process with its children, connections to
PostgreSQL, MB in each home. At the end the slope of each over the second half, an hour, beside its mean there: what
is flat grows by nothing.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import requests
import soundfile as sf
from mutagen.flac import FLAC

from resonate_tests.benchmarks.s3_server import s3_server
from resonate_tests.machines import Machine, Machines, short_song
from resonate_tests.postgresql_server import postgresql_server
from resonate_tests.rabbitmq_server import RabbitMQ, free_ports

_ASK_SECONDS = 2.0
_QUEUED_SECONDS = 20.0
"""From a run's making until it waits in RabbitMQ, where 17 priorities are eleven: neighbours may be one."""


def soak(
    folder: Path, machines: Machines, minutes: float, crowd: int, every: float
) -> list[dict[str, float]]:
    library = folder / "library"
    machines.shared["RESONATE_LIBRARIES"] = str(library)
    named, ports = _started(machines)
    of_library = crowd // 6
    for number in range(crowd - of_library):
        _write(machines.inbox / f"song {number}.flac", number)
    for number in range(crowd - of_library, crowd):
        _write(library / f"song {number}.flac", number, tagged=True)
    machines.start("library", "scan")
    began = looked = time.monotonic()
    dropped = removed = asked = refused = 0
    crowded = bool(crowd)
    rows: list[dict[str, float]] = []
    while (now := time.monotonic()) - began < 60 * minutes:
        exported = machines.exported()
        if crowded and len(exported) == crowd:
            _tell_of_crowd(machines, exported, now - began)
            crowded, since = False, now
        elif not crowded and now - since >= dropped * every:
            _write(machines.inbox / f"later {dropped}.flac", crowd + dropped)
            dropped += 1
        for port in ports:
            for page in ("/api/v1/tracks", "/metrics"):
                asked += 1
                try:
                    requests.get(f"http://127.0.0.1:{port}{page}", timeout=60).raise_for_status()
                except requests.RequestException:
                    refused += 1
        if not crowded and len(exported) > removed + 2:
            with suppress(requests.RequestException):
                address = f"http://127.0.0.1:{ports[removed % 2]}/api/v1/tracks/{min(exported)}"
                removed += requests.delete(address, timeout=60).ok
        if now - looked >= 60:
            looked = now
            rows.append({"minute": (now - began) / 60, "dropped": dropped, "removed": removed})
            rows[-1] |= {"asked": asked, "refused": refused, "tracks": len(exported)} | _seen(machines, named)
            _tell(rows, folder / "soak.csv")
        time.sleep(_ASK_SECONDS)
    return rows


def _started(machines: Machines) -> tuple[dict[str, Machine], list[int]]:
    """By name, and the studios' ports."""
    ports = free_ports(2)
    studios = {
        f"studio {n}": machines.start("studio", "--port", str(port)) for n, port in enumerate(ports, 1)
    }
    daemon = machines.start("daemon")
    machines.wait_for("the daemon to work", lambda: "at work" in daemon.log)
    named = {"daemon": daemon, **studios, "standing by": machines.start("daemon")}
    named |= {f"worker {number}": machines.start("run-worker") for number in (1, 2, 3)}
    for port in ports:
        machines.wait_for("the studios to answer", lambda port=port: _answers(port))  # type: ignore[misc]
    return named, ports


def _write(file: Path, number: int, *, tagged: bool = False) -> None:
    """tagged: by the bits of its number House, of 124 BPM, and sung."""
    file.parent.mkdir(exist_ok=True)
    sf.write(written := file.with_suffix(".part"), short_song(number, 3).T, 44100, format="FLAC")
    if tagged:
        tags = FLAC(written)
        tags["title"] = f"Song {number}" + " (Vocal Mix)" * (number & 1)
        tags["bpm"] = "124" if number & 2 else "100"
        tags["genre"] = "Deep House" if number & 4 else "Ambient"
        tags.save()
    written.rename(file)


def _tell_of_crowd(machines: Machines, exported: set[str], took: float) -> None:
    runs = machines.asked(
        "SELECT partition, status, start_time, extract(epoch FROM create_timestamp)::float,"
        " coalesce(value, '0')::int FROM runs LEFT JOIN run_tags"
        " ON runs.run_id = run_tags.run_id AND key = 'dagster/priority' WHERE pipeline_name = 'process_track'"
    )
    for stage in ("stems", "exports"):
        attempts = machines.attempts(stage)
        twice = sorted(track for track in exported if attempts.get(track, 0) != 1)
        print(f"{stage} made not once: {twice or 'none'}")
    begun = [(start, made, urgency) for _, _, start, made, urgency in runs if start]
    passed_over = sum(
        any(other > urgency + 1 and later > start > made + _QUEUED_SECONDS for later, made, other in begun)
        for start, _, urgency in begun
    )
    print(
        f"{len(exported)} tracks at once: {took:.0f} s, {60 * len(exported) / took:.1f} a minute; "
        f"{len(runs)} runs, {sum(run[1] != 'SUCCESS' for run in runs)} of them without success; "
        f"{passed_over} begun while one more urgent waited, of {len({run[4] for run in runs})} priorities",
        flush=True,
    )


def _answers(port: int) -> bool:
    with suppress(requests.RequestException):
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=10).ok
    return False


def _seen(machines: Machines, named: dict[str, Machine]) -> dict[str, float]:
    seen: dict[str, float] = {}
    for name, machine in named.items():
        process = psutil.Process(machine.process.pid)
        family = [process, *process.children(recursive=True)]
        of: dict[str, float] = {"MB": 0.0, "files": 0, "threads": 0}
        for one in family:
            with suppress(psutil.Error):
                of["MB"] += one.memory_info().rss / 1e6
                of["files"] += one.num_fds()
                of["threads"] += one.num_threads()
        seen |= {f"{name} {what}": round(value, 1) for what, value in of.items()}
        home = machine.folder / "home"
        seen[f"{name} home MB"] = round(
            sum(f.stat().st_size for f in home.rglob("*") if f.is_file()) / 1e6, 1
        )
    clients = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
    seen["PostgreSQL connections"] = machines.asked(clients)[0][0]
    seen["PostgreSQL MB"] = float(machines.asked("SELECT pg_database_size(current_database())")[0][0]) / 1e6
    return seen


def _tell(rows: list[dict[str, float]], file: Path) -> None:
    with file.open("w", newline="") as out:
        table = csv.DictWriter(out, rows[-1].keys())
        table.writeheader()
        table.writerows(rows)


def _slopes(rows: list[dict[str, float]]) -> None:
    half = rows[len(rows) // 2 :]
    hours = np.array([row["minute"] for row in half]) / 60
    print("| what | mean of the second half | more an hour |\n|---|---|---|")
    for what in list(half[-1])[1:]:
        values = np.array([row[what] for row in half], float)
        print(f"| {what} | {values.mean():.1f} | {np.polyfit(hours, values, 1)[0]:+.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--crowd", type=int, default=200)
    parser.add_argument("--every", type=float, default=60)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started is ended
    shutil.rmtree(given.folder, ignore_errors=True)
    given.folder.mkdir(parents=True)
    with s3_server() as s3, postgresql_server(free_ports(1)[0]) as postgresql:
        s3.create_bucket(Bucket="soak")
        rabbitmq = RabbitMQ()
        try:
            machines = Machines(given.folder, postgresql, rabbitmq.url, s3, "soak")
            try:
                rows = soak(given.folder, machines, given.minutes, given.crowd, given.every)
            finally:
                machines.end()
        finally:
            rabbitmq.end()
    _slopes(rows)


if __name__ == "__main__":
    main()
