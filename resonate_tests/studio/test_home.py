"""A home made ready: for the cores of its machine, and without what earlier versions left in it."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import dagster as dg
import pytest
import yaml  # type: ignore[import-untyped]
from click.testing import CliRunner

from resonate_resources.storage import pools
from resonate_resources.storage.heartbeats import alive
from resonate_studio.cli import main
from resonate_studio.home import open_instance, settings_for

OLD = """\
# DAGSTER_HOME for one machine: SQLite, runs as local processes, four at a time.

concurrency:
  runs:
    max_concurrent_runs: 3 # the operator's own number
  pools:
    granularity: op
    default_limit: 1

run_launcher: # knows when a run was killed together with its code server
  module: resonate_studio.run_launcher
  class: WatchfulRunLauncher

telemetry:
  enabled: false
"""


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RESONATE_HOME", "RESONATE_STORAGE", "RESONATE_INBOX", "RESONATE_DATABASE", "DAGSTER_HOME"):
        monkeypatch.setenv(name, "")


def test_a_new_home_runs_as_many_tracks_at_once_as_keep_its_machine_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "CORES", 16)
    monkeypatch.setattr(pools, "_memory_bytes", lambda: 64e9)
    result = CliRunner().invoke(main, ["prepare", "--home", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "8 cores, 1 gpu, 2 cloud" in result.output
    config = yaml.safe_load((tmp_path / "dagster_home" / "dagster.yaml").read_text())
    assert config["concurrency"]["runs"]["max_concurrent_runs"] == 11
    assert (tmp_path / "inbox").is_dir()


def test_a_home_that_names_the_old_run_launcher_opens_and_keeps_what_else_it_says(tmp_path: Path) -> None:
    config = tmp_path / "dagster_home" / "dagster.yaml"
    config.parent.mkdir()
    config.write_text(OLD)
    with open_instance(settings_for(tmp_path)) as instance:
        assert type(instance.run_launcher).__module__.startswith("dagster.")
    told = yaml.safe_load(config.read_text())
    assert "run_launcher" not in told
    assert told["concurrency"]["runs"]["max_concurrent_runs"] == 3
    assert told["telemetry"] == {"enabled": False}
    with dg.DagsterInstance.from_config(str(config.parent)):
        pass


def test_clearing_the_cache_tells_what_went_and_passes_over_what_is_worked_at(tmp_path: Path) -> None:
    two_hours_ago = time.time() - 7200
    for track in ("dead-0123456789ab", "alive-0123456789ab", "waiting-0123456789ab"):
        left = tmp_path / "artefacts" / "mix" / track / "key" / "attempt" / "mix.wav"
        left.parent.mkdir(parents=True)
        left.write_bytes(bytes(20_000_000))
        os.utime(left, (two_hours_ago, two_hours_ago))
    settings = settings_for(tmp_path)
    with open_instance(settings) as instance:
        tags = {"dagster/partition": "waiting-0123456789ab"}
        instance.add_run(
            dg.DagsterRun("process_track", "r", status=dg.DagsterRunStatus.NOT_STARTED, tags=tags)
        )
    size = CliRunner().invoke(main, ["cache", "size", "--home", str(tmp_path)])
    assert [line.split() for line in size.output.splitlines() if "(unfinished)" in line] == [
        ["mix", "(unfinished)", "0.00", "0.06"]
    ]
    with alive(settings.database_url, "separate", "x", "alive-0123456789ab"):
        cleared = CliRunner().invoke(main, ["cache", "clear", "--home", str(tmp_path)])
    assert "removed 0 results and 1 that were never finished, 0.02 GB" in cleared.output
    assert cleared.output.count("passed over") == 2
    there = sorted(
        path.name for path in (tmp_path / "artefacts" / "mix").iterdir() if any(path.rglob("*.wav"))
    )
    assert there == ["alive-0123456789ab", "waiting-0123456789ab"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("RESONATE_DATABASE", "sqlite:///{}/gone/deep/x.sqlite"), ("RESONATE_STORAGE", "{}/gone/deep")],
)
@pytest.mark.parametrize(
    "command",
    [
        ["status"],
        ["library", "prune"],
        ["cache", "clear"],
        ["retry", "--failed"],
        ["brief", "show", "a-song"],
    ],
    ids=" ".join,
)
def test_a_command_that_only_looks_makes_nothing_of_what_is_not_there_and_tells_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], name: str, value: str
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".resonate-home").touch()
    monkeypatch.setenv(name, value.format(tmp_path))
    result = CliRunner().invoke(main, [*command, "--home", str(tmp_path / "home")])
    assert result.exit_code == 1, result.output
    told = [line for line in result.output.splitlines() if line.startswith("Error: ")]
    assert len(told) == 1
    assert told[0].startswith(f"Error: {name}")
    assert "is not there" in told[0]
    assert "Traceback" not in result.output
    assert [path.name for path in tmp_path.rglob("*")] == ["home", ".resonate-home"]


def test_a_storage_that_cannot_be_made_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESONATE_STORAGE", "/proc/x")  # not even root can make folders there
    for command in (["prepare"], ["process", str(tmp_path / "a.wav")]):
        result = CliRunner().invoke(main, [*command, "--home", str(tmp_path / "home")])
        assert result.exit_code == 1
        told = [
            line for line in result.output.splitlines() if "RESONATE_STORAGE=/proc/x: can't be made" in line
        ]
        assert len(told) == 1, result.output
        assert isinstance(result.exception, SystemExit)
    assert not (tmp_path / "home").exists()


def test_the_web_ui_does_not_start_over_a_storage_that_cannot_be_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = tmp_path / "storage"
    storage.mkdir()
    may = os.access  # root may write into any folder, whatever its mode
    monkeypatch.setattr(os, "access", lambda place, mode: Path(place) != storage and may(place, mode))
    monkeypatch.setenv("RESONATE_STORAGE", str(storage))
    with socket.socket() as probe, socket.socket() as other:
        probe.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        ports = ["--port", str(probe.getsockname()[1]), "--studio-port", str(other.getsockname()[1])]
    result = CliRunner().invoke(main, ["dev", "--home", str(tmp_path / "home"), *ports])
    assert result.exit_code == 1
    assert f"RESONATE_STORAGE={storage}: can't be written to" in result.output
    assert not (tmp_path / "home" / "dagster_home" / "dev.log").exists()


def test_an_index_is_not_rebuilt_from_a_storage_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESONATE_STORAGE", str(tmp_path / "unmounted"))
    result = CliRunner().invoke(main, ["library", "rebuild-index", "--home", str(tmp_path)])
    assert result.exit_code == 1
    assert "is not there" in result.output


def test_an_index_is_rebuilt_into_a_database_that_was_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".resonate-home").touch()
    monkeypatch.setenv("RESONATE_DATABASE", f"sqlite:///{tmp_path}/elsewhere/x.sqlite")
    result = CliRunner().invoke(main, ["library", "rebuild-index", "--home", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "elsewhere" / "x.sqlite").is_file()
