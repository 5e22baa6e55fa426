"""What lies under the band of a recording without lows: handling noise, a codec's error, nothing of the music."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from resonate_resources.recordings.recording import BLOCK_FRAMES, Recording, Samples, write_recording

BAND_HZ = (20.0, 40.0)
_EDGES_HZ = (
    30.0,
    40.0,
)  # all of it goes below the first, nothing above the second; 41 Hz is a bass's lowest string
_STOP_DB = 60.0


def rumble(recording: Recording, block_frames: int = BLOCK_FRAMES) -> Iterator[Samples]:
    """Everything under 30–40 Hz, block by block, (channels, ≤ block_frames).

    By a filter of linear phase, its delay taken back, so that subtracting it moves nothing above.
    """
    from scipy.signal import firwin, kaiserord, oaconvolve

    width_hz = _EDGES_HZ[1] - _EDGES_HZ[0]
    taps, beta = kaiserord(_STOP_DB, 2 * width_hz / recording.sample_rate)
    half = taps // 2
    lowpass = firwin(2 * half + 1, sum(_EDGES_HZ) / 2, window=("kaiser", beta), fs=recording.sample_rate)
    for start in range(0, recording.frames, block_frames):
        stop = min(start + block_frames, recording.frames)
        block = recording.read(start - half, stop + half)
        outside = (max(0, half - start), max(0, stop + half - recording.frames))
        padded = np.pad(block, ((0, 0), outside))
        yield oaconvolve(padded, lowpass.astype(np.float32)[None], mode="valid", axes=1)


def cut_rumble(recording: Recording, path: Path) -> tuple[Recording, float]:
    """The recording without its rumble, written to path; and the rumble's energy, in parts of the recording's."""
    taken, energy = 0.0, 0.0
    with write_recording(path, recording.sample_rate, recording.channels, recording.frames) as writer:
        for block, low in zip(recording.blocks(), rumble(recording), strict=True):
            energy += float(np.sum(block.astype(np.float64) ** 2))
            taken += float(np.sum(low.astype(np.float64) ** 2))
            writer.write(block - low)
    return writer.recording, taken / energy if energy else 0.0
