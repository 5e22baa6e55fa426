"""The tables that were made at first use, before there were migrations: what is there is left as it is."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _create(
        "current_artefacts",
        sa.Column("track", sa.String(64), primary_key=True),
        sa.Column("stage", sa.String(64), primary_key=True),
        sa.Column("gone", sa.Boolean, nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("data_version", sa.String(64), nullable=False),
        sa.Column("code_version", sa.String(64), nullable=False),
        sa.Column("made_from", sa.Text, nullable=False),
        sa.Column("measures", sa.Text, nullable=False),
        sa.Column("engine", sa.Text, nullable=False),
        sa.Column("published_at", sa.Double, nullable=False),
        sa.Column("change", sa.BigInteger, nullable=False),
    )
    _index("current_artefacts", "change")
    _create(
        "current_changes",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("origin", sa.BigInteger, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("walked", sa.Boolean, nullable=False),
    )
    _create(
        "inbox_ledger",
        sa.Column("inbox", sa.String(12), primary_key=True),
        sa.Column("file", sa.String(32), primary_key=True),
        sa.Column("uri", sa.LargeBinary, nullable=False),
        sa.Column("fingerprint", sa.String(128), nullable=False),
    )
    _create("inboxes", sa.Column("inbox", sa.String(12), primary_key=True))
    _create(
        "tracks_by_content",
        sa.Column("content", sa.String(12), primary_key=True),
        sa.Column("track", sa.String(64), nullable=False),
    )
    _create(
        "attempts_of_tracks",
        sa.Column("track", sa.Text, primary_key=True),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("last_at", sa.Double, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("given_up", sa.Boolean, nullable=False),
    )
    _create(
        "heartbeats",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("track", sa.Text),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("beat_at", sa.Double, nullable=False),
    )
    _index("heartbeats", "name")
    _create(
        "lalal_jobs",
        sa.Column("key", sa.Text, primary_key=True, comment="the idempotency key"),
        sa.Column("work", sa.Text, nullable=False, comment="hash of the track and of what is asked for"),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("day", sa.Text, nullable=False, comment="on which the minutes count"),
        sa.Column("reserved_at", sa.Text, nullable=False),
        sa.Column("minutes", sa.Double, nullable=False),
        sa.Column("sent", sa.Boolean, nullable=False),
        sa.Column("source", sa.Text),
        sa.Column("task", sa.Text),
        sa.Column("closed", sa.Boolean, nullable=False),
    )
    _index("lalal_jobs", "day")


def _create(name: str, *columns: sa.Column[object]) -> None:
    op.create_table(name, *columns, if_not_exists=True)


def _index(table: str, column: str) -> None:
    op.create_index(f"ix_{table}_{column}", table, [column], if_not_exists=True)
