"""`make dev`: it shows what the shell made, and ends with all that it started when make is told to."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from resonate_resources.recordings.recording import write_samples

STOPS_IN_S = 30.0
"""Machines of tests are busy; alone it takes five."""


def heeding() -> None:
    """As from a terminal. Where the tests run in the background, SIGINT is ignored, Dagster has SIGTERM be what
    SIGINT is, and a child inherits what is ignored."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def with_home(home: Path) -> list[str]:
    """Command lines of processes, zombies excepted, whose environment names that home."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if f"RESONATE_HOME={home}".encode() in (place / "environ").read_bytes().split(b"\0"):
                found.append((place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM])
def test_what_the_shell_made_is_shown_and_nothing_is_left_when_make_is_told_to_stop(
    tmp_path: Path, free_port: int, number: signal.Signals
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        studio_port = other.getsockname()[1]
    home = tmp_path / "what? 100%41"  # Dagster puts paths into URLs as they are
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("RESONATE_", "MAKE"))
    }
    environment.pop("MFLAGS", None)  # a make that is run by `make test` would tell which directory it enters
    environment |= {"RESONATE_HOME": str(home), "DAGSTER_HOME": ""}
    command = f"{sys.executable} -m resonate_studio.cli"
    noise = 0.1 * np.random.default_rng(1).normal(size=(1, 8000))
    write_samples(tmp_path / "noise.wav", noise.astype(np.float32), 8000)
    subprocess.run([*command.split(), "prepare"], env=environment, check=True, capture_output=True)
    (tmp_path / "Makefile").write_text(
        f"dev:\n\t@{command} dev --port {free_port} --studio-port {studio_port}\n"
    )
    log = tmp_path / "log"
    with log.open("wb") as output:
        make = subprocess.Popen(
            ["make", "dev"],
            cwd=tmp_path,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=heeding,  # noqa: PLW1509 — only the main thread starts children here
        )
    try:
        until = time.monotonic() + 240
        while "stop with" not in log.read_text():
            assert make.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.5)
        assert f"drop files into     {home}/inbox" in log.read_text()
        assert f"hear and compare    http://127.0.0.1:{studio_port}" in log.read_text()
        assert f"what services say   {home}/dagster_home/dev.log" in log.read_text()
        subprocess.run([*command.split(), "process", "noise.wav"], cwd=tmp_path, env=environment, check=False)
        question = json.dumps({"query": "{ runsOrError { ... on Runs { results { jobName } } } }"}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{free_port}/graphql", question, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            jobs = [run["jobName"] for run in json.load(response)["data"]["runsOrError"]["results"]]
        assert "process_track" in jobs
        began = time.monotonic()
        make.send_signal(number)
        make.wait(120)
        took = time.monotonic() - began
        print(f"over after {took:.1f} s")
        assert took < STOPS_IN_S
        until = time.monotonic() + 5  # make goes first, if it is not told to wait
        while (left := with_home(home)) and time.monotonic() < until:
            time.sleep(0.2)
        assert left == []
        told = log.read_text()
        assert "Traceback" not in told
        others = ("what ", "hear ", "drop ", "see ", "take ", "stop", "home: ", "make: ")
        assert [line for line in told.splitlines() if line and not line.startswith(others)] == []
        assert "Updating event log storage" in (home / "dagster_home" / "dev.log").read_text()
    finally:
        make.kill()
