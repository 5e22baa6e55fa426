"""One trace a track, by what a receiver of OpenTelemetry's protocol is sent: upload or sensor, run and stages meet
in it, though nothing was handed from one to the other."""

from __future__ import annotations

import io
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import numpy as np
import pytest
import soundfile as sf
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run
from starlette.testclient import TestClient

from resonate_assets.definitions import build_defs
from resonate_assets.sensors import inbox_folder
from resonate_assets.settings import Settings, SettingsError
from resonate_resources.ingestion.resource import InboxResource
from resonate_resources.storage.pools import in_pool
from resonate_resources.storage.resource import S3Resource, StorageResource
from resonate_resources.watching import tracing
from resonate_studio.api.app import create_app
from resonate_studio.api.opened import Opened
from resonate_tests.studio.watching.otlp_receiver import Receiver, Span, receiving

RUN = str(uuid.UUID(int=7))


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiving() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.address)
        tracing._provider.cache_clear()
        yield found
        tracing._provider().shutdown()
    tracing._provider.cache_clear()


def sent(receiver: Receiver) -> list[Span]:
    tracing._provider().force_flush()
    return sorted(receiver.spans, key=lambda span: span.began)


def song() -> bytes:
    seconds = np.arange(44_100) / 44_100
    written = io.BytesIO()
    sf.write(written, 0.2 * np.sin(2 * np.pi * 220 * seconds), 44_100, format="WAV", subtype="PCM_16")
    return written.getvalue()


def the(spans: list[Span], name: str) -> Span:
    (found,) = [span for span in spans if span.name == name]
    return found


def test_an_upload_its_run_and_its_stages_are_one_trace(
    receiver: Receiver, settings: Settings, home_instance: dg.DagsterInstance
) -> None:
    defs = build_defs(settings)
    opened = Opened(settings, home_instance, defs.resources["storage"], defs)  # type: ignore[index]
    began = time.time()
    with TestClient(create_app(opened), base_url="http://127.0.0.1:3100") as client:
        accepted = client.post("/api/v1/jobs", files={"file": ("song.wav", song())}).json()
    run = home_instance.get_run_by_id(accepted["job_id"])
    assert run is not None
    job = defs.resolve_job_def("process_track")
    # As the daemon and the launcher do, by the run's id and its tags alone.
    starting = dg.DagsterEvent(dg.DagsterEventType.RUN_STARTING.value, run.job_name)
    home_instance.report_dagster_event(starting, run.run_id)
    run = home_instance.get_run_by_id(run.run_id)
    assert run is not None
    execute_run(InMemoryJob(job), run, home_instance, raise_on_error=True)
    spans = sent(receiver)
    assert {span.trace for span in spans} == {uuid.UUID(accepted["job_id"]).hex}
    root = the(spans, "track")
    assert root.parent == ""
    for name in ("upload", "queue", "run"):
        assert the(spans, name).parent == root.id, name
    raw_track = the(spans, "raw_track")
    assert raw_track.parent == the(spans, "run").id
    assert raw_track.told["resonate.track"] == accepted["track"]
    assert raw_track.told["resonate.cache_hit"] is False
    assert raw_track.told["resonate.engine"]
    assert 0 < raw_track.told["resonate.seconds"] <= raw_track.ended - raw_track.began
    assert raw_track.told["resonate.pool_wait_seconds"] >= 0
    assert raw_track.service["service.name"] == "resonate"
    assert began <= the(spans, "upload").began <= the(spans, "run").began <= raw_track.began
    assert raw_track.ended <= the(spans, "exports").began
    assert the(spans, "exports").ended <= the(spans, "run").ended <= root.ended <= time.time()


def test_a_file_in_the_inbox_is_in_the_trace_of_the_sensor_that_took_it(
    receiver: Receiver,
    storage: StorageResource,
    instance: dg.DagsterInstance,
    tmp_path: Path,
    files_lie_still: None,
) -> None:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "song.wav").write_bytes(song())
    resources = {"storage": storage, "inbox": InboxResource(folder=str(tmp_path / "inbox"), s3=S3Resource())}
    with dg.build_sensor_context(instance, sensor_name="inbox_folder", resources=resources) as context:
        result = inbox_folder(context)
    assert isinstance(result, dg.SensorResult)
    (request,) = result.run_requests or ()
    span = the(sent(receiver), "inbox_folder")
    assert tracing.trace_of(RUN, request.tags) == span.trace
    assert span.told["resonate.track"] == request.partition_key


def test_a_retry_is_in_the_trace_of_its_job_and_has_no_second_root(receiver: Receiver) -> None:
    job, retry = str(uuid.uuid4()), str(uuid.uuid4())
    now = time.time()
    for run_id in (job, retry):
        with tracing.run(run_id, {"resonate/job": job}, now, now, {}):
            pass
    spans = sent(receiver)
    assert {span.trace for span in spans} == {uuid.UUID(job).hex}
    root = the(spans, "track")
    assert [span.parent for span in spans if span.name == "run"] == [root.id, root.id]


def test_a_stage_that_fails_tells_its_error(receiver: Receiver) -> None:
    with (
        pytest.raises(ValueError, match="no room"),
        tracing.run(RUN, {}, time.time(), time.time(), {}),
        tracing.stage(RUN, "stems", {}),
    ):
        raise ValueError("no room")
    assert the(sent(receiver), "stems").error == "no room"


def test_waiting_for_a_place_in_a_pool_is_told_of_the_stage_that_waited(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'resonate.sqlite'}"
    monkeypatch.setenv("RESONATE_POOL_GPU", "1")
    held = in_pool(url, "gpu")
    held.__enter__()

    def leave(_: str) -> None:
        held.__exit__(None, None, None)

    with (
        tracing.run(RUN, {}, time.time(), time.time(), {}),
        tracing.stage(RUN, "stems", {}),
        in_pool(url, "gpu", tell=leave),  # looked for once a second
    ):
        pass
    assert 0.9 < the(sent(receiver), "stems").told["resonate.pool_wait_seconds"] < 10


def test_a_receiver_that_is_away_ends_no_run_and_holds_it_up_for_seconds_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    tracing._provider.cache_clear()
    began = time.monotonic()
    with tracing.run(RUN, {}, time.time(), time.time(), {}), tracing.stage(RUN, "stems", {}):
        pass
    assert time.monotonic() - began < 10
    tracing._provider.cache_clear()


def test_nothing_is_sent_nor_tagged_where_no_receiver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in tracing.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(tracing, "_provider", None)  # would be called for any span
    assert tracing.trace_tags(tracing.new_trace()) == {}
    with tracing.run(RUN, {}, time.time(), time.time(), {}), tracing.stage(RUN, "stems", {}):
        tracing.waited(1.0)
    tracing.tell(tracing.new_trace(), "upload", 0.0, 1.0, {})


def test_a_receiver_without_the_packages_for_it_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    monkeypatch.setattr(tracing, "find_spec", lambda _: None)
    with pytest.raises(SettingsError, match=r"^OTEL_EXPORTER_OTLP_ENDPOINT: .*resonate-studio\[watching\]'$"):
        Settings.from_environment()
