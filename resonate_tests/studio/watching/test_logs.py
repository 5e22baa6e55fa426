"""With RESONATE_LOG=json a run's process says JSON lines, each with its track, run and stage."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from resonate_assets.settings import Settings, SettingsError
from resonate_studio.service_log import ServiceLog

RUN = """
import dagster as dg
import resonate_assets.definitions
from resonate_assets.partitions import tracks

@dg.asset(partitions_def=tracks)
def stems(context: dg.AssetExecutionContext) -> None:
    context.log.info("half of it is done")
    raise dg.Failure("no room", allow_retries=False)

with dg.DagsterInstance.ephemeral() as instance:
    instance.add_dynamic_partitions("tracks", ["song"])
    dg.materialize([stems], partition_key="song", instance=instance, raise_on_error=False)
"""


def test_every_line_of_a_run_is_json_and_names_track_run_and_stage(tmp_path: Path) -> None:
    environment = os.environ | {"RESONATE_LOG": "json", "RESONATE_HOME": str(tmp_path)}
    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RUN],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    lines = [json.loads(line) for line in said.splitlines()]
    of_work = [line for line in lines if line["message"] == "half of it is done"]
    assert [(line["track"], line["stage"], line["level"]) for line in of_work] == [("song", "stems", "INFO")]
    failed = [line for line in lines if line.get("event") == "STEP_FAILURE"]
    assert [(line["track"], line["stage"], line["level"]) for line in failed] == [("song", "stems", "ERROR")]
    assert "no room" in failed[0]["error"]
    assert of_work[0]["run"] == failed[0]["run"]
    told = [line.get("event") for line in lines]
    assert told.count("STEP_START") == 1  # a stage's beginning, but not each of the dozen events of it
    assert len(lines) < 10


def test_a_daemon_of_many_machines_passes_on_what_dagster_says_as_json(tmp_path: Path) -> None:
    environment = os.environ | {"RESONATE_LOG": "json", "RESONATE_HOME": str(tmp_path)}
    environment |= {"DAGSTER_HOME": str(tmp_path), "RESONATE_DATABASE": ""}
    (tmp_path / "dagster.yaml").touch()
    module = "resonate_tests.assets.run_queue.tiny"
    command = [sys.executable, "-m", "resonate_studio.cli", "daemon", "--module", module]
    daemon = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        assert daemon.stderr is not None
        assert next(daemon.stderr) == "at work\n"
        of_dagster = (json.loads(line) for line in daemon.stderr)
        line = next(line for line in of_dagster if line.get("logger", "").startswith("dagster.daemon"))
        assert {"time", "level", "host", "message"} <= line.keys()
    finally:
        daemon.terminate()
        daemon.wait(30)


def test_what_services_say_is_kept_and_passed_on_as_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RESONATE_LOG", "json")
    monkeypatch.setattr(sys, "__stderr__", sys.stderr)
    log = ServiceLog(tmp_path)
    log.write(b"Traceback (most recent call last):\n")
    with log.logged_here():
        logging.getLogger("uvicorn").warning("an answer was broken off")
    log.close()
    lines = [json.loads(line) for line in log.file.read_text().splitlines()]
    assert [(line["level"], line["message"]) for line in lines] == [
        ("INFO", "Traceback (most recent call last):"),
        ("WARNING", "an answer was broken off"),
    ]
    assert capfd.readouterr().err == log.file.read_text()


def test_another_kind_of_log_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESONATE_LOG", "xml")
    with pytest.raises(SettingsError, match=r"^RESONATE_LOG=xml: is not known"):
        Settings.from_environment()
