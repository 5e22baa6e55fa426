"""The side of a worker: long-lived processes that carry out runs one after another, with what they have loaded.

A message is acknowledged once its run has ended, so that one whose worker goes is delivered to another. A run is
taken by its heartbeat: whoever gets a message too many finds that, or a run that has begun or ended, and does
nothing. A worker whose disk is full takes none, as it would fail one after another. A run that had begun when its
worker went is reported failed by the sensor `dead_runs`, and retried by Dagster, as often as `dagster.yaml` has it.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NoReturn

import dagster as dg
from celery import Celery
from celery.signals import after_setup_logger, after_setup_task_logger, worker_process_init
from dagster._cli.api import _execute_run_command_body
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import unpack_value
from dagster._utils import send_interrupt
from dagster._utils.interrupts import capture_interrupts
from dagster_celery.config import TASK_EXECUTE_JOB_NAME
from packaging.version import Version

from resonate_assets.logs import log_as_asked
from resonate_assets.run_queue.launcher import app_of
from resonate_assets.run_queue.queues import QUEUE_TAG, VERSION, VERSION_TAG
from resonate_assets.runs import ENDED, PARTITION_TAG
from resonate_assets.settings import Settings
from resonate_resources.machines.ledger import spent_today
from resonate_resources.storage.heartbeats import Heartbeat, holding
from resonate_resources.watching.json_lines import JsonLines, wanted

IDLE_SECONDS: Final = 600.0
"""Row U11 of the requirements: ten minutes. Then a process that has carried out a run gives back its memory."""
_LOOK_SECONDS: Final = 2.0
_LEFT_SECONDS: Final = 5.0
"""For other workers to take what this one leaves."""
_REPORT_SECONDS: Final = 600.0
"""For a database that is away to come back, so that a run's end is known. Then heartbeats tell it."""
_AGAIN_SECONDS: Final = 5.0
_WAITING: Final = (dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.NOT_STARTED)
_log = logging.getLogger(__name__)


class _TakenError(Exception):
    """Another process has the run."""


def worker_app(broker: str, idle_seconds: float = IDLE_SECONDS) -> Celery:
    """The application that `celery worker` runs."""
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it names its plug-ins
    app = app_of(broker)
    app.conf.update(
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_track_started=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,  # into its own log, where JSON lines of runs would be lost
        # Whoever has lost the broker goes on; the second message of its run does nothing.
        worker_cancel_long_running_tasks_on_connection_loss=False,
    )

    def execute_job(execute_job_args_packed: Any) -> str:
        _idle.at_work()
        try:
            return carry_out(unpack_value(execute_job_args_packed, as_type=ExecuteRunArgs).run_id)
        finally:
            _idle.since_now()

    app.task(name=TASK_EXECUTE_JOB_NAME)(execute_job)
    worker_process_init.connect(lambda **_: _idle.watch(idle_seconds), weak=False)
    worker_process_init.connect(lambda **_: log_as_asked(), weak=False)
    for made in (after_setup_logger, after_setup_task_logger):
        made.connect(_on_one_line, weak=False)
    return app


def _on_one_line(logger: logging.Logger, **_: object) -> None:
    """What Celery, Dagster and SQLAlchemy say of a server that is away: its first line, without where in the code
    it was met. A run's own errors are whole in its events. As JSON where that is asked for."""

    def first_line(record: logging.LogRecord) -> bool:
        line = next(iter(record.getMessage().strip().splitlines()), "")
        record.msg, record.args = line, None
        record.exc_info = record.exc_text = record.stack_info = None
        return True

    for handler in logger.handlers:
        handler.addFilter(first_line)
        if wanted():
            handler.setFormatter(JsonLines())


def carry_out(run_id: str) -> str:
    """Execute a run that waits to be; gives what became of it, in a word. One that a newer Resonate asked for is
    left, and handed over again; so is one for the GPU on a day whose cap is reached, any where the disk is full,
    and one for which the database raises what it may, before it begins."""
    with dg.DagsterInstance.get() as instance:
        run = instance.get_run_by_id(run_id)
        if run is None:
            return "unknown"
        if Version(asked_by := run.tags.get(VERSION_TAG, VERSION)) > Version(VERSION):
            return _left(run_id, f"was asked for by Resonate {asked_by}, and this worker is {VERSION}")
        if not _has_room():
            return _left(run_id, "is left to other workers: the disk of RESONATE_HOME is full here")
        try:
            with _taken(run):
                # Asked for after the heartbeat: gpu_machine writes down what the day cost, and then looks who is at
                # work. So either the cap is seen here, or the run there.
                reason = _capped(run)
                if not reason:
                    return _execute(instance, run_id)
        except _TakenError:
            return "taken"
        return _left(run_id, reason)


def _left(run_id: str, reason: str) -> str:
    _log.warning("run %s %s", run_id, reason)
    time.sleep(_LEFT_SECONDS)
    return "left"


def _capped(run: dg.DagsterRun) -> str:
    """Why a run for the GPU does not begin on this day; empty where it may."""
    settings = Settings.from_environment()
    if run.tags.get(QUEUE_TAG) != "gpu" or settings.gpu is None:
        return ""
    over = spent_today(settings.database_url) >= settings.gpu.day_cap
    return f"waits: the cap of {settings.gpu.day_cap:g} a day is reached" if over else ""


def _has_room() -> bool:
    """Whether a track could be decoded here at all, by RESONATE_KEEP_FREE_GIB."""
    settings = Settings.from_environment()
    settings.home.mkdir(parents=True, exist_ok=True)
    return settings.limits.has_room(settings.home, 0)


@contextmanager
def _taken(run: dg.DagsterRun) -> Iterator[None]:
    def full(_: list[Heartbeat]) -> NoReturn:
        raise _TakenError

    url = Settings.from_environment().database_url
    with holding(url, "run", run.run_id, 1, track=run.tags.get(PARTITION_TAG), full=full):
        yield


def _execute(instance: dg.DagsterInstance, run_id: str) -> str:
    run = instance.get_run_by_id(run_id)  # as it is now that nobody else can begin it
    assert run is not None
    if run.status == dg.DagsterRunStatus.CANCELING:
        instance.report_run_canceled(run)
        return "cancelled"
    if run.status not in _WAITING:
        return "begun"
    ended = threading.Event()
    watch = threading.Thread(target=_interrupt_if_cancelled, args=(instance, run_id, ended), daemon=True)
    with capture_interrupts():
        watch.start()
        try:
            _execute_run_command_body(run_id, instance, lambda _: None, set_exit_code_on_failure=False)
        except Exception as error:  # the database was away when the run's end was to be written down
            _log.warning("run %s: %s", run_id, error)
        finally:
            ended.set()
            watch.join()
    _see_that_it_has_ended(instance, run_id)
    return "carried out"


def _see_that_it_has_ended(instance: dg.DagsterInstance, run_id: str) -> None:
    """A run whose end could not be written down is reported failed once that can be."""
    until = time.monotonic() + _REPORT_SECONDS
    while True:
        try:
            run = instance.get_run_by_id(run_id)
            if run is not None and run.status not in ENDED:
                instance.report_run_failed(run, "it ended while Dagster's database could not be used")
            return
        except Exception as error:
            if time.monotonic() > until:
                raise
            _log.warning("run %s: its end can't be written down yet (%s)", run_id, error)
            time.sleep(_AGAIN_SECONDS)


def _interrupt_if_cancelled(instance: dg.DagsterInstance, run_id: str, ended: threading.Event) -> None:
    """One that was taken for dead meanwhile goes on: what it makes counts (see `heartbeats`)."""
    while not ended.wait(_LOOK_SECONDS):
        try:
            run = instance.get_run_by_id(run_id)
        except Exception as error:  # the run itself meets the same, and tells it
            _log.warning("run %s: can't be looked at (%s)", run_id, error)
            continue
        if run is None or run.status in (dg.DagsterRunStatus.CANCELING, dg.DagsterRunStatus.CANCELED):
            send_interrupt()
            return


class _Idle:
    """Ends this process once it has been idle for long after a run: Celery puts a fresh one in its place, and what
    was loaded is given back whole, which no allocator does."""

    def __init__(self) -> None:
        self._since: float | None = None

    def at_work(self) -> None:
        self._since = None

    def since_now(self) -> None:
        self._since = time.monotonic()

    def watch(self, seconds: float) -> None:
        def look() -> None:
            while self._since is None or time.monotonic() - self._since < seconds:
                time.sleep(min(_LOOK_SECONDS, seconds))
            _log.info("idle for %.0f s: memory is given back", seconds)
            os._exit(0)

        self._since = None
        threading.Thread(target=look, name="idle", daemon=True).start()


_idle = _Idle()
