"""What is loaded once a process, loaded before somebody waits for it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from resonate_resources.recordings.recording import write_samples
from resonate_studio.hearing.light_copies import LightCopies, Sound
from resonate_studio.hearing.light_store import LightStore

_RATE = 44_100
_SECONDS = 1
_KEPT_BYTES = 10_000_000


def warm() -> None:
    """Makes one of each: encoders, transforms and resamplers are imported and planned at their first use, which
    takes a second in all."""
    with tempfile.TemporaryDirectory(prefix="resonate-warm-") as folder:
        silence = np.zeros((2, _SECONDS * _RATE), np.float32)
        recording = write_samples(Path(folder) / "silence.wav", silence, _RATE)
        copies = LightCopies(LightStore(Path(folder) / "light", _KEPT_BYTES))
        sound = Sound(recording, "warm")
        copies.tile(sound, 0, 0)
        copies.segment(sound, 0)
        copies.spectrum(sound, sound, 0.0, float(_SECONDS))
