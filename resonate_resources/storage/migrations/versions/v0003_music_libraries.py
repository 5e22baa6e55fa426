"""Music libraries: the files that scans found, and what became of each."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "library_files",
        sa.Column("library", sa.String(12), primary_key=True),
        sa.Column("file", sa.String(32), primary_key=True),
        sa.Column("uri", sa.LargeBinary, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("stamp", sa.String(128), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("tags", "notes", "crates")),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("gone", sa.Boolean, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("track", sa.String(64)),
        sa.Column("reason", sa.Text),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("code", sa.String(64)),
    )
    op.create_index("library_files_queue", "library_files", ["library", "state", "priority"])
    op.create_table(
        "libraries",
        sa.Column("library", sa.String(12), primary_key=True),
        sa.Column("uri", sa.LargeBinary, nullable=False),
        sa.Column("crates_stamp", sa.String(64), nullable=False),
        sa.Column("broken_crates", sa.Text, nullable=False),
    )
