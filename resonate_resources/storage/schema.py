"""The tables of the shared database are those of this version of Resonate: a database of an earlier one is brought
up by Alembic, without losing a row, and one of a later one is refused."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import sqlalchemy as sa

VERSION_TABLE = "resonate_version"
"""Not Alembic's own name: Dagster's tables, with a version of theirs, may lie in the same database."""

_MIGRATIONS = Path(__file__).parent / "migrations"


class VersionError(Exception):
    """A database that a later version of Resonate has changed, or of which nobody knows the version. One line."""


@cache
def _known() -> tuple[str, ...]:
    names = (file.stem for file in (_MIGRATIONS / "versions").glob("v[0-9]*_*.py"))
    return tuple(sorted(name.partition("_")[0].removeprefix("v") for name in names))


def latest() -> str:
    """The version of the tables that this version of Resonate works with."""
    return _known()[-1]


def version_of(connection: sa.Connection) -> str | None:
    """The version of a database's tables; None where it has none yet, or those of before there were versions; empty
    where the row that tells it is gone."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    query = sa.select(sa.column("version_num", sa.Text)).select_from(sa.table(VERSION_TABLE))
    return connection.execute(query).scalar() or ""


def bring_up(connection: sa.Connection) -> None:
    """Give a database the tables of this version. In a transaction in which nobody else does so: whole, or not at
    all. Raises VersionError, with nothing changed."""
    version = version_of(connection)
    if version == latest():
        return
    if version is not None and version > latest():
        raise VersionError(
            f"its tables have version {version}, and this Resonate knows those up to {latest()}; "
            "install the Resonate that last used it"
        )
    if version is not None and version not in _known():
        raise VersionError(
            f"its table {VERSION_TABLE} says {version!a}, which is no version; restore a copy of the database, or "
            f"write {latest()} there if this Resonate has used it before"
        )
    # An up-to-date database, of which there are many transactions, does without.
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "resonate_resources.storage:migrations")
    command.upgrade(config, "head")
