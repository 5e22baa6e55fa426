"""Machines that are started for GPU runs: what is known of each, and what it cost by day."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "gpu_machines",
        sa.Column("machine", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("needed_at", sa.Double, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("failure", sa.Text, nullable=False),
        sa.Column("next_try_at", sa.Double, nullable=False),
        sa.Column(
            "counted_at", sa.Double, nullable=False, comment="up to when its seconds stand in its days"
        ),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "gpu_machine_days",
        sa.Column("machine", sa.Text, primary_key=True),
        sa.Column("day", sa.Text, primary_key=True, comment="UTC"),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("cost", sa.Double, nullable=False),
    )
