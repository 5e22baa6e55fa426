"""Other people's readers of the files that we write, each in an environment of its own: `readers/NAME`."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
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
