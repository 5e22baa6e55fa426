"""Metrics for Prometheus, read from the databases at each scrape: any host tells the same, and a restart loses
nothing. Only disks and GPUs are of the machine that is asked.

Ages are by the database's clock, whatever that of the machine says. Ticks of sensors, and beats of a daemon that
`resonate daemon` did not start, are by the daemon's.

Names are by https://prometheus.io/docs/practices/naming/. None has a label of tracks or runs, and no query reads
what grows with stages: but for counting tracks and runs, a scrape costs the same for ten and for 100,000.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

import sqlalchemy as sa
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from resonate_resources.separation.lalal.ledger import LalalCaps, minutes_told
from resonate_resources.storage.database import done
from resonate_resources.storage.database import now as database_now
from resonate_resources.storage.heartbeats import DEAD_AFTER_SECONDS, HOST, all_heartbeats
from resonate_resources.storage.stage_counts import stage_counts
from resonate_resources.storage.tracks import tracks
from resonate_studio.home import instance_directory
from resonate_studio.watching.dagster_facts import Queue, daemon_age, queues, runs_by_status, sensor_ticks

if TYPE_CHECKING:
    import dagster as dg

    from resonate_assets.settings import Settings

_ENDED = ("SUCCESS", "FAILURE", "CANCELED")
_HOUR = 3600.0
_GPU_SECONDS = 5.0
_MIB = 2**20


def exposition(settings: Settings, instance: dg.DagsterInstance) -> bytes:
    """All metrics, in Prometheus' text format (version 0.0.4).

    Raises SQLAlchemyError, OSError and DagsterError where a database can't be read: Prometheus then has `up` at 0.
    """
    registry = CollectorRegistry()
    registry.register(Metrics(settings, instance))
    return generate_latest(registry)


class Metrics(Collector):
    """Of one home. Each scrape reads anew."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance) -> None:
        self._settings, self._instance = settings, instance

    def describe(self) -> list[Metric]:
        """Nothing: else registering would scrape."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Reads everything before the first metric is given: half an answer would look like a whole one."""
        now = done(self._settings.database_url, lambda db: db.execute(sa.select(database_now())).scalar_one())
        yield from [
            InfoMetricFamily(
                "resonate_build", "Version of Resonate.", {"version": version("resonate-studio")}
            ),
            *_of_queues(queues(self._instance), now),
            *_of_runs(self._instance, now),
            *_of_sensors(self._settings.database_url, self._instance, now),
            *_of_stages(self._settings.database_url),
            *_of_processes(self._settings.database_url),
            *_of_tracks(self._settings.database_url),
            *_of_payments(self._settings.database_url),
            *_of_disks(self._settings),
            *_of_gpus(),
        ]


def _of_queues(found: Sequence[Queue], now: float) -> Iterator[Metric]:
    runs = _gauge("resonate_queue_runs", "Runs that wait, by queue.", ["queue"])
    age = _gauge(
        "resonate_queue_oldest_age_seconds", "How long the oldest run has waited, by queue.", ["queue"]
    )
    for queue in found:
        runs.add_metric([queue.name], queue.runs)
        age.add_metric([queue.name], max(0.0, now - queue.oldest) if queue.oldest is not None else 0.0)
    yield from (runs, age)


def _of_runs(instance: dg.DagsterInstance, now: float) -> Iterator[Metric]:
    whole = runs_by_status(instance)
    runs = _gauge("resonate_runs", "Runs that Dagster keeps, by status; old ones are pruned.", ["status"])
    for status, (count, _) in sorted(whole.items()):
        runs.add_metric([status.lower()], count)
    ended = _gauge("resonate_runs_ended_last_hour", "Runs that ended within the last hour.", ["outcome"])
    recent = runs_by_status(instance, since=now - _HOUR)
    for status in _ENDED:
        ended.add_metric([status.lower()], recent.get(status, (0, 0.0))[0])
    yield from (runs, ended)
    if "SUCCESS" in whole:
        yield _gauge(
            "resonate_last_success_timestamp_seconds", "When a run last succeeded.", value=whole["SUCCESS"][1]
        )


def _of_sensors(url: str, instance: dg.DagsterInstance, now: float) -> Iterator[Metric]:
    lag = _gauge("resonate_sensor_lag_seconds", "Since the last tick of a sensor that is on.", ["sensor"])
    for sensor, ticked in sorted(sensor_ticks(instance).items()):
        lag.add_metric([sensor], max(0.0, now - ticked))
    yield lag
    age = daemon_age(url, instance, now)
    if age is not None:
        yield _gauge(
            "resonate_daemon_heartbeat_age_seconds",
            "Since a daemon last showed a sign of life; absent where none ever did.",
            value=age,
        )


def _of_stages(url: str) -> Iterator[Metric]:
    count = _counter("resonate_stages", "Stages that came to an outcome.", ["stage", "engine", "outcome"])
    seconds = _counter(
        "resonate_stage_compute_seconds", "Time that computing stages took.", ["stage", "engine"]
    )
    audio = _counter(
        "resonate_stage_audio_seconds",
        "Audio of the tracks that were computed: over the time it took, the real-time factor.",
        ["stage", "engine"],
    )
    for one in sorted(stage_counts(url)):
        count.add_metric([one.stage, one.engine, one.outcome], one.count)
        if one.outcome == "made":
            seconds.add_metric([one.stage, one.engine], one.seconds)
            audio.add_metric([one.stage, one.engine], one.audio_seconds)
    yield from (count, seconds, audio)


def _of_processes(url: str) -> Iterator[Metric]:
    beats = all_heartbeats(url)
    living = [one for one in beats if one.age <= DEAD_AFTER_SECONDS]
    yield _gauge(
        "resonate_hosts_alive",
        "Hosts at work: with a fresh sign of life.",
        value=len({one.host for one in living}),
    )
    yield _gauge(
        "resonate_runs_silent",
        "Runs at work whose process shows no sign of life.",
        # A run has several.
        value=len({one.name for one in beats if one.kind == "run" and one.age > DEAD_AFTER_SECONDS}),
    )
    taken = _gauge("resonate_pool_places_taken", "Places taken in pools, by host.", ["pool", "host"])
    held: dict[tuple[str, str], int] = {}
    for one in living:
        if one.kind == "pool":
            place = one.name.partition("@")[0], one.host
            held[place] = held.get(place, 0) + 1
    for place, count in sorted(held.items()):
        taken.add_metric(place, count)
    yield taken


def _of_tracks(url: str) -> Iterator[Metric]:
    query = sa.select(sa.func.count()).select_from(tracks)
    count = done(url, lambda db: db.execute(query).scalar_one())
    yield _gauge("resonate_tracks", "Tracks in the catalogue.", value=count)


def _of_payments(url: str) -> Iterator[Metric]:
    told = minutes_told(url)
    paid = _counter("resonate_paid_audio_seconds", "Audio that a paid service was sent.", ["service"])
    today = _gauge("resonate_paid_audio_today_seconds", "Since midnight UTC, reserved included.", ["service"])
    cap = _gauge("resonate_paid_audio_day_cap_seconds", "What may be spent a day at most.", ["service"])
    paid.add_metric(["lalal"], 60 * told.sent)
    today.add_metric(["lalal"], 60 * told.today)
    cap.add_metric(["lalal"], 60 * LalalCaps.from_environment().per_day)
    yield from (paid, today, cap)


def _of_disks(settings: Settings) -> Iterator[Metric]:
    free = _gauge("resonate_disk_free_bytes", "Free, on the disk of a place of this host.", ["place", "host"])
    size = _gauge("resonate_disk_size_bytes", "Size of the disk of a place of this host.", ["place", "host"])
    places = {
        "home": settings.home,
        "storage": settings.storage_folder,
        "dagster": instance_directory(settings),
    }
    for name, folder in places.items():
        if folder is not None:
            usage = shutil.disk_usage(folder)
            free.add_metric([name, HOST], usage.free)
            size.add_metric([name, HOST], usage.total)
    yield from (free, size)


def _of_gpus() -> Iterator[Metric]:
    """By the program that comes with the driver, as loading torch would take hundreds of megabytes of the GPU."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return
    asked = [program, "--query-gpu=index,memory.used,memory.total", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, timeout=_GPU_SECONDS, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return  # a driver without a GPU, or one that hangs: absent, as documented
    used = _gauge("resonate_gpu_memory_used_bytes", "Memory in use on a GPU of this host.", ["gpu", "host"])
    size = _gauge("resonate_gpu_memory_size_bytes", "Memory of a GPU of this host.", ["gpu", "host"])
    for line in told.splitlines():
        gpu, used_mib, size_mib = (part.strip() for part in line.split(","))
        if used_mib.isdecimal() and size_mib.isdecimal():  # "[N/A]" where a driver does not tell
            used.add_metric([gpu, HOST], int(used_mib) * _MIB)
            size.add_metric([gpu, HOST], int(size_mib) * _MIB)
    yield from (used, size)


def _gauge(
    name: str, told: str, labels: Sequence[str] | None = None, value: float | None = None
) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, told, value=value, labels=labels)


def _counter(name: str, told: str, labels: Sequence[str]) -> CounterMetricFamily:
    return CounterMetricFamily(name, told, labels=labels)
