"""`resonate dev`: Dagster's web UI and the daemon for one home, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import TYPE_CHECKING

import click

from resonate_studio.requirements import require_all
from resonate_studio.terminal import HOME, Command, plain

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from resonate_assets.settings import Settings
    from resonate_studio.service_log import ServiceLog
    from resonate_studio.services import Services

_HOST = "127.0.0.1"
_UP_SECONDS = 120.0
_LOOK_SECONDS = 0.2
_WORKER_SECONDS = 2.0
_LAST_LINES = 15
"""Of the log, where the services have ended by themselves: the end of a traceback."""
_STOPPED = "stopped together with the web UI, which asks for it again at its next start"


class _StoppedError(BaseException):
    """Ctrl-C or SIGTERM has come. Derived so that nothing on the way takes it for a failure."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@click.command(cls=Command)
@HOME
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Of the web UI.")
@click.option(
    "--verbose", is_flag=True, help="Show what Dagster's services say, which else goes into a file."
)
def dev(home: Path | None, port: int, verbose: bool) -> None:
    """Watch the inbox and show the web UI, until Ctrl-C or SIGTERM: then all of it is gone within seconds, and what
    was under way goes on at the next start."""
    with _told_by_signals():
        try:
            code = _run(home, port, verbose)
        except _StoppedError as stopped:
            code = 128 + stopped.number
    sys.exit(code)


def _run(home: Path | None, port: int, verbose: bool) -> int:
    from resonate_studio.home import (
        instance_directory,
        open_instance,
        require_writable_storage,
        settings_for,
    )
    from resonate_studio.service_log import ServiceLog
    from resonate_studio.services import Services, to_stderr

    require_all()
    settings = settings_for(home)
    _require_free(port)
    level = "info" if verbose else "warning"
    command = [
        *(sys.executable, "-m", "dagster", "dev", "--host", _HOST, "--port", str(port)),
        *("--log-level", level, "--code-server-log-level", level, "-m", "resonate_assets.definitions"),
    ]
    with ExitStack() as stack:
        with open_instance(settings) as instance:
            require_writable_storage(settings)
            Path(settings.inbox).mkdir(parents=True, exist_ok=True)
            log = None if verbose else stack.enter_context(closing(ServiceLog(instance_directory(settings))))
            with log.said_here() if log else nullcontext():
                instance.upgrade(lambda _: None)  # of a home that an earlier Dagster made
        if log:
            click.echo(f"what services say   {plain(str(log.file))}")
        instance_at = stack.enter_context(_plain_path(instance_directory(settings)))
        environment = {"RESONATE_HOME": str(settings.home), "DAGSTER_HOME": str(instance_at)}
        services = Services(command, os.environ | environment, log.write if log else to_stderr)
        stack.callback(_end, services, settings)
        _wait_until_up(services, port)
        if services.ended() is None:
            click.echo(f"drop files into     {plain(settings.inbox)}")
            click.echo(f"see them worked on  http://{_HOST}:{port}")
            click.echo(f"take away from      {plain(settings.storage)}/exports")
            click.echo("stop with           Ctrl-C")
        while (code := services.ended()) is None:
            time.sleep(_LOOK_SECONDS)
        services.heard_out()
        click.echo("Dagster's services have ended by themselves" + _last_said(log), err=True)
        return code or 1


def _last_said(log: ServiceLog | None) -> str:
    if log is None:
        return ""
    return "\n".join([f"; the last of {plain(str(log.file))}:", *log.last_lines(_LAST_LINES)])


@contextmanager
def _plain_path(directory: Path) -> Iterator[Path]:
    """A path of a directory that Dagster can put into a URL as it is, which it does with its DAGSTER_HOME: in one
    called `what?` or `100%41` its services would not find their databases."""
    if re.fullmatch(r"[^?%#\udc80-\udcff]+", str(directory)):
        yield directory
        return
    with TemporaryDirectory(prefix="resonate-dagster-home-") as folder:
        link = Path(folder) / "dagster_home"
        link.symlink_to(directory)
        yield link


def _end(services: Services, settings: Settings) -> None:
    with _deaf():
        click.echo("stopping", err=True)
        at_work = services.processes()
        services.end()
        _end_worker()
        stopped = _report_stopped(settings, at_work)
        for track in stopped:
            click.echo(f"stopped in its midst: {track}", err=True)
        click.echo("stopped" + ("; at the next start it goes on" if stopped else ""), err=True)


def _report_stopped(settings: Settings, processes: set[int]) -> list[str]:
    """Runs of these processes, which are no more, are reported failed at once: the automation asks for what failed
    again, and nobody waits for the dead. Gives their tracks."""
    import dagster as dg
    from sqlalchemy.exc import SQLAlchemyError

    from resonate_assets.runs import PARTITION_TAG
    from resonate_resources.storage.heartbeats import HOST, end_of, heartbeats
    from resonate_studio.home import open_instance

    stopped = []
    try:
        with open_instance(settings) as instance:
            beats = heartbeats(settings.database_url, "run")
            gone = {one.name for one in beats if one.host == HOST and one.pid in processes}
            others = {one.name for one in beats} - gone
            launched = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED])
            for run in instance.get_runs(launched):
                # On one machine the daemon is the only one who launches, and it is gone, too.
                if run.run_id in gone or (_is_alone(instance) and run.run_id not in others):
                    instance.report_run_failed(run, _STOPPED)
                    stopped.append(run.tags.get(PARTITION_TAG, run.job_name))
            end_of(settings.database_url, processes)
    except (SQLAlchemyError, OSError) as error:
        click.echo(
            f"runs could not be reported stopped ({error}); that is found out at the next start", err=True
        )
    return sorted(stopped)


def _is_alone(instance: DagsterInstance) -> bool:
    """Whether no other machine can share the instance."""
    from dagster._core.storage.runs.sqlite import SqliteRunStorage

    return isinstance(instance.run_storage, SqliteRunStorage)


def _end_worker() -> None:
    """The process that keeps a model warm for all of this user's runs: whoever still wants it starts it again."""
    import threading

    from resonate_resources.separation.audio_separator.engine import WORKER

    if WORKER.available() is None:
        ending = threading.Thread(target=WORKER.stop, daemon=True)
        ending.start()
        ending.join(_WORKER_SECONDS)


def _wait_until_up(services: Services, port: int) -> None:
    until = time.monotonic() + _UP_SECONDS
    while time.monotonic() < until and services.ended() is None:
        with suppress(OSError), urllib.request.urlopen(f"http://{_HOST}:{port}/server_info", timeout=5):
            return
        time.sleep(_LOOK_SECONDS)


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            raise click.ClickException(
                f"port {port} is taken: another `resonate dev` may be running; or choose another with --port"
            ) from error


@contextmanager
def _told_by_signals() -> Iterator[None]:
    """Ctrl-C and SIGTERM raise in the main thread, which here only ever waits."""

    def stop(number: int, _: FrameType | None) -> None:
        raise _StoppedError(number)

    earlier = {
        number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


@contextmanager
def _deaf() -> Iterator[None]:
    """Whoever asks a second time does not leave half of it behind: it is over in seconds."""
    heard = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in heard.items():
            signal.signal(number, handler)
