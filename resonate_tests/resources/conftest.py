"""The worker of audio-separator with tiny models, as the hubs would have them, for all who use it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from resonate_resources.models.audio_separator import calling
from resonate_tests.resources.workers_of_tests import make_hub, own_worker

AUDIO_SEPARATOR = Path(__file__).parent / "models" / "audio_separator"


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """Models as audio-separator's hubs have them, and what the package makes of a track by each."""
    directory = tmp_path_factory.mktemp("models") / "audio-separator"
    return make_hub(calling.WORKER, AUDIO_SEPARATOR / "tiny_models.py", directory)


@pytest.fixture(scope="module")
def worker(hub, tmp_path_factory):
    """One of the tests' own for all of them, without ffmpeg."""
    with own_worker(calling, hub) as own, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(tmp_path_factory.mktemp("no-programs")))
        yield own


@pytest.fixture
def small_gpu(worker, monkeypatch):
    """The worker as if it had a GPU with room for batches of so many."""
    started = []

    def start(room):
        monkeypatch.setenv("ROOM", str(room))
        own = replace(calling.WORKER, program=AUDIO_SEPARATOR / "small_gpu.py")
        monkeypatch.setattr(calling, "WORKER", own)
        started.append(own)
        return own

    yield start
    for own in started:
        own.stop()
