"""The run launcher of dagster.yaml: Dagster's own, which also knows when all that could finish a run is gone."""

from __future__ import annotations

import json
import socket
from contextlib import closing

import dagster as dg
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher
from dagster._core.storage.tags import GRPC_INFO_TAG


class WatchfulRunLauncher(DefaultRunLauncher):
    """Launches runs as processes of the code server, and tells run monitoring when that server is gone.

    A code server that lives reports runs whose process died. When it was killed together with its runs (a power
    cut, the out-of-memory killer), a run would count as under way until max_runtime_seconds, and with it its slot
    of the pool "gpu": every other track would wait.
    """

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """RUNNING, unless nothing listens any more where the run's server did.

        Runs without a server are those of the command line, which looks after its own.
        """
        server = run.tags.get(GRPC_INFO_TAG)
        if server is None or _listens(json.loads(server)):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, "the code server of this run is gone")


def _listens(server: dict[str, str | int]) -> bool:
    """Whether a connection is accepted; a server that is only busy accepts it."""
    path = server.get("socket")
    with closing(socket.socket(socket.AF_UNIX if path else socket.AF_INET)) as client:
        client.settimeout(10)
        try:
            client.connect(str(path) if path else (str(server["host"]), int(server["port"])))
        except TimeoutError:
            return True  # its queue is full: busy, not gone
        except OSError:
            return False
    return True
