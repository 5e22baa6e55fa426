"""Which queue a run waits in, and how urgent it is there."""

from __future__ import annotations

import dagster as dg
import pytest
from celery import Celery

from resonate_assets.run_queue.queues import broker_priority, broker_url, queue_of, served
from resonate_assets.runs import PARTITION_TAG, PRIORITY_TAG
from resonate_assets.settings import SettingsError
from resonate_resources.brief.layers import BriefError


def run(job: str = "process_track", *, assets: tuple[str, ...] = (), priority: str = "") -> dg.DagsterRun:
    tags = {PARTITION_TAG: "song-0123456789ab"} | ({PRIORITY_TAG: priority} if priority else {})
    chosen = frozenset(map(dg.AssetKey, assets)) or None
    return dg.DagsterRun(job, "a", tags=tags, asset_selection=chosen)


@pytest.mark.parametrize(
    ("engine", "queue"),
    [
        ("auto", "gpu"),
        ("demucs", "gpu"),
        ("demucs:htdemucs_ft", "gpu"),
        ("lalal", "cloud"),
        ("spectral", "cpu"),
        ("no such engine", "cpu"),
    ],
)
def test_a_track_waits_for_what_its_brief_asks_for(
    engine: str, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESONATE_QUEUES", "cpu, gpu, cloud")
    assert queue_of(run(), lambda _: engine) == queue


def test_what_has_no_worker_of_its_own_waits_in_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RESONATE_QUEUES", raising=False)
    assert [queue_of(run(), lambda _, name=name: name) for name in ("auto", "lalal")] == ["cpu", "cpu"]  # type: ignore[misc]
    monkeypatch.setenv("RESONATE_QUEUES", "cloud")
    assert [queue_of(run(), lambda _, name=name: name) for name in ("auto", "lalal")] == ["cpu", "cloud"]  # type: ignore[misc]


def test_what_separates_nothing_waits_in_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESONATE_QUEUES", "gpu")
    assert queue_of(run("set_brief"), lambda _: "auto") == "cpu"
    assert queue_of(run("__ASSET_JOB", assets=("master", "exports")), lambda _: "auto") == "cpu"
    assert queue_of(run("__ASSET_JOB", assets=("stems", "exports")), lambda _: "auto") == "gpu"
    assert queue_of(dg.DagsterRun("update_library", "a"), lambda _: "auto") == "cpu"


def test_a_brief_that_can_t_be_read_is_told_by_the_run_and_not_by_the_queue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RESONATE_QUEUES", "gpu")

    def damaged(_: str) -> str:
        raise BriefError("brief.toml: is damaged")

    assert queue_of(run(), damaged) == "cpu"


def test_a_queue_that_there_is_not_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESONATE_QUEUES", "cpu,tpu")
    with pytest.raises(SettingsError, match="RESONATE_QUEUES: tpu: is no queue; there are cpu, gpu, cloud"):
        served()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://host",
        "amqp://",
        "amqp://user:secret@host:port//",
        "amqp://user:secret@host:99999//",
        "amqp://user:secret@[::1:5672//",
        " amqp://user:secret@host:5672//",
        # Parts of the password would be taken for the host and the virtual host, and told as such.
        "amqp://user:p@secret/w:rd%@host:5672//",
        "amqp://user:5672#secret@host//",
        "amqp://user:5672?secret@host//",
    ],
)
def test_a_broker_s_address_that_can_t_be_meant_is_refused_and_no_part_of_it_told(url: str) -> None:
    with pytest.raises(SettingsError, match=r"^RESONATE_BROKER: is to be RabbitMQ's address") as caught:
        broker_url(url)
    assert "secret" not in str(caught.value)


def test_special_characters_of_a_broker_s_password_are_escaped() -> None:
    parts = Celery(broker=broker_url("amqp://user:p%40ss%2Fw%3Ard%25@host:5672//")).connection_for_read()
    assert (parts.userid, parts.password, parts.hostname, parts.virtual_host) == (
        *("user", "p@ss/w:rd%", "host", "/"),
    )


def test_the_order_of_the_catalogue_is_kept_in_eleven_steps() -> None:
    steps = [broker_priority(run(priority=str(priority))) for priority in range(-16, 3)]
    assert steps == sorted(steps)
    assert (steps[0], steps[15], steps[16], steps[18]) == (0, 9, 10, 10)
    assert broker_priority(run(priority="soon")) == 10  # as 0: what Dagster makes of it
    assert broker_priority(run(priority="-99")) == 0
