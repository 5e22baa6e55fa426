"""The tables of the shared database are those of this version of Resonate: a database of an earlier one is brought
up by Alembic, without losing a row, and one of a later one is refused."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import sqlalchemy as sa

VERSION_TABLE = "resonate_version"
"""Not Alembic's own name: Dagster's tables, with a version of theirs, may lie in the same database."""

_MIGRATIONS = Path(__file__).parent / "migrations"


class LaterVersionError(Exception):
    """A database that a later version of Resonate has changed. One line."""


@cache
def latest() -> str:
    """The version of the tables that this version of Resonate works with."""
    names = (file.stem for file in (_MIGRATIONS / "versions").glob("v[0-9]*_*.py"))
    return max(name.partition("_")[0].removeprefix("v") for name in names)


def version_of(connection: sa.Connection) -> str | None:
    """The version of a database's tables; None where it has none yet, or those of before there were versions."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    query = sa.select(sa.column("version_num", sa.Text)).select_from(sa.table(VERSION_TABLE))
    return connection.execute(query).scalar()


def bring_up(connection: sa.Connection) -> None:
    """Give a database the tables of this version. In a transaction in which nobody else does so: whole, or not at
    all. Raises LaterVersionError, with nothing changed."""
    version = version_of(connection)
    if version == latest():
        return
    if version is not None and version > latest():
        raise LaterVersionError(
            f"its tables have version {version}, and this Resonate knows those up to {latest()}; "
            "install the Resonate that last used it"
        )
    # An up-to-date database, of which there are many transactions, does without.
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "resonate_resources.storage:migrations")
    command.upgrade(config, "head")
