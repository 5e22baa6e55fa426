"""A home: the directory in which one instance of Resonate lives, its Dagster instance included."""

from __future__ import annotations

import fcntl
import logging
import os
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.resources import files
from pathlib import Path

import dagster as dg
from sqlalchemy.exc import SQLAlchemyError

from resonate_assets.runs import report_dead_runs
from resonate_assets.settings import Settings
from resonate_resources.storage.heartbeats import Watch
from resonate_resources.storage.pools import runs_at_once
from resonate_studio.dagster_storage import open_storage

_LOOK_SECONDS = 5.0
_log = logging.getLogger(__name__)


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

    While it is open, runs that were killed are reported failed, whoever began them.
    """
    directory = Path(os.environ.get("DAGSTER_HOME") or settings.home / "dagster_home").absolute()
    directory.mkdir(parents=True, exist_ok=True)
    os.environ["DAGSTER_HOME"] = str(directory)
    # Two processes that create the databases at once trip over each other.
    with (directory / ".resonate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        config = directory / "dagster.yaml"
        there = config.read_text("utf-8") if config.exists() else None
        wanted = (
            _for_this_machine((files("dagster_home") / "dagster.yaml").read_text("utf-8"))
            if there is None
            else _without_old_launcher(there)
        )
        if wanted != there:
            partial = config.with_suffix(".partial")  # half of it would be taken for all of it ever after
            partial.write_text(wanted, "utf-8")
            partial.replace(config)
        instance = open_storage(directory)
        instance.get_dynamic_partitions("tracks")
        fcntl.flock(lock, fcntl.LOCK_UN)
    kept_open = _held_open(directory / "history" / "runs.db")
    with instance, kept_open, _watching(instance, settings.database_url):
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
def _watching(instance: dg.DagsterInstance, database: str) -> Iterator[None]:
    """Report runs that were killed for as long as this command is at work, as the daemon does: it may not run."""
    ended = threading.Event()

    def look() -> None:
        watch = Watch()
        while not ended.wait(_LOOK_SECONDS):
            try:
                for line in report_dead_runs(instance, database, watch):
                    _log.warning(line)
            except (SQLAlchemyError, OSError) as error:
                _log.warning("runs could not be looked after (%s)", error)

    thread = threading.Thread(target=look, name="dead runs", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _for_this_machine(config: str) -> str:
    """The configuration of the package, with as many runs at once as keep this machine busy."""
    changed, count = re.subn(r"(?m)^(\s+max_concurrent_runs:) \d+", rf"\g<1> {runs_at_once()}", config)
    if count != 1:
        raise ValueError("dagster.yaml of the package has no max_concurrent_runs")
    return changed


def _without_old_launcher(config: str) -> str:
    """Homes of earlier versions name a run launcher of ours, which is gone."""
    return re.sub(
        r"(?m)^run_launcher:.*\n\s+module: resonate_studio\.run_launcher\n\s+class: .*\n+", "", config
    )
