"""`resonate run-worker` and `resonate daemon`: what stands on the machines of an installation that has many."""

from __future__ import annotations

import os
import time
import uuid
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING

import click
from sqlalchemy.exc import SQLAlchemyError

from resonate_resources.storage.heartbeats import DEAD_AFTER_SECONDS, HOST, Heartbeat, heartbeats, holding
from resonate_resources.watching.json_lines import as_json_line, wanted
from resonate_studio.daemon_program import CODE, daemon_command
from resonate_studio.foreground import until_stopped
from resonate_studio.services import Services, to_stderr

if TYPE_CHECKING:
    from resonate_assets.settings import Settings

_LOOK_SECONDS = 5.0
_QUEUE = click.Choice(["cpu", "gpu", "cloud"])


@click.command("run-worker")
@click.option(
    "--queue", "queues", type=_QUEUE, multiple=True, default=["cpu"], show_default=True, help="Or several."
)
@click.option("--at-once", type=click.IntRange(1, 64), default=1, show_default=True, help="Runs at a time.")
@click.option(
    "--idle-seconds",
    type=click.FloatRange(min=1),
    default=600,
    show_default=True,
    help="After so long without a run, the memory of loaded models is given back.",
)
def run_worker(queues: tuple[str, ...], at_once: int, idle_seconds: float) -> None:
    """Carry out runs that wait in queues of the broker, one after another, and keep models loaded between them.

    RESONATE_BROKER names RabbitMQ. SIGTERM: the runs at work are carried out to their end, and no other is begun.
    """
    if find_spec("dagster_celery") is None:
        raise click.ClickException("dagster-celery is not installed: pip install 'resonate-studio[cluster]'")
    from resonate_assets.run_queue.worker import worker_app

    _settings(broker=True)
    app = worker_app(os.environ["RESONATE_BROKER"], idle_seconds)
    app.worker_main(
        [
            *("worker", "--queues", ",".join(dict.fromkeys(queues)), "--concurrency", str(at_once)),
            *(
                "--hostname",
                f"{uuid.uuid4().hex[:12]}@{HOST}",
                "--loglevel",
                "INFO",
                "--prefetch-multiplier",
                "1",
            ),
            *("--without-gossip", "--without-mingle"),
        ]
    )


@click.command()
@click.option(
    "--module",
    "modules",
    multiple=True,
    default=[CODE],
    show_default=True,
    help="With Dagster's definitions. Or several.",
)
def daemon(modules: tuple[str, ...]) -> None:
    """Dagster's daemon: sensors, schedules, automation, the queue of runs. Of several, on whatever machines, one is
    at work; another takes over within a minute when that is gone. Dagster itself allows for one only."""
    url, told = _settings(broker=bool(os.environ.get("RESONATE_BROKER"))).database_url, set[str]()
    try:
        heartbeats(url, "daemon")
    except SQLAlchemyError as error:  # a mistake in a setting, perhaps, rather than a server that is away
        raise click.ClickException(str(error)) from error
    _require_instance()

    def full(holders: list[Heartbeat]) -> None:
        where = holders[0].host if holders else ""
        if where not in told:
            told.add(where)
            click.echo(f"the daemon on {where} is at work; standing by", err=True)

    def run() -> int:
        with holding(url, "daemon", "daemon", 1, full=full), daemon_command("info", modules) as command:
            click.echo("at work", err=True)
            services = Services(command, os.environ, _as_json if wanted() else to_stderr)
            try:
                return _watched(services, url)
            finally:
                services.end()

    def run_or_stand_by() -> int:
        while True:
            try:
                return run()
            except SQLAlchemyError as error:
                click.echo(f"standing by still ({error})", err=True)
                time.sleep(_LOOK_SECONDS)

    until_stopped(run_or_stand_by)


def _as_json(line: bytes) -> None:
    to_stderr(f"{as_json_line(line.decode('utf-8', 'backslashreplace').rstrip())}\n".encode())


def _settings(broker: bool) -> Settings:
    """All that runs go by, before the first one does. Raises ClickException, with one line."""
    from resonate_assets.run_queue.queues import broker_url, served
    from resonate_assets.settings import SettingsError
    from resonate_studio.home import settings_for

    try:
        if broker:
            broker_url(os.environ.get("RESONATE_BROKER", ""))
        served()
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    return settings_for(None)


def _require_instance() -> None:
    """Dagster's daemon would tell by a traceback that it has none. Raises ClickException, with one line."""
    import dagster as dg

    from resonate_studio.trouble import trouble_of_instance

    try:
        with dg.DagsterInstance.get():
            pass
    except Exception as error:  # whatever a configuration may name
        raise click.ClickException(f"DAGSTER_HOME: {trouble_of_instance(error)}") from error


def _watched(services: Services, url: str) -> int:
    """Until it ends, or there is another: one that stood still for long was taken for dead, and has come back."""
    while (code := services.ended()) is None:
        time.sleep(_LOOK_SECONDS)
        with suppress(SQLAlchemyError):  # a database that restarts
            there = [each for each in heartbeats(url, "daemon") if each.age <= DEAD_AFTER_SECONDS]
            first = min(there, key=lambda each: each.id, default=None)
            if first is not None and (first.host, first.pid) != (HOST, os.getpid()):
                click.echo(f"the daemon on {first.host} has taken over", err=True)
                return 1
    return code
