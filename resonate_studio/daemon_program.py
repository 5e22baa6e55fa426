"""Dagster's daemon beside code servers that stay.

Given a module, Dagster's daemon has the code loaded anew every minute, by another process
(`RELOAD_WORKSPACE_INTERVAL` in dagster/_daemon/controller.py): that takes six seconds of a processor each time, and
what sensors know from one look to the next, as who is dead, is lost. Servers that it is told of, as here, it leaves
as they are.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from socket import AF_UNIX, socket
from tempfile import TemporaryDirectory

from resonate_resources.watching.json_lines import wanted

CODE = "resonate_assets.definitions"
_LOOK_SECONDS = 0.2


@contextmanager
def daemon_command(level: str, modules: Sequence[str] = (CODE,)) -> Iterator[list[str]]:
    """What to start, for as long as the block lasts; it ends once one of its processes has.

    level: of the log of Dagster's daemon; code servers tell warnings. modules: with Dagster's definitions.
    """
    log_format = "json" if wanted() else "colored"
    with TemporaryDirectory(prefix="resonate-daemon-") as folder:
        options = [folder, *modules, "--log-level", level, "--log-format", log_format]
        yield [sys.executable, "-m", __name__, *options]


def _carry_out(folder: Path, modules: list[str], level: str, log_format: str) -> int:
    """Who started us ends what is left of it."""
    sockets = {module: str(folder / f"code-{number}") for number, module in enumerate(modules)}
    servers = [
        subprocess.Popen(
            [
                *(sys.executable, "-m", "dagster", "api", "grpc", "--socket", at),
                *("--module-name", module, "--location-name", module),
                *("--use-python-environment-entry-point", "--inject-env-vars-from-instance"),
                *("--log-level", "warning", "--log-format", log_format),
            ]
        )
        for module, at in sockets.items()
    ]
    while not all(map(_answers, sockets.values())):
        if code := _ended(servers):
            return code
        time.sleep(_LOOK_SECONDS)
    places = [{"grpc_server": {"socket": at, "location_name": module}} for module, at in sockets.items()]
    workspace = folder / "workspace.yaml"  # JSON is YAML
    workspace.write_text(json.dumps({"load_from": places}))
    daemon = subprocess.Popen(
        [
            *(sys.executable, "-m", "dagster._daemon", "run", "--workspace", str(workspace)),
            *("--log-level", level, "--log-format", log_format),
        ]
    )
    while not (code := _ended([*servers, daemon])):
        time.sleep(_LOOK_SECONDS)
    return code


def _ended(processes: Sequence[subprocess.Popen[bytes]]) -> int:
    """The exit code of the first that has ended, 1 instead of 0; 0 while all are at work."""
    for process in processes:
        if (code := process.poll()) is not None:
            print(f"process {process.pid} of Dagster's daemon has ended ({code})", file=sys.stderr)
            return code or 1
    return 0


def _answers(at: str) -> bool:
    with socket(AF_UNIX) as probe:
        return probe.connect_ex(at) == 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("modules", nargs="+")
    parser.add_argument("--log-level", required=True)
    parser.add_argument("--log-format", required=True)
    given = parser.parse_args()
    sys.exit(_carry_out(given.folder, given.modules, given.log_level, given.log_format))
