"""What is loaded before somebody waits for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_AFTER_WARMING = """
import sys
from pathlib import Path
import numpy as np
from resonate_resources.recordings.recording import write_samples
from resonate_studio.hearing.light_copies import LightCopies, Sound
from resonate_studio.hearing.light_store import LightStore
from resonate_studio.hearing.warming import warm

warm()
before = set(sys.modules)
folder = Path(sys.argv[1])
noise = np.random.default_rng(1).uniform(-0.5, 0.5, (2, 96_000)).astype(np.float32)
sound = Sound(write_samples(folder / "noise.wav", noise, 48_000), "noise")
copies = LightCopies(LightStore(folder / "light", 10_000_000))
copies.peaks(sound, 0, 96_000, 100), copies.tile(sound, 0, 0), copies.segment(sound, 0)
copies.spectrum(sound, sound, 0.0, 2.0)
print(sorted(set(sys.modules) - before))
"""


def test_after_warming_nothing_more_is_imported(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _AFTER_WARMING, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
