"""What the system must have that pip does not bring: shared libraries of DawDreamer and pedalboard.

make runs this by a bare Python before anything else: as root on Debian what is missing is installed, elsewhere one
line names it. So nothing but the standard library is imported here. Programs that only tests want are not here.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from importlib.util import find_spec

Finder = Callable[[], object]
"""Gives something true where a package is not needed any more."""


def has_library(name: str) -> bool:
    """Whether the loader finds a shared library. Only the wheels for Linux leave libraries to the system."""
    if sys.platform != "linux":
        return True
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


LIBRARIES: Mapping[str, Finder] = {
    "libgl1": partial(has_library, "libGL.so.1"),  # DawDreamer: its plug-ins may have windows
    "libglib2.0-0": partial(has_library, "libglib-2.0.so.0"),  # DawDreamer, by the HarfBuzz in its wheel
    "libatomic1": partial(has_library, "libatomic.so.1"),  # pedalboard
}
"""Debian package → finder, for what every stage together wants."""

INSTALLATION: Mapping[str, Finder] = {
    "python3-venv": partial(find_spec, "ensurepip"),  # Debian keeps it apart from Python
    **LIBRARIES,
}
"""The same for what make wants to install Resonate."""


def missing(packages: Mapping[str, Finder]) -> list[str]:
    """Names of the packages of which something is not there."""
    return [name for name, find in packages.items() if not find()]


def provide(packages: Mapping[str, Finder]) -> int:
    """Install what is missing, or say in one line what to install. Returns the exit code."""
    lacking = missing(packages)
    if lacking and os.geteuid() == 0 and shutil.which("apt-get"):
        _install(lacking)
        lacking = missing(packages)
    if lacking:
        print(request(lacking), file=sys.stderr)
    return 1 if lacking else 0


def request(packages: Iterable[str]) -> str:
    """What a person has to do."""
    return f"the system lacks something that pip does not bring: apt-get install {' '.join(packages)}"


def _install(packages: Iterable[str]) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        # Its output names package mirrors; the exit code does not matter, as what is missing is looked for again.
        subprocess.run(["apt-get", "--quiet", *command], env=environment, capture_output=True, check=False)


if __name__ == "__main__":
    sys.exit(provide(INSTALLATION))
