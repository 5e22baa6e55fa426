"""What Dagster's services say lies in a file of the home, and not between the lines that people read."""

from __future__ import annotations

import os
import socket
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from resonate_studio import service_log
from resonate_studio.cli import main
from resonate_studio.service_log import ServiceLog
from resonate_studio.services import Services

SAYS = "import sys; print('DEBUG: one'); print('Traceback: \\xe9\\x1b[31m', file=sys.stderr); sys.exit(3)"


def test_services_that_end_by_themselves_are_heard_out(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with closing(ServiceLog(tmp_path)) as log:
        services = Services([sys.executable, "-c", SAYS], os.environ | {"PYTHONUTF8": "1"}, log.write)
        until = time.monotonic() + 60
        while services.ended() is None and time.monotonic() < until:
            time.sleep(0.01)
        services.heard_out()
        assert services.ended() == 3
        assert sorted(log.last_lines(5)) == ["DEBUG: one", "Traceback: é\\x1b[31m"]
        assert log.last_lines(1)[0] in ("DEBUG: one", "Traceback: é\\x1b[31m")
    assert capfd.readouterr() == ("", "")


def test_each_start_begins_its_log_anew(tmp_path: Path) -> None:
    for said in (b"before\n", b"now\r\n"):
        with closing(ServiceLog(tmp_path)) as log:
            log.write(said)
    assert (tmp_path / "dev.log").read_text() == "now\n"


def test_what_is_printed_here_goes_there_and_of_a_progress_bar_its_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(ServiceLog(tmp_path)) as log:
        with log.said_here():
            print("Updating", "event log")
            sys.stderr.write("\r 0%")
            sys.stderr.write("\r100%")
        print("ours")
        assert log.last_lines(9) == ["Updating event log", "100%"]
    assert capsys.readouterr() == ("ours\n", "")


def test_a_log_grows_no_larger_than_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_log, "_LARGEST_BYTES", 1000)
    with closing(ServiceLog(tmp_path)) as log:
        for number in range(500):
            log.write(f"{number:09}\n".encode())
        assert log.last_lines(1) == ["000000499"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dev.log", "dev.log.1"]
    assert all(path.stat().st_size <= 1000 for path in tmp_path.iterdir())


def test_a_disk_that_is_full_is_told_once_and_the_services_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(ServiceLog(tmp_path)) as log:
        log._lines.stream.close()
        log._lines.stream = Path("/dev/full").open("w")  # noqa: SIM115 — the log closes it
        for _ in range(3):
            log.write(b"DEBUG\n")
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert told[0].startswith(f"{tmp_path}/dev.log: can't be written to (")


def test_services_that_end_at_once_show_the_last_of_their_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as probe, socket.socket() as other:
        probe.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        ports = ["--port", str(probe.getsockname()[1]), "--studio-port", str(other.getsockname()[1])]
    for name in ("RESONATE_STORAGE", "RESONATE_INBOX", "RESONATE_DATABASE", "DAGSTER_HOME"):
        monkeypatch.setenv(name, "")
    (tmp_path / "dagster.py").write_text("raise ImportError('Dagster is broken')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))  # of the services; this process has Dagster already
    result = CliRunner().invoke(main, ["dev", "--home", str(tmp_path / "home"), *ports])
    assert result.exit_code == 1
    told = result.output.splitlines()
    assert told[0] == f"what services say   {tmp_path}/home/dagster_home/dev.log"
    assert told[1].startswith("Dagster's services have ended by themselves; the last of ")
    assert any("Dagster is broken" in line for line in told[2:])
    assert not any(line.startswith("drop files") for line in told)
