"""The worker of audio-separator with tiny models, as the hubs would have them, for all who use it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from resonate_resources.models.audio_separator import calling

AUDIO_SEPARATOR = Path(__file__).parent / "models" / "audio_separator"
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """Models as audio-separator's hubs have them, and what the package makes of a track by each."""
    directory = tmp_path_factory.mktemp("models") / "audio-separator"
    directory.mkdir()
    made = subprocess.run(
        [
            calling.WORKER.environment.python,
            "-I",
            "-W",
            "ignore",
            AUDIO_SEPARATOR / "tiny_models.py",
            directory,
        ],
        env={**os.environ, "TQDM_DISABLE": "1", "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return directory


@pytest.fixture(scope="module")
def worker(hub, tmp_path_factory):
    """One of the tests' own for all of them, in a place without a network and without ffmpeg."""
    place = tempfile.mkdtemp(prefix="rt-")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", place)
        patch.setenv("TMPDIR", place)
        patch.setenv("RESONATE_MODELS", str(hub.parent))
        patch.setenv("PATH", str(tmp_path_factory.mktemp("no-programs")))
        patch.setenv("HTTPS_PROXY", NOWHERE)
        patch.setenv("https_proxy", NOWHERE)
        patch.setenv("OMP_NUM_THREADS", "1")
        own = replace(calling.WORKER)
        patch.setattr(calling, "WORKER", own)
        yield own
        own.stop()
    shutil.rmtree(place)


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
