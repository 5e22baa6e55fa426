"""`resonate doctor` tells what is there, what is not, and what to do."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import boto3
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from resonate_resources.storage.database import transaction
from resonate_resources.storage.heartbeats import alive
from resonate_studio import doctor
from resonate_studio.cli import main
from resonate_tests.e2e.test_s3 import endpoint
from resonate_tests.s3_policies import held_to

__all__ = ["endpoint"]

ENGINES = doctor._engines


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "STORAGE", "INBOX", "DATABASE", "MODELS", "BROKER", "BUCKET", "LIBRARIES"):
        monkeypatch.setenv(f"RESONATE_{name}", "")
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setattr(doctor, "_engines", lambda _: iter(()))  # they ask their hubs: the last test has one


def told(*options: str | Path, code: int) -> dict[str, tuple[str, str]]:
    result = CliRunner().invoke(main, ["doctor", "--json", *map(str, options)])
    assert result.exit_code == code, result.output
    return {each["part"]: (each["state"], each["told"]) for each in json.loads(result.stdout)["findings"]}


def test_a_home_that_is_not_made_yet_is_no_fault_and_is_not_made(tmp_path: Path) -> None:
    found = told("--home", tmp_path / "new", code=0)
    assert {part: state for part, (state, _) in found.items()} == {
        "packages": "ok",
        "storage": "off",
        "database": "ok",
        "dagster": "off",
        "inbox": "off",
        "kept": "ok",
    }
    assert not (tmp_path / "new").exists()


def test_storage_that_is_not_mounted_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESONATE_STORAGE", str(tmp_path / "nas"))
    state, line = told("--home", tmp_path, code=1)["storage"]
    assert state == "broken"
    assert line == f"{tmp_path / 'nas'}: is not there; see whether it is mounted, or meant"


def test_what_is_there_is_told_with_where_it_is(tmp_path: Path) -> None:
    with transaction(f"sqlite:///{tmp_path / 'resonate.sqlite'}"):
        pass
    found = told("--home", tmp_path, code=0)
    assert found["storage"][0] == "ok"
    assert found["database"] == ("ok", f"{tmp_path / 'resonate.sqlite'}, 0 runs at work")
    assert {each.name.split("-")[0] for each in tmp_path.iterdir()} == {"resonate.sqlite"}


def test_a_run_with_several_signs_of_life_is_one_at_work_and_a_dead_one_is_none(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'resonate.sqlite'}"
    with alive(url, "run", "one"), alive(url, "run", "one"), alive(url, "run", "dead"):
        with transaction(url) as db:
            db.execute(sa.text("UPDATE heartbeats SET beat_at = beat_at - 120 WHERE name = 'dead'"))
        assert told("--home", tmp_path, code=0)["database"][1].endswith(", 1 runs at work")


@pytest.mark.parametrize("role", ["web", "daemon", "worker"])
def test_each_role_of_a_cluster_may_look_at_storage_inbox_and_libraries(
    role: str, tmp_path: Path, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = f"resonate-{uuid.uuid4().hex[:8]}"
    boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket=bucket)
    monkeypatch.setenv("RESONATE_STORAGE", f"s3://{bucket}/library")
    monkeypatch.setenv("RESONATE_BUCKET", f"s3://{bucket}/")
    monkeypatch.setenv("RESONATE_LIBRARIES", f"s3://{bucket}/music;{tmp_path / 'usb'}")
    monkeypatch.setenv("RESONATE_S3_ENDPOINT", endpoint)
    with held_to(role):
        found = told("--home", tmp_path, code=0)
    assert found["storage"] == ("ok", f"s3://{bucket}/library at {endpoint}")
    assert found["inbox"] == ("ok", f"s3://{bucket}/; {tmp_path / 'inbox'} is not there")
    assert found["libraries"] == ("ok", f"s3://{bucket}/music; {tmp_path / 'usb'} is not there")


@pytest.mark.parametrize(("setting", "part"), [("BUCKET", "inbox"), ("LIBRARIES", "libraries")])
def test_a_bucket_that_is_to_be_watched_and_is_not_there_is_a_fault(
    setting: str, part: str, tmp_path: Path, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"RESONATE_{setting}", "s3://no-such-bucket")
    monkeypatch.setenv("RESONATE_S3_ENDPOINT", endpoint)
    state, line = told("--home", tmp_path, code=1)[part]
    assert state == "broken"
    assert line.startswith("s3://no-such-bucket: S3 answered NoSuchBucket")


@pytest.mark.parametrize("there", [True, False])
def test_a_broker_to_which_the_instance_sends_no_run_is_a_fault(
    there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESONATE_BROKER", "amqp://nobody:nothing@127.0.0.1:1//")
    if there:
        (tmp_path / "dagster_home").mkdir()
        (tmp_path / "dagster_home/dagster.yaml").write_text("telemetry: {enabled: false}\n")
    state, line = told("--home", tmp_path, code=1)["dagster"]
    assert state == "broken"
    assert line.endswith("copy docker/cluster/dagster.yaml there, which sends runs to RabbitMQ")


def test_a_database_that_can_t_be_reached_is_told_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "postgresql+psycopg2://resonate:secret@127.0.0.1:1/resonate"
    monkeypatch.setenv("RESONATE_DATABASE", url)
    state, line = told("--home", tmp_path, code=1)["database"]
    assert state == "broken"
    assert "127.0.0.1" in line
    assert "secret" not in line


def test_an_instance_that_names_what_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "dagster_home").mkdir()
    (tmp_path / "dagster_home/dagster.yaml").write_text("run_launcher: {module: no.such, class: Launcher}\n")
    state, line = told("--home", tmp_path, code=1)["dagster"]
    assert state == "broken"
    assert "dagster.yaml" in line
    assert "no" in line


def test_an_instance_of_one_machine_whose_daemon_is_not_at_work_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "dagster_home").mkdir()
    (tmp_path / "dagster_home/dagster.yaml").write_text("telemetry: {enabled: false}\n")
    state, line = told("--home", tmp_path, code=0)["daemon"]
    assert (state, line) == ("off", "shows no sign of life; `resonate dev` starts it")


def test_engines_are_told_with_what_they_lack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_engines", ENGINES)
    monkeypatch.setenv("LALAL_LICENSE_KEY", "")
    found = told("--home", tmp_path, code=0)
    assert found["engine spectral"] == ("ok", "runs here")
    assert found["engine lalal"] == ("off", "no licence key (LALAL_LICENSE_KEY is not set)")
