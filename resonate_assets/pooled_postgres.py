"""Dagster's storage in PostgreSQL over connections that are kept.

Dagster opens one for each question, and a track's run has more than two thousand questions.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.utils import get_token_provider_from_config, pg_url_from_config

_KEPT: Final = 2
"""Connections that a process keeps: one is enough for what a run asks, one after another."""
_MORE: Final = 30
"""At once, where a daemon's threads ask: as many as it has, and some."""


@cache
def _engine(url: str, _process: int) -> sa.Engine:
    """One for all instances of a process, of which a code server makes one a question; none goes through a fork."""
    return sa.create_engine(
        url, isolation_level="AUTOCOMMIT", pool_size=_KEPT, max_overflow=_MORE, pool_pre_ping=True
    )


class PooledPostgresStorage(DagsterPostgresStorage):
    """As dagster_postgres' own, and configured alike. One that has gone, with a server that was restarted, say, is
    noticed when it is taken, and another is opened in its place."""

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Any
    ) -> PooledPostgresStorage:
        url = pg_url_from_config(config_value)
        tokens = get_token_provider_from_config(config_value)
        made = cls(url, config_value.get("should_autocreate_tables", True), inst_data, tokens)
        if tokens is None:  # they are for single connections
            for storage in (made._run_storage, made._event_log_storage, made._schedule_storage):
                storage._engine = _engine(url, os.getpid())
        return made
