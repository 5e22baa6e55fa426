"""Other people's readers of the files that we write, each in an environment of its own: `readers/NAME`."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

READERS = Path(__file__).parent / "readers"


def read_with(name: str, *words: str) -> Any:
    """What `readers/NAME/read.py` says in JSON."""
    command = [str(_python(name)), str(READERS / name / "read.py"), *words]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def npm_with(name: str, *words: str) -> str:
    """What npm says in `readers/NAME`, whose packages are as locked."""
    return _npm(_packages(name), *words)


def _npm(folder: Path, *words: str) -> str:
    command = [sys.executable, str(READERS.parents[1] / "page" / "npm.py"), "--prefix", str(folder), *words]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@cache
def _packages(name: str) -> Path:
    """A reader's folder with its packages; made once, beside the environments."""
    sources = sorted(source for source in (READERS / name).iterdir() if source.is_file())
    made_of = hashlib.sha256(b"".join(source.read_bytes() for source in sources))
    home = Path(sys.prefix) / "readers" / f"{name}-{made_of.hexdigest()[:12]}"
    if not home.is_dir():
        home.parent.mkdir(exist_ok=True)
        making = Path(tempfile.mkdtemp(dir=home.parent))
        for source in sources:
            shutil.copy(source, making)
        _npm(making, "ci", "--ignore-scripts")
        with suppress(OSError):  # another session's was there first
            making.rename(home)
        shutil.rmtree(making, ignore_errors=True)
    return home


@cache
def _python(name: str) -> Path:
    """Of the environment, which is made once, beside those of workers."""
    wanted = READERS / name / "requirements.txt"
    home = Path(sys.prefix) / "readers" / f"{name}-{hashlib.sha256(wanted.read_bytes()).hexdigest()[:12]}"
    if not home.is_dir():
        home.parent.mkdir(exist_ok=True)
        making = Path(tempfile.mkdtemp(dir=home.parent))
        subprocess.run([sys.executable, "-m", "venv", str(making)], check=True)
        install = ["-m", "pip", "install", "--quiet", "--no-deps", "--requirement", str(wanted)]
        subprocess.run([str(making / "bin" / "python"), *install], check=True)
        making.rename(home)
    return home / "bin" / "python"
