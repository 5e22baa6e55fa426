"""Fixtures of the end-to-end tests: short pieces of the demo song, and where to keep what people should look at."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import numpy as np
import pytest

from resonate_studio.demo_song import DemoSong
from resonate_tests.peer_encoders import Floats

CLIP_SECONDS = 8


@pytest.fixture(scope="session")
def clips(demo_song: DemoSong) -> list[Floats]:
    """Three different pieces of the demo song, each (frames, channels) at its sample rate."""
    frames = CLIP_SECONDS * demo_song.mix.sample_rate
    starts = [frames, 3 * frames, 5 * frames]
    return [
        np.clip(demo_song.mix.read(start, start + frames).T.astype(np.float64), -1, 1) for start in starts
    ]


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """Where screenshots are kept: RESONATE_ARTIFACTS, by default `artifacts/` in the repository."""
    directory = Path(os.environ.get("RESONATE_ARTIFACTS") or Path(__file__).parents[2] / "artifacts")
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@pytest.fixture(scope="module")
def free_port() -> int:
    """A TCP port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
