"""What libraries would tell others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_onnx_runtime_tells_nobody_and_leaves_nothing_behind(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    asked = (
        "from resonate_resources.quality import musicnn; import onnxruntime; from pathlib import Path;"
        "onnxruntime.InferenceSession(str(Path(musicnn.__file__).with_name('musicnn.onnx')))"
    )
    subprocess.run([sys.executable, "-c", asked], env={**environment, "TMPDIR": str(tmp_path)}, check=True)
    assert not list(tmp_path.iterdir())
