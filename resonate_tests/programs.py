"""Programs that tests need and Python packages do not bring: Chromium, and PostgreSQL's server.

`make test` runs this first: on a Debian system, as root, what is missing is installed; elsewhere one line names it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path


def find_chromium() -> Path | None:
    """The browser's executable."""
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return next((Path(path) for path in found if path), None)


def find_postgresql() -> Path | None:
    """The directory of `initdb` and `postgres`. Debian keeps it off the PATH, one for each version."""
    on_path = shutil.which("initdb")
    places = [Path(on_path).resolve().parent] if on_path else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: -float(place.parent.name))
    return next(
        (place for place in places if (place / "initdb").exists() and (place / "postgres").exists()), None
    )


FINDERS: dict[str, Callable[[], Path | None]] = {"chromium": find_chromium, "postgresql": find_postgresql}
"""Debian package → finder of what tests use of it."""


def required(package: str) -> Path:
    """What tests use of a package. Raises FileNotFoundError with the line that names the package."""
    found = FINDERS[package]()
    if found is None:
        raise FileNotFoundError(_request([package]))
    return found


def main() -> int:
    """Install what is missing, or say what to install. Returns the exit code."""
    missing = _missing()
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        _install(missing)
        missing = _missing()
    if missing:
        print(_request(missing), file=sys.stderr)
    return 1 if missing else 0


def _missing() -> list[str]:
    return [package for package, find in FINDERS.items() if find() is None]


def _install(packages: Iterable[str]) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        # Its output names package mirrors; the exit code does not matter, as the programs are looked for again.
        subprocess.run(["apt-get", "--quiet", *command], env=environment, capture_output=True, check=False)


def _request(packages: Iterable[str]) -> str:
    return f"tests need programs that are not here; install Debian's packages: {' '.join(packages)}"


if __name__ == "__main__":
    sys.exit(main())
