"""Whether what an installation stands on can be used from here: its database, its storage, and a daemon."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, NamedTuple

import click
from sqlalchemy.exc import SQLAlchemyError

from resonate_resources.storage.heartbeats import heartbeats
from resonate_studio.home import require_storage, require_writable_storage
from resonate_studio.trouble import trouble

if TYPE_CHECKING:
    import dagster as dg

    from resonate_assets.settings import Settings
    from resonate_resources.storage.store import Store

_LISTED = "library"
"""A folder that is listed: whether there is anything does not matter. Asked about a key, S3 answers alike where
that is not there and where its bucket is not."""


class Trouble(NamedTuple):
    """what: is wrong, for anybody; why: with places, for who runs it."""

    what: str
    why: str


def troubles(settings: Settings, store: Store, instance: dg.DagsterInstance | None = None) -> list[Trouble]:
    """What can't be used now; nothing where all is well. instance: where a daemon is asked about, too."""
    from resonate_studio.api.launching import DAEMON_FRESH_SECONDS

    found, beating = [], False
    try:
        daemons = heartbeats(
            settings.database_url, "daemon"
        )  # by its clock, whatever that of the daemon says
        beating = any(one.age < DAEMON_FRESH_SECONDS for one in daemons)
    except (SQLAlchemyError, OSError) as error:
        found.append(Trouble("the database can't be used", trouble(error)))
    try:
        require_storage(settings)
        require_writable_storage(settings)
        next(iter(store.entries(_LISTED)), None)
    except click.ClickException as error:
        found.append(Trouble("storage can't be used", error.message))
    except OSError as error:
        found.append(Trouble("storage can't be used", trouble(error)))
    if instance is not None:
        found += _of_daemon(instance, beating)
    return found


def _of_daemon(instance: dg.DagsterInstance, beating: bool) -> list[Trouble]:
    from resonate_studio.api.launching import runs_are_carried_out

    try:
        if runs_are_carried_out(instance) or beating:
            return []
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        return [Trouble("Dagster's database can't be used", trouble(error))]
    told = "no daemon has shown a sign of life for a minute"
    return [
        Trouble(
            told, f"{told}: start `resonate daemon`, or on one machine `resonate studio` or `resonate dev`"
        )
    ]
