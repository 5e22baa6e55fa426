"""Ctrl-C and SIGTERM: told, written down and over within seconds, whatever is at work."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from resonate_resources.recordings.recording import write_samples
from resonate_resources.storage import heartbeats
from resonate_studio.home import open_instance, settings_for
from resonate_studio.services import Services

SECONDS = 12.0
"""Machines of tests are busy; alone it takes less than one."""
STANDS_STILL = (
    "import sys, time\n"
    "from resonate_resources.separation.spectral.engine import SpectralSeparator\n"
    # As in a library that holds on to the thread: what the interpreter raises there is not seen.
    "def still(*_):\n"
    "    print('in stems', file=sys.__stderr__, flush=True)\n"
    "    while True:\n"
    "        try: time.sleep(1e6)\n"
    "        except BaseException: pass\n"
    "SpectralSeparator.separate = still\n"
    "from resonate_studio.cli import main\n"
    "main(sys.argv[1:])\n"
)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RESONATE_HOME", "RESONATE_STORAGE", "RESONATE_INBOX", "RESONATE_DATABASE", "DAGSTER_HOME"):
        monkeypatch.setenv(name, "")


@pytest.fixture
def songs(tmp_path: Path) -> list[Path]:
    """One that can't be used, and two that can."""
    (tmp_path / "empty.mp3").write_bytes(b"")
    rng = np.random.default_rng(1)
    noise = [
        write_samples(tmp_path / f"{name}.wav", 0.1 * rng.normal(size=(1, 44100)).astype(np.float32), 44100)
        for name in ("first", "second")
    ]
    return [tmp_path / "empty.mp3", *(recording.path for recording in noise)]


def stopped(number: signal.Signals, *arguments: str | Path) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command that gets a signal in the midst of a separation, as all that it
    started do: a terminal sends Ctrl-C to every process of the foreground."""
    command = subprocess.Popen(
        [sys.executable, "-c", STANDS_STILL, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"RESONATE_POOL_CORES": "1"},
        start_new_session=True,
    )
    try:
        assert command.stderr is not None
        for line in command.stderr:
            if "in stems" in line:
                break
        time.sleep(0.5)
        began = time.monotonic()
        os.killpg(command.pid, number)
        told, complaints = command.communicate(timeout=60)
    finally:
        command.kill()
    took = time.monotonic() - began
    print(f"over after {took:.1f} s")
    assert took < SECONDS
    return command.returncode, told, complaints


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_batch_that_is_stopped_tells_what_is_done_and_leaves_nothing_begun(
    tmp_path: Path, songs: list[Path], number: signal.Signals, code: int
) -> None:
    home = tmp_path / "home"
    ended, told, complaints = stopped(number, "process", "--json", "--home", home, *songs)
    assert ended == code
    rows = json.loads(told)["tracks"]
    assert [row["source"] for row in rows] == [str(song) for song in songs]
    assert [row["status"] for row in rows] == ["failed", "stopped", "stopped"]
    assert "stopped: 1 of 3 done" in complaints
    assert "Traceback" not in complaints
    settings = settings_for(home)
    with open_instance(settings) as instance:
        statuses = [run.status.value for run in instance.get_runs() if run.job_name == "process_track"]
        assert "CANCELED" in statuses
        assert all(run.is_finished for run in instance.get_runs())
    for kind in ("run", "pool"):
        assert heartbeats.heartbeats(settings.database_url, kind) == []
    assert list((home / ".work").iterdir()) == []


def test_people_are_told_what_is_done_and_what_is_not(tmp_path: Path, songs: list[Path]) -> None:
    empty, first, second = songs
    ended, told, complaints = stopped(signal.SIGINT, "process", "--home", tmp_path / "home", *songs)
    assert ended == 130
    assert told.startswith(f"failed {empty.name}: ")
    assert "Traceback" not in complaints
    assert complaints.splitlines()[-4:] == [
        "stopped: 1 of 3 done",
        f"not done: {first}",
        f"not done: {second}",
        "the same command goes on from there",
    ]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_separation_stops_as_quickly(
    tmp_path: Path, songs: list[Path], number: signal.Signals, code: int
) -> None:
    arguments = ("separate", "--json", "--engine", "spectral", "--home", tmp_path / "home")
    ended, told, _ = stopped(number, *arguments, "--out", tmp_path / "out", *songs)
    assert ended == code
    assert [row["status"] for row in json.loads(told)["files"]] == ["failed", "stopped", "stopped"]
    assert list((tmp_path / "home" / ".work").iterdir()) == []


def test_services_that_will_not_end_are_made_to_with_all_that_they_started() -> None:
    deaf = "trap '' TERM INT; (trap '' TERM INT; sleep 1000) & (setsid sh -c 'exit 0'); sleep 1000"
    services = Services(["sh", "-c", deaf], os.environ)
    until = time.monotonic() + 10
    there, before = services.processes(), set[int]()
    while (len(there) < 3 or there != before) and time.monotonic() < until:
        time.sleep(0.2)  # some of them do not last
        there, before = services.processes(), there
    assert len(there) >= 3
    began = time.monotonic()
    services.end()
    assert time.monotonic() - began < SECONDS
    assert not [process for process in there if Path(f"/proc/{process}").exists()]


def test_services_that_end_when_they_are_asked_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resonate_studio.services._ASKED_SECONDS", 120.0)
    services = Services(["sleep", "1000"], os.environ)
    began = time.monotonic()
    services.end()
    assert time.monotonic() - began < 60
    assert services.processes() == set()


def test_services_end_with_whoever_started_them_also_where_that_is_killed() -> None:
    starts = (
        "import os, time\n"
        "from resonate_studio.services import Services\n"
        "command = \"trap '' TERM INT; (trap '' TERM INT; sleep 1000) & sleep 1000\"\n"
        "services = Services(['sh', '-c', command], os.environ)\n"
        "while len(services.processes()) < 3: time.sleep(0.1)\n"
        "print(*services.processes(), flush=True)\n"
        "time.sleep(1000)\n"
    )
    starter = subprocess.Popen([sys.executable, "-c", starts], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    services = starter.stdout.readline().split()
    assert len(services) >= 3
    starter.kill()
    starter.wait()
    until = time.monotonic() + SECONDS
    while left := [process for process in services if _lives(process)]:
        assert time.monotonic() < until, left
        time.sleep(0.1)


def _lives(process: str) -> bool:
    """Zombies excepted: they wait for whoever collects them (proc(5))."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
