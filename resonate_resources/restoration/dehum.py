"""Mains hum, where the profile finds it, followed and subtracted (see `hum`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resonate_resources.preset import Preset
from resonate_resources.recipe import Engine
from resonate_resources.recordings.recording import Progress, Recording, Samples, write_recording
from resonate_resources.restoration.hum import RATE, follow, hum_blocks
from resonate_resources.restoration.step import Facts, Mended, StepName
from resonate_resources.signal.blocks import in_blocks
from resonate_resources.signal.resampling import at_rate

_BLOCK = 1 << 16
_INAUDIBLE_DBFS = -90.0
_LOUD_DB = 10.0  # under all that is heard
_PLAYED_HZ = 0.002
"""So exactly at 50 or 60 Hz, and so still, is no grid as a recorder hears it: grids wander by some hundredths,
within 20 s by 0.002 to 0.01, and clocks of recorders are 10 to 100 millionths off. Machines' basses are."""


class Dehum:
    """Presets make no difference: what is subtracted is hum, or it is left."""

    name: StepName = "dehum"

    @property
    def engine(self) -> Engine:
        return Engine("hum canceller")

    def unavailable(self) -> str | None:
        return None

    def mend(
        self,
        recording: Recording,
        facts: Facts,
        preset: Preset,  # noqa: ARG002 — what holds still is hum at any strength
        path: Path,
        progress: Progress,
    ) -> Mended:
        hum = facts.traces.hum
        if hum is None:
            return Mended(recording, "no mains hum was heard")
        rate, channels, frames = recording.sample_rate, recording.channels, recording.frames
        slow_frames = round(frames * RATE / rate)

        def slow() -> Iterator[Samples]:
            return at_rate(recording.blocks(), rate, RATE, channels, slow_frames)

        turns, amplitudes = follow(slow, hum.mains_hz)
        progress(0.6)
        level_dbfs = float(10 * np.log10(np.square(np.abs(amplitudes)).sum(axis=2).mean() + 1e-20))
        if level_dbfs < _INAUDIBLE_DBFS:
            return Mended(recording, "none of its hum holds still for long enough to be followed")
        loud = facts.traces.rms_dbfs is not None and level_dbfs > facts.traces.rms_dbfs - _LOUD_DB
        if loud and _is_played(turns, hum.mains_hz):
            return Mended(
                recording, f"{hum.mains_hz} Hz to a thousandth, as loud as the music: a bass, not the mains"
            )
        hums = at_rate(hum_blocks(turns, amplitudes, slow_frames), RATE, rate, channels, frames)
        done = 0
        with write_recording(path, rate, channels, frames) as writer:
            for block, taken in zip(recording.blocks(_BLOCK), in_blocks(hums, _BLOCK), strict=True):
                writer.write(block - taken)
                done += block.shape[1]
                progress(0.6 + 0.4 * done / frames)
        mains_hz = float((turns[-1] - turns[0]) / max(1, len(turns) - 1) * 8)
        return Mended(
            writer.recording,
            f"hum of {mains_hz:.2f} Hz and its harmonics, {level_dbfs:.0f} dBFS, subtracted",
            {"hum_dbfs": level_dbfs, "mains_hz": mains_hz},
        )


def _is_played(turns: npt.NDArray[np.float64], mains_hz: int) -> bool:
    """turns: the fundamental's phase in cycles, 1/8 s apart."""
    hertz = 8 * np.diff(turns)
    return bool(abs(hertz.mean() - mains_hz) < _PLAYED_HZ and hertz.std() < _PLAYED_HZ)
