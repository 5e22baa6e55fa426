"""Metrics are what the databases say, by the names that Prometheus wants, whoever asks and however often."""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, SensorInstigatorData
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._daemon.types import DaemonHeartbeat
from prometheus_client.parser import text_string_to_metric_families

from resonate_assets.settings import Settings
from resonate_resources.recipe import Engine
from resonate_resources.separation.lalal.ledger import LalalCaps, Ledger
from resonate_resources.storage.current import record
from resonate_resources.storage.database import transaction
from resonate_resources.storage.heartbeats import HOST, alive
from resonate_resources.storage.pools import in_pool
from resonate_resources.storage.stage_counts import count_failure, count_result
from resonate_studio.watching.metrics import exposition
from resonate_tests.manifests import manifest
from resonate_tests.programs import required

_CODE = ManagedGrpcPythonEnvCodeLocationOrigin(LoadableTargetOrigin(module_name="m"), "m")
_REPOSITORY = RemoteRepositoryOrigin(_CODE, "__repository__")

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scraped(settings: Settings, instance: dg.DagsterInstance) -> Samples:
    """As Prometheus reads them: (name, labels) → value."""
    families = text_string_to_metric_families(exposition(settings, instance).decode())
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((name, frozenset(labels.items())))


def make_run(
    instance: dg.DagsterInstance, status: dg.DagsterRunStatus, hours_ago: float = 0.0, **tags: str
) -> None:
    """A run that came to a status so long ago."""
    tagged = {name.replace("_", "/"): value for name, value in tags.items()}
    origin = RemoteJobOrigin(_REPOSITORY, "process_track")
    run = dg.DagsterRun("process_track", status=status, tags=tagged, remote_job_origin=origin)
    instance.add_run(run)
    with instance.run_storage.connect() as db:  # type: ignore[attr-defined]
        moments = {"ago": f"-{hours_ago * 3600:.0f} seconds", "run": run.run_id}
        db.execute(
            sa.text(
                "UPDATE runs SET create_timestamp = strftime('%Y-%m-%d %H:%M:%f', 'now', :ago), "
                "update_timestamp = strftime('%Y-%m-%d %H:%M:%f', 'now', :ago) WHERE run_id = :run"
            ),
            moments,
        )


def test_promtool_has_nothing_to_say_about_names_and_units(
    settings: Settings, home_instance: dg.DagsterInstance
) -> None:
    count_result(settings.database_url, manifest("mix", "song", seconds=2.0), found=False)
    make_run(home_instance, dg.DagsterRunStatus.SUCCESS)
    text = exposition(settings, home_instance)
    checked = subprocess.run(
        [required("prometheus"), "check", "metrics"], input=text, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")


def test_runs_that_wait_are_told_by_queue_with_the_age_of_the_oldest(
    settings: Settings, home_instance: dg.DagsterInstance
) -> None:
    make_run(home_instance, dg.DagsterRunStatus.QUEUED, 2.0)
    make_run(home_instance, dg.DagsterRunStatus.QUEUED, 1.0)
    make_run(home_instance, dg.DagsterRunStatus.QUEUED, 0.5, resonate_queue="gpu")
    make_run(home_instance, dg.DagsterRunStatus.STARTING, 0.25, resonate_queue="gpu")  # with the broker
    make_run(home_instance, dg.DagsterRunStatus.STARTED, 9.0, resonate_queue="gpu")
    found = scraped(settings, home_instance)
    assert value(found, "resonate_queue_runs", queue="default") == 2
    assert value(found, "resonate_queue_runs", queue="gpu") == 2
    assert value(found, "resonate_queue_oldest_age_seconds", queue="default") == pytest.approx(7200, abs=20)
    assert value(found, "resonate_queue_oldest_age_seconds", queue="gpu") == pytest.approx(1800, abs=20)


def test_an_empty_queue_is_told_as_empty_so_that_alerts_end(
    settings: Settings, home_instance: dg.DagsterInstance
) -> None:
    found = scraped(settings, home_instance)
    assert value(found, "resonate_queue_runs", queue="default") == 0
    assert value(found, "resonate_queue_oldest_age_seconds", queue="default") == 0


def test_runs_are_counted_by_status_and_by_how_they_ended_within_the_hour(
    settings: Settings, home_instance: dg.DagsterInstance
) -> None:
    make_run(home_instance, dg.DagsterRunStatus.SUCCESS, 3.0)
    make_run(home_instance, dg.DagsterRunStatus.SUCCESS, 0.5)
    make_run(home_instance, dg.DagsterRunStatus.FAILURE, 0.1)
    found = scraped(settings, home_instance)
    assert value(found, "resonate_runs", status="success") == 2
    assert value(found, "resonate_runs", status="failure") == 1
    assert value(found, "resonate_runs_ended_last_hour", outcome="success") == 1
    assert value(found, "resonate_runs_ended_last_hour", outcome="failure") == 1
    assert value(found, "resonate_runs_ended_last_hour", outcome="canceled") == 0
    last = value(found, "resonate_last_success_timestamp_seconds")
    assert last == pytest.approx(time.time() - 1800, abs=20)


def test_stages_are_counted_with_the_time_that_they_took_and_the_audio_that_they_were_of(
    settings: Settings, home_instance: dg.DagsterInstance
) -> None:
    url = settings.database_url
    record(url, manifest("raw_track", "song", measures={"duration_s": 180.0}))
    stems = manifest("stems", "song", engine=Engine("demucs"), seconds=90.0)
    for _ in range(2):
        count_result(url, stems, found=False)
    count_result(url, stems, found=True)
    count_failure(url, "stems", "song", refused=False)
    count_failure(url, "raw_track", "other", refused=True)
    found = scraped(settings, home_instance)
    told = {
        outcome: value(found, "resonate_stages_total", stage="stems", engine=engine, outcome=outcome)
        for engine, outcome in (("demucs", "made"), ("demucs", "found"), ("", "failed"))
    }
    assert told == {"made": 2, "found": 1, "failed": 1}
    assert value(found, "resonate_stages_total", stage="raw_track", engine="", outcome="refused") == 1
    assert value(found, "resonate_stage_compute_seconds_total", stage="stems", engine="demucs") == 180
    assert value(found, "resonate_stage_audio_seconds_total", stage="stems", engine="demucs") == 360


def test_places_in_pools_and_hosts_at_work_are_those_that_show_signs_of_life(
    settings: Settings, home_instance: dg.DagsterInstance
) -> None:
    url = settings.database_url
    with (
        in_pool(url, "gpu", "song"),
        alive(url, "run", "of-the-living"),
        alive(url, "run", "of-the-dead"),
        alive(url, "run", "of-the-dead"),  # a run has several, and is one all the same
    ):
        with transaction(url) as db:
            db.execute(
                sa.text(
                    "UPDATE heartbeats SET beat_at = beat_at - 120, host = 'gone' WHERE name = 'of-the-dead'"
                )
            )
        found = scraped(settings, home_instance)
    assert value(found, "resonate_pool_places_taken", pool="gpu", host=HOST) == 1
    assert value(found, "resonate_hosts_alive") == 1
    assert value(found, "resonate_runs_silent") == 1


def test_sensors_that_are_on_tell_how_long_ago_they_ticked(
    settings: Settings, home_instance: dg.DagsterInstance
) -> None:
    for name, status in (
        ("inbox_folder", InstigatorStatus.RUNNING),
        ("inbox_bucket", InstigatorStatus.STOPPED),
    ):
        home_instance.add_instigator_state(
            InstigatorState(
                RemoteInstigatorOrigin(_REPOSITORY, name),
                InstigatorType.SENSOR,
                status,
                SensorInstigatorData(last_tick_timestamp=time.time() - 300),
            )
        )
    found = scraped(settings, home_instance)
    assert value(found, "resonate_sensor_lag_seconds", sensor="inbox_folder") == pytest.approx(300, abs=20)
    assert value(found, "resonate_sensor_lag_seconds", sensor="inbox_bucket") is None


def test_a_daemon_that_was_never_seen_is_absent_and_one_that_was_has_an_age(
    settings: Settings, home_instance: dg.DagsterInstance
) -> None:
    name = "resonate_daemon_heartbeat_age_seconds"
    assert value(scraped(settings, home_instance), name) is None
    home_instance.add_daemon_heartbeat(DaemonHeartbeat(time.time() - 240, "SENSOR", "id", []))
    assert value(scraped(settings, home_instance), name) == pytest.approx(240, abs=20)
    with alive(settings.database_url, "daemon", "daemon"):  # one whose clock is four minutes slow
        assert value(scraped(settings, home_instance), name) == pytest.approx(0, abs=20)


def test_paid_minutes_are_those_of_the_ledger_in_seconds_beside_the_cap(
    settings: Settings, home_instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESONATE_LALAL_MINUTES_PER_DAY", "20")
    ledger = Ledger(settings.database_url, "run", LalalCaps.from_environment())
    ledger.sending(ledger.reserve("a track", 3.0))
    ledger.reserve("another", 4.0)
    found = scraped(settings, home_instance)
    assert value(found, "resonate_paid_audio_seconds_total", service="lalal") == 180
    assert value(found, "resonate_paid_audio_today_seconds", service="lalal") == 420
    assert value(found, "resonate_paid_audio_day_cap_seconds", service="lalal") == 1200


def test_disks_are_those_of_this_host(settings: Settings, home_instance: dg.DagsterInstance) -> None:
    found = scraped(settings, home_instance)
    size = shutil.disk_usage(settings.home).total
    for place in ("home", "storage", "dagster"):
        assert value(found, "resonate_disk_size_bytes", place=place, host=HOST) == size
        assert 0 < (value(found, "resonate_disk_free_bytes", place=place, host=HOST) or 0) <= size


def test_gpus_are_told_as_the_driver_tells_them_and_absent_where_there_is_none(
    settings: Settings, home_instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not [name for name, _ in scraped(settings, home_instance) if "gpu" in name]
    driver = tmp_path / "nvidia-smi"
    driver.write_text('#!/bin/sh\necho "0, 1024, 143771"\necho "1, [N/A], [N/A]"\n')
    driver.chmod(0o755)
    found = scraped(settings, home_instance)
    assert value(found, "resonate_gpu_memory_used_bytes", gpu="0", host=HOST) == 2**30
    assert value(found, "resonate_gpu_memory_size_bytes", gpu="0", host=HOST) == 143771 * 2**20
    assert value(found, "resonate_gpu_memory_used_bytes", gpu="1", host=HOST) is None


def test_resonate_metrics_serves_them_by_itself_and_ends_when_it_is_asked_to(
    settings: Settings, home_instance: dg.DagsterInstance
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "resonate_studio.cli", "metrics", "--home", str(settings.home)]
    served = subprocess.Popen(
        [*command, "--port", str(port)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ)
    )
    try:
        assert served.stdout is not None
        assert served.stderr is not None
        assert str(port) in served.stdout.readline().decode()
        with socket.create_connection(("127.0.0.1", port)) as gone:
            gone.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
            at_once = struct.pack("ii", 1, 0)  # a reset, at which the answer can't be written
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=")
            assert b"resonate_queue_runs" in answer.read()
    finally:
        served.terminate()
    assert served.wait(30) == 143
    assert b"Traceback" not in served.stderr.read()
