"""Workers of the tests' own: the real environments and networks, small, in a place without a network."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from resonate_resources.models.workers.client import Worker

NOWHERE = "http://127.0.0.1:9"


def make_hub(worker: Worker, script: Path, directory: Path) -> Path:
    """A folder with files as a model's hub has them, which the script makes with the packages of the worker."""
    directory.mkdir(parents=True)
    made = subprocess.run(
        [worker.environment.python, "-I", "-W", "ignore", script, directory],
        env={**os.environ, "TQDM_DISABLE": "1", "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return directory


@contextmanager
def own_worker(module: ModuleType, hub: Path) -> Iterator[Worker]:
    """A process that nobody else uses, with the models in that folder; `module.WORKER` is it, meanwhile."""
    place = tempfile.mkdtemp(prefix="rt-")  # short, as the path of a socket must be
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", place)
        patch.setenv("TMPDIR", place)
        patch.setenv("RESONATE_MODELS", str(hub.parent))
        patch.setenv("OMP_NUM_THREADS", "1")
        for proxy in ("HTTPS_PROXY", "https_proxy"):
            patch.setenv(proxy, NOWHERE)
        own = replace(module.WORKER)
        patch.setattr(module, "WORKER", own)
        yield own
        own.stop()
    shutil.rmtree(place)


class Bomb:
    """Saved by torch, it makes a folder where it is loaded as it was."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)
