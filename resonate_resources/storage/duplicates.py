"""Tracks that sound the same: by the SHA-256 of their decoded sound, and by acoustic fingerprints."""
from __future__ import annotations
import sqlalchemy as sa
from resonate_resources.storage.database import tables
fingerprints = sa.Table(
    "fingerprints",
    tables,
    sa.Column("track", sa.String(64), primary_key=True),
    sa.Column("data_version", sa.String(64), nullable=False),
    sa.Column("fingerprint", sa.Text),
    sa.Column("sketch", sa.LargeBinary),
)
