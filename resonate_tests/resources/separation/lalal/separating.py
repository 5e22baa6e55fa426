"""A track through the service: what it is, and how a test asks for its stems."""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest

from resonate_resources.models.hosted.service import Patience
from resonate_resources.recordings.recording import AudioError, Recording, Samples, silent
from resonate_resources.separation.lalal.engine import LalalSeparator
from resonate_resources.separation.lalal.ledger import LalalCaps
from resonate_tests.lalal_server import KEY, LalalServer

RATE = 44_100
SECONDS = 1
SPLIT = "split/multistem/"
QUICK = Patience(connect_s=2, read_s=2, job_s=20, poll_s=0.01, tries=3, backoff_s=0.01)
HASTY = Patience(connect_s=2, read_s=0.2, job_s=20, poll_s=0.01, tries=2, backoff_s=0.01)
PARTS = {"vocals": 0.5, "drums": 0.25, "bass": 0.125, "other": 0.125}
PCM_24 = 2.0**-22
"""Two roundings to 24 bits, one of them dithered."""


def tones(rate: int = RATE, channels: int = 2, seconds: float = SECONDS, level: float = 0.9) -> Samples:
    """Sines that differ by channel, faded in and out: resampling them is not a matter of what is at the ends."""
    time_s = np.arange(round(rate * seconds) + 1) / rate  # one more than whole seconds
    sines = [np.sin(2 * np.pi * (220 + 110 * channel) * time_s) for channel in range(channels)]
    tone: Samples = (level * np.hanning(len(time_s)) * np.stack(sines)).astype(np.float32)
    return tone


def ledger_in(folder: Path, name: str = "ledger") -> str:
    """The address of a database in a folder."""
    return f"sqlite:///{folder / f'{name}.sqlite'}"


def separator(server: LalalServer, tmp_path: Path, **settings: object) -> LalalSeparator:
    arguments = {"patience": QUICK, "api": server.api, "caps": LalalCaps(), **settings}
    return LalalSeparator(ledger_in(tmp_path), **arguments)  # type: ignore[arg-type]


def separate(engine: LalalSeparator, track: Recording, tmp_path: Path) -> dict[str, Recording]:
    target = Path(mkdtemp(prefix="stems-", dir=tmp_path))
    return engine.separate(track, target, silent)


def refusal(engine: LalalSeparator, track: Recording, tmp_path: Path) -> str:
    """The line of the AudioError that separating ends in."""
    with pytest.raises(AudioError) as caught:
        separate(engine, track, tmp_path)
    line = str(caught.value)
    assert "\n" not in line
    assert KEY not in line
    return line
