"""What an installation is made of, whether each part can be reached, and what will run where."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa

from resonate_resources.storage.database import place_of, transaction
from resonate_resources.storage.heartbeats import DEAD_AFTER_SECONDS, heartbeats
from resonate_studio.requirements import missing_requirements
from resonate_studio.terminal import plain
from resonate_studio.trouble import trouble, trouble_of_instance

if TYPE_CHECKING:
    import dagster as dg

    from resonate_assets.settings import Settings

State = Literal["ok", "off", "broken"]


@dataclass(frozen=True)
class Finding:
    """state: `off` is what this installation goes without. told: where it is, or what is wrong and what to do."""

    part: str
    state: State
    told: str


def examine(settings: Settings) -> Iterator[Finding]:
    """Every part, in the order in which one needs the other. Nothing is made, but for a file in storage that goes
    at once. Raises nothing: what can't be reached is a finding."""
    lacking = missing_requirements()
    yield Finding("packages", "broken" if lacking else "ok", lacking or "all that every stage needs is there")
    yield _storage(settings)
    yield _found("database", lambda: _database(settings), place_of(settings.database_url))
    yield from _dagster(settings)
    yield from _music(settings)
    yield Finding("kept", "ok", settings.kept.told())
    yield from _engines(settings)


def _found(part: str, look: Callable[[], Finding], where: str) -> Finding:
    from resonate_assets.settings import SettingsError

    try:
        return look()
    except SettingsError as error:
        return Finding(part, "broken", str(error))
    except (OSError, sa.exc.SQLAlchemyError) as error:
        return Finding(part, "broken", trouble(error, where))


def _storage(settings: Settings) -> Finding:
    from resonate_resources.storage.resource import S3Resource, StorageResource

    def look() -> Finding:
        if (folder := settings.storage_folder) is not None:
            if not folder.is_dir() and settings.storage == str(settings.home):
                return Finding("storage", "off", f"{plain(str(folder))}: made at first use")
            if not folder.is_dir():
                return Finding(
                    "storage", "broken", f"{folder}: is not there; see whether it is mounted, or meant"
                )
            with NamedTemporaryFile(dir=folder, prefix=".resonate-doctor-"):
                free = shutil.disk_usage(folder).free
            return Finding("storage", "ok", f"{plain(str(folder))}, {free / 1e9:.0f} GB free")
        storage = StorageResource(
            root=settings.storage,
            s3=S3Resource(endpoint_url=settings.s3_endpoint),
            cache=str(settings.home / "s3-cache"),
            database=settings.database_url,
        )
        storage.store.write(_PROBE, b"of resonate doctor")
        storage.store.delete(_PROBE)
        return Finding("storage", "ok", f"{settings.storage} at {settings.s3_endpoint or 'Amazon'}")

    return _found("storage", look, settings.storage)


_PROBE = "rejected_at/.resonate-doctor"
"""Where each of the policies in docker/policies lets its process write."""


def _database(settings: Settings) -> Finding:
    file = settings.database_file or (None if settings.database else settings.home / "resonate.sqlite")
    if file is not None and not file.is_file():
        return Finding("database", "ok", f"{plain(str(file))}, not made yet")
    with transaction(settings.database_url) as db:
        db.execute(sa.select(1))
    beats = heartbeats(settings.database_url, "run")  # several of one run
    at_work = len({beat.name for beat in beats if beat.age <= DEAD_AFTER_SECONDS})
    return Finding("database", "ok", f"{plain(place_of(settings.database_url))}, {at_work} runs at work")


_CLUSTER = "copy docker/cluster/dagster.yaml there, which sends runs to RabbitMQ"


def _dagster(settings: Settings) -> Iterator[Finding]:
    from resonate_studio.home import instance_directory

    folder = instance_directory(settings)
    cluster = bool(os.environ.get("RESONATE_BROKER"))
    if not (folder / "dagster.yaml").is_file():
        todo = _CLUSTER if cluster else "`resonate prepare` makes one"
        state: State = "broken" if cluster else "off"
        yield Finding("dagster", state, f"{plain(str(folder))}: no instance yet; {todo}")
        return
    import dagster as dg

    try:
        instance = dg.DagsterInstance.from_config(str(folder))
        launcher = type(instance.run_launcher).__name__  # only what is asked for is looked for
    except (
        Exception
    ) as error:  # whatever a configuration may name: modules, hosts, variables that are not set
        told = f"{plain(str(folder / 'dagster.yaml'))}: {trouble_of_instance(error)}"
        yield Finding("dagster", "broken", told)
        return
    with instance:
        broker = list(_broker(instance))
        told = f"{plain(str(folder))}, runs by {launcher}"
        if cluster and not broker:
            yield Finding("dagster", "broken", f"{told}, though RESONATE_BROKER is set; {_CLUSTER}")
        else:
            yield Finding("dagster", "ok", told)
        yield _daemon(instance, needed=bool(broker))
        yield from broker


def _daemon(instance: dg.DagsterInstance, needed: bool) -> Finding:
    """On one machine it is at work while `resonate dev` is."""
    from dagster._daemon.controller import all_daemons_live

    if all_daemons_live(instance):
        return Finding("daemon", "ok", "at work")
    todo = "`resonate daemon`" if needed else "`resonate dev` starts it"
    return Finding("daemon", "broken" if needed else "off", f"shows no sign of life; {todo}")


def _broker(instance: dg.DagsterInstance) -> Iterator[Finding]:
    """Only where runs go through one."""
    from importlib.util import find_spec

    if find_spec("dagster_celery") is None:
        return
    from resonate_assets.run_queue.launcher import AWAY, BrokerRunLauncher
    from resonate_assets.run_queue.queues import served

    launcher = instance.run_launcher
    if not isinstance(launcher, BrokerRunLauncher):
        return
    try:
        queues = launcher.queues()
    except AWAY as error:
        yield Finding("broker", "broken", f"can't be reached ({_first_line(error)}); see to RESONATE_BROKER")
        return
    yield Finding("broker", "ok", f"{launcher.celery.connection_for_write().as_uri()}")
    for queue, (messages, workers) in queues.items():
        wanted = queue in served()
        told = f"{messages} runs wait, {workers} workers take them"
        if wanted and not workers:
            told += f"; `resonate run-worker --queue {queue}`" + (
                ", or its machine on demand" if queue == "gpu" else ""
            )
        state: State = "ok" if workers else ("broken" if wanted and queue != "gpu" else "off")
        yield Finding(f"queue {queue}", state, told)


def _music(settings: Settings) -> Iterator[Finding]:
    """What is watched and scanned. A folder that is not there is no fault: it may be one for other machines."""
    from resonate_assets.settings import is_s3

    places = {"inbox": [settings.inbox, settings.bucket], "libraries": [*settings.libraries]}
    for part, named in places.items():
        folders = [place for place in named if place and not is_s3(place)]
        gone = [place for place in folders if not Path(place).expanduser().is_dir()]
        there = [place for place in named if place and place not in gone]
        told = [plain(", ".join(there))] if there else []
        told += [f"{plain(place)} is not there" for place in gone]
        closed = [line for place in there if is_s3(place) and (line := _not_listed(settings, place))]
        state: State = "broken" if closed else "ok" if there else "off"
        if named:
            yield Finding(part, state, "; ".join(closed or told))


def _not_listed(settings: Settings, place: str) -> str | None:
    """What is wrong with a bucket that is only read; None where it can be listed."""
    from resonate_resources.storage.resource import S3Resource
    from resonate_resources.storage.s3_store import on_one_line

    bucket, _, prefix = place[len("s3://") :].partition("/")
    try:
        with on_one_line(place):
            client = S3Resource(endpoint_url=settings.s3_endpoint).get_client()
            client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
    except OSError as error:
        return trouble(error, place)
    return None


def _engines(settings: Settings) -> Iterator[Finding]:
    from resonate_resources.separation.resource import SeparationResource

    seen: set[str] = set()
    for facts in SeparationResource(database=settings.database_url).survey():
        name = f"{facts.name}:{facts.model}" if facts.model else facts.name
        if name in seen:
            continue
        seen.add(name)
        yield Finding(
            f"engine {name}", "off" if facts.unavailable else "ok", facts.unavailable or "runs here"
        )


def _first_line(error: Exception) -> str:
    return " ".join((str(error).splitlines() or [type(error).__name__])[0].split())
