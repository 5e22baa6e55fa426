"""`resonate studio` by itself: it carries out what is asked for, and ends with all that it started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import requests

from resonate_resources.recordings.recording import write_samples
from resonate_tests.e2e.test_dev import STOPS_IN_S, heeding, with_home

_DONE_S = 600.0


@dataclass
class Studio:
    """A running one. log: what it has said."""

    process: subprocess.Popen[bytes]
    address: str
    log: Path

    def end(self, number: signal.Signals) -> None:
        began = time.monotonic()
        self.process.send_signal(number)
        assert self.process.wait(120) == 128 + number
        took = time.monotonic() - began
        print(f"over after {took:.1f} s")
        assert took < STOPS_IN_S


@contextmanager
def studio(home: Path, *options: str) -> Iterator[Studio]:
    """`resonate studio` of that home from its first word that it can be used on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RESONATE_")}
    environment |= {"RESONATE_HOME": str(home), "DAGSTER_HOME": "", "OMP_NUM_THREADS": "1"}
    log = home.parent / f"studio-{port}.log"
    command = [sys.executable, "-m", "resonate_studio.cli", "studio", "--port", str(port), *options]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=heeding,  # noqa: PLW1509 — only the main thread starts children here
        )
    try:
        until(lambda: "stop with" in log.read_text() or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield Studio(process, f"http://127.0.0.1:{port}", log)
    finally:
        process.kill()


def until(holds: Callable[[], Any], seconds: float = 240.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.2)


def uploaded(address: str, folder: Path, seed: int, seconds: float) -> str:
    """The address of the job of a file of noise that comes and goes."""
    rate = 22_050
    noise = 0.1 * np.random.default_rng(seed).normal(size=(2, round(seconds * rate)))
    time_s = np.arange(noise.shape[1]) / rate
    path = folder / f"noise-{seed}.wav"
    write_samples(path, (noise * np.exp(-3 * (time_s % 0.5))).astype(np.float32), rate)
    with path.open("rb") as file:
        answer = requests.post(f"{address}/api/v1/jobs", files={"file": (path.name, file)}, timeout=60)
    assert answer.status_code == 202, answer.text
    return f"{address}{answer.json()['status_url']}"


def test_what_is_uploaded_is_carried_out_a_job_at_work_is_cancelled_and_nothing_is_left_after_ctrl_c(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    with studio(home) as running:
        until(lambda: requests.get(f"{running.address}/api/v1/health", timeout=10).json()["runs"])
        job = uploaded(running.address, tmp_path, 1, 2.0)

        def status(of: str) -> Any:
            return requests.get(of, timeout=30).json()

        until(lambda: status(job)["status"] in ("completed", "failed"), _DONE_S)
        done = status(job)
        assert (done["status"], done["reason"], done["progress"]) == ("completed", None, 1.0)
        assert "master.wav" in {result["name"] for result in done["results"]}

        at_work = uploaded(running.address, tmp_path, 2, 120.0)
        until(lambda: status(at_work)["stage"] is not None, _DONE_S)
        assert requests.post(f"{at_work}/cancel", timeout=60).status_code == 200
        until(lambda: status(at_work)["status"] == "cancelled", 60)
        track = status(at_work)["track"]
        until(lambda: not any("execute_run" in line for line in with_home(home)), 60)
        listed = requests.get(f"{running.address}/api/v1/tracks", timeout=30).json()["tracks"]
        assert {one["track"]: one["state"] for one in listed}[track] == "stopped"
        assert requests.delete(f"{running.address}/api/v1/tracks/{track}", timeout=60).status_code == 204

        last = uploaded(running.address, tmp_path, 3, 120.0)
        until(lambda: status(last)["stage"] is not None, _DONE_S)
        running.end(signal.SIGINT)
        said = running.log.read_text()
        assert "Traceback" not in said
        assert f"stopped in its midst: {last_track(home)}" in said
    until(lambda: with_home(home) == [], 5)


def last_track(home: Path) -> str:
    return next(path.stem for path in (home / "tracks").iterdir() if "noise-3" in path.stem)


def test_an_address_that_others_reach_tells_its_token_once_and_is_open_to_whoever_has_it(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    with studio(home, "--host", "0.0.0.0") as running:
        said = running.log.read_text()
        [line] = [line for line in said.splitlines() if line.startswith("token ")]
        token = line.split()[1]
        health = f"{running.address}/api/v1/health"
        assert requests.get(health, timeout=10).status_code == 401
        right = {"Authorization": f"Bearer {token}"}
        assert requests.get(health, headers=right, timeout=10).status_code == 200
        assert token not in (home / "studio_token.json").read_text()
        running.end(signal.SIGTERM)
    with studio(home, "--host", "0.0.0.0") as again:
        assert token not in again.log.read_text()
        health = f"{again.address}/api/v1/health"
        assert requests.get(health, headers=right, timeout=10).status_code == 200
        assert requests.get(health, timeout=10).status_code == 401
        again.end(signal.SIGTERM)
    until(lambda: with_home(home) == [], 5)


def test_a_studio_that_is_killed_leaves_nothing_that_goes_on_and_the_next_one_clears_up_after_it(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    with studio(home) as running:
        until(lambda: requests.get(f"{running.address}/api/v1/health", timeout=10).json()["runs"])
        until(lambda: any("dagster" in line for line in with_home(home)))
        running.process.kill()
    until(lambda: with_home(home) == [], 20)
    for scratch in (home / ".work" / "1-archive-left", home / "uploads" / ".work" / "1-upload-left"):
        scratch.mkdir(parents=True)  # as it would have been left in the midst of one
    with studio(home) as again:
        assert list(home.rglob("*-left")) == []
        again.end(signal.SIGTERM)
