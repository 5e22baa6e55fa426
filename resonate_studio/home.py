"""A home: the directory in which one instance of Resonate lives, its Dagster instance included."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.resources import files
from pathlib import Path

import dagster as dg
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from resonate_assets.settings import Settings
from resonate_studio.dagster_storage import open_storage

_LOCKED = {"resonate/alive": "locked"}
"""Tags of a run that holds its lock for as long as it lives."""


def settings_for(home: Path | None) -> Settings:
    """Settings from the environment, with everything below another home where one is given."""
    if home is not None:
        os.environ["RESONATE_HOME"] = str(home.absolute())
        for moved in ("RESONATE_STORAGE", "RESONATE_INBOX", "RESONATE_DATABASE", "DAGSTER_HOME"):
            os.environ.pop(moved, None)
    return Settings.from_environment()


@contextmanager
def open_instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of a home (DAGSTER_HOME, or `<home>/dagster_home`), made at first use.

    Runs of command lines that were killed are closed first: nothing else would, and they hold pool slots.
    """
    directory = Path(os.environ.get("DAGSTER_HOME") or settings.home / "dagster_home").absolute()
    directory.mkdir(parents=True, exist_ok=True)
    os.environ["DAGSTER_HOME"] = str(directory)
    # Two processes that create the databases at once trip over each other.
    with (directory / ".resonate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        config = directory / "dagster.yaml"
        if not config.exists():
            partial = config.with_suffix(".partial")  # half of it would be taken for all of it ever after
            partial.write_bytes((files("dagster_home") / "dagster.yaml").read_bytes())
            partial.replace(config)
        instance = open_storage(directory)
        instance.get_dynamic_partitions("tracks")
        fcntl.flock(lock, fcntl.LOCK_UN)
    with instance, _held_open(directory / "history" / "runs.db"):
        _close_killed_runs(instance)
        yield instance


@contextmanager
def _held_open(database: Path) -> Iterator[None]:
    """Hold a SQLite database open that Dagster opens anew for every question: whoever is the last to close one in
    WAL mode writes its whole log back."""
    if not database.exists():  # another storage may be configured
        yield
        return
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        yield


@contextmanager
def alive(run_id: str) -> Iterator[dict[str, str]]:
    """Show that a run is alive for as long as the block lasts. Gives the tags the run must have.

    A lock: the kernel lets go of it however the process ends, and no other process is ever taken for this one, as
    happens with process ids (in containers, each life of which has the same ones, all the time).
    """
    path = _lock(run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield dict(_LOCKED)
        finally:
            path.unlink()


def _lock(run_id: str) -> Path:
    return Path(os.environ["DAGSTER_HOME"], "alive", run_id)


def _was_killed(run_id: str) -> bool:
    try:
        with _lock(run_id).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return True
    except BlockingIOError:
        return False
    _lock(run_id).unlink(missing_ok=True)
    return True


def _close_killed_runs(instance: dg.DagsterInstance) -> None:
    unfinished = dg.RunsFilter(statuses=list(NOT_FINISHED_STATUSES), tags=_LOCKED)
    for found in instance.get_runs(unfinished):
        if not _was_killed(found.run_id):
            continue
        run = instance.get_run_by_id(found.run_id)
        if run is not None and not run.is_finished:  # it may have ended since it was looked for
            instance.report_run_failed(run, "the process of this run was killed; process the track again")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
