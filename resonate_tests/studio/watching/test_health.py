"""Probes are told whether what is stood on can be used, in one line and by an exit code."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from click.testing import CliRunner
from dagster._daemon.types import DaemonHeartbeat
from starlette.testclient import TestClient

from resonate_assets.definitions import build_defs
from resonate_assets.settings import Settings, is_home
from resonate_resources.storage.heartbeats import alive
from resonate_resources.storage.s3_store import S3Store
from resonate_studio.api.access import Token
from resonate_studio.api.app import create_app
from resonate_studio.api.opened import Opened
from resonate_studio.cli import main
from resonate_studio.home import require_home, settings_for
from resonate_studio.watching.health import troubles
from resonate_tests.e2e.test_s3 import bucket, client, endpoint

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["bucket", "client", "endpoint"]

ADDRESS = "http://127.0.0.1:3100"


@pytest.fixture
def opened(settings: Settings, home_instance: dg.DagsterInstance) -> Opened:
    defs = build_defs(settings)
    return Opened(settings, home_instance, defs.resources["storage"], defs)  # type: ignore[index]


def beat(instance: dg.DagsterInstance, seconds_ago: float = 0.0) -> None:
    instance.add_daemon_heartbeat(DaemonHeartbeat(time.time() - seconds_ago, "SENSOR", "id", []))


def asked(opened: Opened, path: str) -> tuple[int, str]:
    with TestClient(create_app(opened), base_url=ADDRESS) as client:
        answer = client.get(path)
    return answer.status_code, answer.text


def health(settings: Settings, *more: str) -> tuple[int, str, str]:
    ran = CliRunner().invoke(main, ["health", "--home", str(settings.home), *more])
    return ran.exit_code, ran.stdout.splitlines()[0] if ran.stdout else "", ran.stderr


def test_a_studio_with_a_daemon_is_ready(opened: Opened) -> None:
    beat(opened.instance)
    assert asked(opened, "/readyz") == (200, "ok\n")
    assert health(opened.settings, "--ready")[:2] == (0, "ok")


def test_a_daemon_whose_clock_is_ten_minutes_slow_is_one(opened: Opened) -> None:
    beat(opened.instance, seconds_ago=600)
    with alive(opened.settings.database_url, "daemon", "daemon"):
        assert asked(opened, "/readyz") == (200, "ok\n")
    assert asked(opened, "/readyz")[0] == 503


def test_a_studio_without_a_daemon_lives_and_is_not_ready(opened: Opened) -> None:
    beat(opened.instance, seconds_ago=90)
    assert asked(opened, "/healthz") == (200, "ok\n")
    assert asked(opened, "/readyz") == (503, "no daemon has shown a sign of life for a minute\n")
    code, _, told = health(opened.settings, "--ready")
    assert code == 1
    assert "no daemon has shown a sign of life for a minute" in told
    assert health(opened.settings)[0] == 0  # a worker does without


def test_storage_that_has_gone_is_told_with_its_place_to_who_runs_it_alone(
    opened: Opened, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    beat(opened.instance)
    monkeypatch.setenv("RESONATE_STORAGE", str(tmp_path / "not mounted"))
    gone = Settings.from_environment()
    elsewhere = Opened(gone, opened.instance, opened.storage, opened.defs)
    assert asked(elsewhere, "/readyz") == (503, "storage can't be used\n")
    code, _, told = health(settings)
    assert code == 1
    assert str(tmp_path / "not mounted") in told
    assert len(told.splitlines()) <= 2  # the reason, and which home it was


def test_a_database_that_cant_be_reached_is_told_without_its_password(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat(opened.instance)
    monkeypatch.setenv("RESONATE_DATABASE", "postgresql+psycopg2://me:secret@127.0.0.1:1/resonate")
    monkeypatch.setattr("resonate_resources.storage.database._GIVE_UP_SECONDS", 0.0)
    away = Opened(Settings.from_environment(), opened.instance, opened.storage, opened.defs)
    assert asked(away, "/readyz") == (503, "the database can't be used\n")
    code, _, told = health(opened.settings)
    assert code == 1
    assert "127.0.0.1:1/resonate" in told
    assert "secret" not in told


def test_a_home_that_is_not_there_is_told_and_not_made(tmp_path: Path) -> None:
    ran = CliRunner().invoke(main, ["health", "--home", str(tmp_path / "typo")])
    assert ran.exit_code == 1
    assert "no library is kept there" in ran.stderr
    assert not (tmp_path / "typo").exists()


def test_a_home_of_which_nothing_is_kept_on_this_machine_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a host of many: `resonate metrics` and probes are the first to run there."""
    monkeypatch.setenv("RESONATE_STORAGE", "s3://bucket/library")
    monkeypatch.setenv("RESONATE_DATABASE", "postgresql+psycopg2://nobody@127.0.0.1:1/resonate")
    require_home(settings_for(tmp_path / "home"))
    assert is_home(tmp_path / "home")


def test_metrics_are_behind_the_token_and_probes_are_not(opened: Opened, tmp_path: Path) -> None:
    beat(opened.instance)
    token = Token(tmp_path / "token.json")
    secret = token.make()
    with TestClient(create_app(opened, "0.0.0.0", token), base_url="http://10.0.0.7:3100") as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 200
        assert client.get("/metrics").status_code == 401
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 200
    assert "resonate_queue_runs" in answer.text


def test_a_bucket_that_is_gone_is_told(
    settings: Settings, client: S3Client, bucket: str, tmp_path: Path
) -> None:
    store = S3Store(client, bucket, "library", tmp_path / "cache", cache_bytes=10**6)
    assert troubles(settings, store) == []
    client.delete_bucket(Bucket=bucket)
    [told] = troubles(settings, store)
    assert told.what == "storage can't be used"
    assert "NoSuchBucket" in told.why
