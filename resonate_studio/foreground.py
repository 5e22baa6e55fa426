"""What is in the foreground until Ctrl-C or SIGTERM, and its end within seconds: the servers of `resonate dev` and
`resonate studio`, and what unwinds at once where it stands, as `resonate listen`."""

from __future__ import annotations

import errno
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from resonate_assets.settings import Settings
    from resonate_studio.services import Services

HOST = "127.0.0.1"
_WORKER_SECONDS = 2.0
_STOPPED = "stopped together with what carries out runs, which asks for it again at its next start"


class StoppedError(BaseException):
    """Ctrl-C or SIGTERM has come. Derived so that nothing on the way takes it for a failure."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def until_stopped(run: Callable[[], int]) -> NoReturn:
    """Run it, and leave with what it gives, or with 128 and the signal's number where one came."""
    with told_by_signals():
        try:
            code = run()
        except StoppedError as stopped:
            code = 128 + stopped.number
    sys.exit(code)


@contextmanager
def plain_path(directory: Path) -> Iterator[Path]:
    """A path of a directory that Dagster can put into a URL as it is, which it does with its DAGSTER_HOME: in one
    called `what?` or `100%41` its services would not find their databases."""
    if re.fullmatch(r"[^?%#\udc80-\udcff]+", str(directory)):
        yield directory
        return
    with TemporaryDirectory(prefix="resonate-dagster-home-") as folder:
        link = Path(folder) / "dagster_home"
        link.symlink_to(directory)
        yield link


def end_services(services: Services, settings: Settings) -> None:
    with deaf():
        click.echo("stopping", err=True)
        at_work, runs = services.processes(), _runs_at_work(settings)
        services.end()
        _end_workers()
        stopped = _report_stopped(settings, at_work, runs)
        for track in stopped:
            click.echo(f"stopped in its midst: {track}", err=True)
        click.echo("stopped" + ("; at the next start it goes on" if stopped else ""), err=True)


def _runs_at_work(settings: Settings) -> set[str]:
    """Ids of runs that were launched and are not over; none where the instance can't be asked."""
    import dagster as dg
    from sqlalchemy.exc import SQLAlchemyError

    from resonate_studio.home import open_instance

    launched = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED])
    try:
        with open_instance(settings) as instance:
            return {run.run_id for run in instance.get_runs(launched)}
    except (SQLAlchemyError, OSError):  # told when what was stopped is looked for
        return set()


def _report_stopped(settings: Settings, processes: set[int], at_work: set[str]) -> list[str]:
    """Runs of these processes, which are no more, are reported failed at once: the automation asks for what failed
    again, and nobody waits for the dead. Gives their tracks, and those of runs that were at work and had the time
    to report it themselves."""
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
            if own := sorted(at_work - others):
                failed = dg.RunsFilter(own, statuses=[dg.DagsterRunStatus.FAILURE])
                stopped += [run.tags.get(PARTITION_TAG, run.job_name) for run in instance.get_runs(failed)]
            end_of(settings.database_url, processes)
    except (SQLAlchemyError, OSError) as error:
        click.echo(
            f"runs could not be reported stopped ({error}); that is found out at the next start", err=True
        )
    return sorted(set(stopped))


def _is_alone(instance: DagsterInstance) -> bool:
    """Whether no other machine can share the instance."""
    from dagster._core.storage.runs.sqlite import SqliteRunStorage

    return isinstance(instance.run_storage, SqliteRunStorage)


def _end_workers() -> None:
    """The processes that keep models warm for all of this user's runs: whoever still wants one starts it again."""
    from resonate_resources.models.workers.client import stop_all

    stop_all(patience_seconds=_WORKER_SECONDS)


def require_free(port: int, option: str = "--port", host: str = HOST) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise click.ClickException(
                    f"{host}, port {port}: can't be listened on ({(error.strerror or str(error)).lower()})"
                ) from error
            raise click.ClickException(
                f"port {port} is taken: another `resonate dev` or `resonate studio` may be running; "
                f"or choose another with {option}"
            ) from error


@contextmanager
def told_by_signals() -> Iterator[None]:
    """Ctrl-C and SIGTERM raise in the main thread, which here waits, or is soon back from a library."""

    def stop(number: int, _: FrameType | None) -> None:
        raise StoppedError(number)

    earlier = {
        number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


@contextmanager
def deaf() -> Iterator[None]:
    """Whoever asks a second time does not leave half of it behind: it is over in seconds."""
    heard = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in heard.items():
            signal.signal(number, handler)
