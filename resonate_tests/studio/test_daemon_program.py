"""Dagster's daemon and its code servers are there together, and stay."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from resonate_studio.daemon_program import daemon_command
from resonate_studio.services import Services

_MODULE = """
import os
from pathlib import Path
import dagster as dg

@dg.sensor(job_name="nothing", minimum_interval_seconds=1, default_status=dg.DefaultSensorStatus.RUNNING)
def ticking():
    with Path(os.environ["TICKS"]).open("a") as ticks:
        ticks.write(f"{os.getpid()}\\n")
    return dg.SkipReason("seen")

@dg.job
def nothing():
    pass

defs = dg.Definitions(sensors=[ticking], jobs=[nothing])
"""
_RELOADED_SECONDS = 75.0
"""Dagster's daemon has the code of a module loaded anew every 60."""


class Running:
    def __init__(self, folder: Path, command: list[str]) -> None:
        self._ticks, self.said = folder / "ticks", list[bytes]()
        (folder / "dagster_home").mkdir()
        environment = os.environ | {
            "DAGSTER_HOME": str(folder / "dagster_home"),
            "PYTHONPATH": f"{folder}:{os.environ.get('PYTHONPATH', '')}",
            "TICKS": str(self._ticks),
        }
        self.services = Services(command, environment, self.said.append)

    def ticks(self) -> list[int]:
        """Process of each."""
        return [int(line) for line in self._ticks.read_text().split()] if self._ticks.exists() else []

    def until(self, condition: Callable[[], bool], seconds: float = 120) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, b"".join(self.said).decode()
            time.sleep(0.2)


def test_the_code_stays_loaded_and_without_it_all_ends(tmp_path: Path) -> None:
    (tmp_path / "ticking_code.py").write_text(_MODULE)
    with daemon_command("warning", ["ticking_code"]) as command:
        running = Running(tmp_path, command)
        try:
            running.until(lambda: bool(running.ticks()))
            began = time.monotonic()
            running.until(lambda: time.monotonic() - began > _RELOADED_SECONDS)
            seen = len(running.ticks())
            running.until(lambda: len(running.ticks()) > seen)
            (code_server,) = set(running.ticks())
            os.kill(code_server, 9)
            running.until(lambda: running.services.ended() is not None)
            assert running.services.ended() != 0
        finally:
            running.services.end()
    assert b"has ended (-9)" in b"".join(running.said)
    assert not Path(command[3]).exists()


def test_code_that_can_t_be_loaded_is_told_and_ends_it(tmp_path: Path) -> None:
    (tmp_path / "broken_code.py").write_text("raise RuntimeError('of the module itself')\n")
    with daemon_command("warning", ["broken_code"]) as command:
        running = Running(tmp_path, command)
        try:
            running.until(lambda: running.services.ended() is not None)
            running.services.heard_out()
        finally:
            running.services.end()
    assert running.services.ended() == 1
    assert b"of the module itself" in b"".join(running.said)
