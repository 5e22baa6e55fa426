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
from typing import TYPE_CHECKING

import click
from sqlalchemy.exc import SQLAlchemyError

from resonate_assets.settings import MARKER, Settings, SettingsError, check_folder, default_home, is_home
from resonate_resources.storage.database import transaction
from resonate_resources.storage.heartbeats import Watch
from resonate_resources.storage.pools import runs_at_once
from resonate_studio.terminal import plain

if TYPE_CHECKING:
    import dagster as dg  # takes a second: what asks the tables alone does without

_LOOK_SECONDS = 5.0
_MARK = "A home of Resonate: everything below belongs together. docs/operations.md tells what is what.\n"
_log = logging.getLogger(__name__)


def settings_for(home: Path | None) -> Settings:
    """Settings from the environment. A home that is given takes the place of RESONATE_HOME, and its Dagster
    instance lives in it, wherever DAGSTER_HOME points. Raises ClickException where one can't be honoured."""
    try:
        if home is not None:
            check_folder("--home", str(home))
            os.environ["RESONATE_HOME"] = str(home.absolute())
            os.environ.pop("DAGSTER_HOME", None)
        settings = Settings.from_environment()
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    context = click.get_current_context(silent=True)
    if context is not None:
        context.meta[__name__] = settings
    return settings


def spoken_of(context: click.Context) -> str | None:
    """Which home a command spoke of, in one line; None where it was the default one, and nothing lies elsewhere."""
    settings: Settings | None = context.meta.get(__name__)
    if settings is None:
        return None
    places = [f"home: {plain(str(settings.home))}"] if settings.home != default_home() else []
    if settings.storage != str(settings.home):
        places.append(f"storage: {plain(settings.storage)} (RESONATE_STORAGE)")
    return ", ".join(places) or None


def require_home(settings: Settings, *, with_database: bool = True) -> None:
    """For commands that only look: a home that is not there, or what it keeps elsewhere, is told, not made. One of
    which nothing is kept on this machine, as a host of many has it, is made: it is for what passes. Raises
    ClickException."""
    if settings.database and settings.database_file is None and settings.storage_folder is None:
        try:
            make_home(settings)
        except OSError as error:
            told = (error.strerror or str(error)).lower()
            raise click.ClickException(f"{plain(str(settings.home))}: can't be made ({told})") from error
        return
    signs = settings.home / "artefacts", instance_directory(settings) / "history"
    if not (is_home(settings.home) or any(sign.is_dir() for sign in signs)):
        raise click.ClickException(
            f"{plain(str(settings.home))}: no library is kept there; `resonate process FILE` begins one"
        )
    require_storage(settings)
    database = settings.database_file
    if with_database and database is not None and not database.is_file():
        raise click.ClickException(
            f"RESONATE_DATABASE: {plain(str(database))} is not there; see whether it is mounted, or meant"
        )


def require_storage(settings: Settings) -> None:
    """Storage that is not there is told: what is looked for in it would be taken for lost. Raises
    ClickException."""
    if (storage := settings.storage_folder) is not None and not storage.is_dir():
        raise click.ClickException(
            f"RESONATE_STORAGE={plain(settings.storage)}: is not there; see whether it is mounted, or meant"
        )


def require_writable_storage(settings: Settings) -> None:
    """For what works without anybody who reads its failures. Raises ClickException."""
    storage = settings.storage_folder
    if storage is not None and not os.access(storage, os.W_OK | os.X_OK):
        raise click.ClickException(
            f"RESONATE_STORAGE={plain(settings.storage)}: can't be written to; see to permission there, "
            "or give another folder"
        )


def instance_directory(settings: Settings) -> Path:
    """Where the Dagster instance of a home is: DAGSTER_HOME, else `<home>/dagster_home`."""
    return Path(os.environ.get("DAGSTER_HOME") or settings.home / "dagster_home").expanduser().absolute()


def make_home(settings: Settings) -> None:
    """The folder, and the file by which it is known. Raises OSError."""
    settings.home.mkdir(parents=True, exist_ok=True)
    if not (settings.home / MARKER).is_file():
        (settings.home / MARKER).write_text(_MARK, "utf-8")


def _make_storage(settings: Settings) -> None:
    storage = settings.storage_folder
    if storage is None or storage == settings.home:
        return
    try:
        storage.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        told = (error.strerror or str(error)).lower()
        raise click.ClickException(
            f"RESONATE_STORAGE={plain(settings.storage)}: can't be made ({told}); "
            "give a folder that can be written to, or s3://bucket/prefix"
        ) from error


@contextmanager
def open_instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of a home (DAGSTER_HOME, or `<home>/dagster_home`), made at first use.

    While it is open, runs that were killed are reported failed, whoever began them. Raises OSError and
    SQLAlchemyError where the home or its databases can't be used, ClickException where storage can't be made.
    """
    from resonate_studio.dagster_storage import open_storage

    _make_storage(settings)
    make_home(settings)
    with transaction(settings.database_url):  # one that can't be used is known before anything is begun
        pass
    directory = instance_directory(settings)
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
    from resonate_assets.runs import report_dead_runs

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
