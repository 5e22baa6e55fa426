"""Fixtures: a home in which nothing was made yet, and its instance."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from resonate_assets.settings import Settings
from resonate_studio.home import open_instance, settings_for
from resonate_tests.homes import files_lie_still, instance, storage

__all__ = ["files_lie_still", "instance", "storage"]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("RESONATE_STORAGE", "RESONATE_INBOX", "RESONATE_DATABASE", "DAGSTER_HOME", "RESONATE_HOME"):
        monkeypatch.setenv(name, "")
    return settings_for(tmp_path / "home")


@pytest.fixture
def home_instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    with open_instance(settings) as instance:
        yield instance
