"""How often each stage came to what, for Prometheus: counts that no restart loses."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "stage_counts",
        sa.Column("stage", sa.String(64), primary_key=True),
        sa.Column("engine", sa.String(128), primary_key=True),
        sa.Column("outcome", sa.String(8), primary_key=True),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("audio_seconds", sa.Double, nullable=False),
    )
