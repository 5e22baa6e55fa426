from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from resonate_resources.recordings.recording import Recording, write_samples
from resonate_tests.lalal_server import KEY, LalalServer, lalal_server
from resonate_tests.resources.separation.lalal.separating import RATE, tones


@pytest.fixture
def server() -> Iterator[LalalServer]:
    with lalal_server() as started:
        yield started


@pytest.fixture(autouse=True)
def licence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LALAL_LICENSE_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def track(tmp_path: Path) -> Recording:
    return write_samples(tmp_path / "unreleased song.wav", tones(), RATE)
