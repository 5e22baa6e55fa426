"""Settings: the few environment variables that say where things are."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from resonate_resources.recordings.limits import Limits
from resonate_resources.storage.database import sqlite_url


@dataclass(frozen=True)
class Settings:
    """Where one instance of Resonate lives."""

    home: Path
    """RESONATE_HOME, by default `~/resonate`: everything below it, unless another variable moves it."""
    storage: str
    """RESONATE_STORAGE: artefacts and exports; a directory or s3://bucket/prefix."""
    inbox: str
    """RESONATE_INBOX: the watched folder."""
    bucket: str
    """RESONATE_BUCKET: the watched bucket, s3://bucket/prefix; empty: none."""
    s3_endpoint: str | None
    """RESONATE_S3_ENDPOINT: for S3 that is not Amazon's."""
    database: str = ""
    """RESONATE_DATABASE: what processes must agree on, as an SQLAlchemy URL; empty: `<home>/resonate.sqlite`."""

    limits: Limits = field(default_factory=Limits)
    """How large a file may be: RESONATE_MAX_HOURS and others, see resonate_resources.recordings.limits."""

    @property
    def database_url(self) -> str:
        return self.database or sqlite_url(self.home / "resonate.sqlite")

    @classmethod
    def from_environment(cls) -> Settings:
        home = Path(os.environ.get("RESONATE_HOME") or "~/resonate").expanduser().absolute()
        return cls(
            home=home,
            storage=os.environ.get("RESONATE_STORAGE") or str(home),
            inbox=os.environ.get("RESONATE_INBOX") or str(home / "inbox"),
            bucket=os.environ.get("RESONATE_BUCKET", ""),
            s3_endpoint=os.environ.get("RESONATE_S3_ENDPOINT") or None,
            database=os.environ.get("RESONATE_DATABASE", ""),
            limits=Limits.from_environment(),
        )
