"""`resonate gpu` tells what stands in the database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from resonate_assets.settings import MARKER
from resonate_resources.machines.deciding import Need
from resonate_resources.machines.ledger import settle
from resonate_studio.cli import main
from resonate_tests.resources.machines.test_tending import pass_by

SETTINGS = {"MACHINE": "ec2:Name=gpu", "PRICE": "3.6", "DAY_CAP": "5"}


def told(home: Path, *options: str) -> str:
    result = CliRunner().invoke(main, ["gpu", "--home", str(home), *options], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / MARKER).touch()
    return tmp_path


def test_a_home_without_a_machine_says_so(home: Path) -> None:
    assert told(home).startswith("no machine is set (RESONATE_GPU_MACHINE)")
    assert json.loads(told(home, "--json")) == {"machines": [], "days": []}


def test_the_machine_and_what_it_cost_are_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(f"RESONATE_GPU_{name}", value)
    assert told(home).startswith("ec2:Name=gpu: nobody has looked at it yet")
    url = f"sqlite:///{home / 'resonate.sqlite'}"
    for need in (Need(0, 0), Need(1, 0)):
        settle(url, "ec2:Name=gpu", 3.6, "stopped", need, 5.0)
    pass_by(url, 1000)
    settle(url, "ec2:Name=gpu", 3.6, "running", Need(0, 1), 5.0)
    assert told(home).startswith("ec2:Name=gpu: running since ")
    assert "runs need it" in told(home)
    found = json.loads(told(home, "--json"))
    assert sum(day["seconds"] for day in found["days"]) == pytest.approx(1000, abs=5)
    assert sum(day["cost"] for day in found["days"]) == pytest.approx(1.0, abs=0.005)


def test_a_price_that_is_none_is_told_by_name(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESONATE_GPU_MACHINE", "ec2:Name=gpu")
    result = CliRunner().invoke(main, ["gpu", "--home", str(home)])
    assert result.exit_code == 1
    assert "RESONATE_GPU_PRICE" in result.output
