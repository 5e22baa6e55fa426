"""`resonate listen` where it is ended in its midst, or can't write."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from resonate_studio.api.opened import Opened

STANDS_STILL = (
    "import sys, time\n"
    "from resonate_studio.offline_page import writing\n"
    "def still(*_):\n"
    "    print('at work', flush=True)\n"
    "    time.sleep(1000)\n"
    "writing._write_sound = still\n"
    "from resonate_studio.cli import main\n"
    "main(sys.argv[1:])\n"
)


def listen(opened: Opened, track: str, out: Path) -> subprocess.Popen[str]:
    arguments = ["listen", track, "--out", str(out), "--home", str(opened.settings.home)]
    return subprocess.Popen(
        [sys.executable, "-c", STANDS_STILL, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_folder_that_is_being_made_is_gone_when_that_is_ended(
    opened: Opened, track: str, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    command = listen(opened, track, tmp_path / "page")
    try:
        assert command.stdout is not None
        assert any("at work" in line for line in command.stdout)
        assert [path.name.startswith(".page-") for path in tmp_path.iterdir()] == [True]
        command.send_signal(number)
        _, complaints = command.communicate(timeout=30)
    finally:
        command.kill()
    assert command.returncode == code
    assert "Traceback" not in complaints
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_to_is_told_by_the_name_that_was_given(
    opened: Opened, track: str
) -> None:
    command = listen(opened, track, Path("/proc/page"))  # where not even root makes a folder
    _, complaints = command.communicate(timeout=60)
    assert command.returncode == 1
    assert "--out: /proc/page: can't be written" in complaints
    assert "/proc/.page-" not in complaints
