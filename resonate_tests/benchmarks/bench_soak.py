"""An installation of many processes under load for hours: python -m resonate_tests.benchmarks.bench_soak FOLDER

    --minutes M    of load (default: 120)
    --every S      a new track every so many seconds (default: 60)

Two studios that are asked for the library and for metrics every two seconds, two daemons, two workers, PostgreSQL,
RabbitMQ, S3 (moto). Tracks of three seconds are dropped, and every other one of those that are exported is removed.
A line a minute, as CSV: memory (MB), open files and threads of each process with its children, connections to
PostgreSQL, channels' messages that wait, MB in each home. At the end the slope of each over the second half, an
hour, beside its mean there: what is flat grows by nothing.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import requests
import soundfile as sf

from resonate_tests.benchmarks.s3_server import s3_server
from resonate_tests.machines import Machine, Machines, short_song
from resonate_tests.postgresql_server import postgresql_server
from resonate_tests.rabbitmq_server import RabbitMQ, free_ports

_ASK_SECONDS = 2.0


def soak(folder: Path, machines: Machines, minutes: float, every: float) -> list[dict[str, float]]:
    ports = free_ports(2)
    studios = {
        f"studio {n}": machines.start("studio", "--port", str(port)) for n, port in enumerate(ports, 1)
    }
    daemon = machines.start("daemon")
    machines.wait_for("the daemon to work", lambda: "at work" in daemon.log)
    named: dict[str, Machine] = {"daemon": daemon, **studios, "standing by": machines.start("daemon")}
    named |= {f"worker {number}": machines.start("run-worker") for number in (1, 2)}
    for port in ports:
        machines.wait_for("the studios to answer", lambda port=port: _answers(port))  # type: ignore[misc]
    began = looked = time.monotonic()
    dropped = removed = asked = refused = 0
    rows: list[dict[str, float]] = []
    while (now := time.monotonic()) - began < 60 * minutes:
        if now - began >= dropped * every:
            sf.write(machines.inbox / f"song {dropped}.wav", short_song(dropped, 3).T, 44100)
            dropped += 1
        for port in ports:
            for page in ("/api/v1/tracks", "/metrics"):
                asked += 1
                try:
                    requests.get(f"http://127.0.0.1:{port}{page}", timeout=60).raise_for_status()
                except requests.RequestException:
                    refused += 1
        exported = sorted(machines.exported())
        if len(exported) > removed + 2:
            with suppress(requests.RequestException):
                address = f"http://127.0.0.1:{ports[removed % 2]}/api/v1/tracks/{exported[0]}"
                removed += requests.delete(address, timeout=60).ok
        if now - looked >= 60:
            looked = now
            rows.append({"minute": (now - began) / 60, "dropped": dropped, "removed": removed})
            rows[-1] |= {"asked": asked, "refused": refused, "tracks": len(exported)} | _seen(machines, named)
            _tell(rows, folder / "soak.csv")
        time.sleep(_ASK_SECONDS)
    return rows


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
    parser.add_argument("--every", type=float, default=60)
    given = parser.parse_args()
    shutil.rmtree(given.folder, ignore_errors=True)
    given.folder.mkdir(parents=True)
    with s3_server() as s3, postgresql_server(free_ports(1)[0]) as postgresql:
        s3.create_bucket(Bucket="soak")
        rabbitmq = RabbitMQ()
        try:
            machines = Machines(given.folder, postgresql, rabbitmq.url, s3, "soak")
            try:
                rows = soak(given.folder, machines, given.minutes, given.every)
            finally:
                machines.end()
        finally:
            rabbitmq.end()
    _slopes(rows)


if __name__ == "__main__":
    main()
