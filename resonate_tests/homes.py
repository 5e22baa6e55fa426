"""Fixtures: a home without a graph: storage, an inbox and an instance."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from resonate_resources.storage.inbox import FolderInbox
from resonate_resources.storage.resource import S3Resource, StorageResource


@pytest.fixture
def storage(tmp_path: Path) -> StorageResource:
    return StorageResource(
        root=str(tmp_path / "storage"),
        s3=S3Resource(),
        cache=str(tmp_path / "cache"),
        database=f"sqlite:///{tmp_path / 'resonate.sqlite'}",
    )


@pytest.fixture
def inbox(tmp_path: Path) -> FolderInbox:
    (tmp_path / "inbox").mkdir()
    return FolderInbox(tmp_path / "inbox")


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture
def files_lie_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are a day old when they are looked at, and so whole at the first look."""
    now = time.time
    monkeypatch.setattr("resonate_resources.storage.inbox.time.time", lambda: now() + 86_400)
