"""The catalogue: what tracks are and are worth, how their stages were made, and what sounds the same."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # Empty in rows of before, until the index is compared with storage.
    for column in ("model", "licence", "made_at"):
        op.add_column("current_artefacts", sa.Column(column, sa.Text))
    op.add_column("current_artefacts", sa.Column("seconds", sa.Double))
    op.create_table(
        "tracks",
        sa.Column("track", sa.String(64), primary_key=True),
        sa.Column("described", sa.String(64)),
        *(sa.Column(name, sa.Text) for name in ("source", "artist", "title", "album", "genre", "isrc")),
        sa.Column("sha256", sa.String(64)),
        sa.Column("sound_sha256", sa.String(64), index=True),
        sa.Column("added_at", sa.Text),
        sa.Column("name_folded", sa.Text),
        sa.Column("genre_folded", sa.Text),
        *(sa.Column(name, sa.Text) for name in ("key", "camelot", "folder")),
        *(sa.Column(name, sa.Integer) for name in ("sample_rate_hz", "channels")),
        *(
            sa.Column(name, sa.Double)
            for name in (
                *("duration_s", "tempo_bpm", "loudness_lufs", "bandwidth_hz"),
                *("vocals_predicted_quality_db", "limiting_db", "limiting_allowed_db"),
                *("master_total", "regenerated_total"),
            )
        ),
        sa.Column("accepted", sa.Boolean),
        sa.Column("why_not", sa.Text),
    )
    op.create_table(
        "tracks_seen",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("change", sa.BigInteger, nullable=False),
        sa.Column("criteria", sa.Text, nullable=False),
    )
    op.create_table(
        "failed_checks",
        sa.Column("track", sa.String(64), primary_key=True),
        sa.Column("stage", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(64), primary_key=True),
    )
    op.create_table(
        "fingerprints",
        sa.Column("track", sa.String(64), primary_key=True),
        sa.Column("data_version", sa.String(64), nullable=False),
        sa.Column("fingerprint", sa.Text),
        sa.Column("sketch", sa.LargeBinary),
    )
