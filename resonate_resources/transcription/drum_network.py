"""Which drums are struck: what a small network says of every 10 ms of a drum stem.

It looks at the levels of 36 bands over a fifth of a second, against the recording where it is loud. Fitted by
`resonate_tests.benchmarks.drum_strokes.fit`.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

import numpy as np

from resonate_resources.recordings.recording import Progress, Recording, silent
from resonate_resources.signal.band_levels import Bands, Floats, band_levels, mel_bands
from resonate_resources.transcription.network import Network

SAMPLE_RATE = 44100
HOP = 441
FRAMES_PER_S = SAMPLE_RATE // HOP
DRUMS = ("kick", "snare", "tom", "closed hat", "open hat", "crash", "ride")
"""In the order of the network's outputs."""

_FILE = resources.files("resonate_resources.transcription") / "drum_strokes.npz"
_FRAME = 2048  # 46 ms
_COUNT, _LOWEST_HZ, _HIGHEST_HZ = 36, 30.0, 16000.0
OFFSETS = (-10, -6, -4, -3, -2, -1, 0, 1, 2, 3, 4, 6, 9, 13)
"""Frames, from the one that is told of, that the network looks at."""
_FLOOR_DB = -70.0  # against the recording where it is loud; what is quieter is silence
_SILENCE_DB = -85.0  # of full scale: 16-bit dither lies at −93
_AT_ONCE = 6000  # frames: 12 MB of inputs


def levels(stem: Recording, progress: Progress = silent) -> Floats:
    """(frames, 36): of each band every 10 ms, in dB. Kept for the whole recording: 52 MB an hour."""
    return band_levels(stem, _bands(), SAMPLE_RATE, HOP, progress)


def _bands() -> Bands:
    return mel_bands(_COUNT, _LOWEST_HZ, _HIGHEST_HZ, SAMPLE_RATE, _FRAME)


def centres_hz() -> Floats:
    """(36,): where each band lies, the weighted mean of its lines."""
    bands = _bands()
    hertz = np.arange(len(bands)) * SAMPLE_RATE / _FRAME
    return np.asarray(hertz @ bands / bands.sum(axis=0), np.float32)


def together(bands: Floats) -> Floats:
    """(frames,): all bands' power, in dB."""
    return np.asarray(10 * np.log10((10 ** (bands / 10)).sum(axis=1) + 1e-12), np.float32)


def loud_level(bands: Floats) -> float | None:
    """How loud the recording is where it is loud, in dB: the 90th percentile of the peaks in each second that are
    within 30 dB of the highest. None of silence."""
    level = together(bands)
    whole = level[: max(len(level) // FRAMES_PER_S, 1) * FRAMES_PER_S]
    peaks = (
        whole.reshape(-1, FRAMES_PER_S).max(axis=1)
        if len(whole) >= FRAMES_PER_S
        else level[level.argmax() :][:1]
    )
    highest = float(peaks.max())
    return None if highest < _SILENCE_DB else float(np.percentile(peaks[peaks >= highest - 30], 90))


def log_odds(bands: Floats, loud_db: float) -> Floats:
    """(frames, 7): that each of DRUMS is struck there, within 10 ms."""
    told = [
        _network()(inputs(bands, loud_db, np.arange(start, min(start + _AT_ONCE, len(bands)))))
        for start in range(0, len(bands), _AT_ONCE)
    ]
    return np.concatenate(told)


def inputs(bands: Floats, loud_db: float, frames: np.typing.NDArray[np.intp]) -> Floats:
    """(frames, 14 · 36): what the network is given of those frames. Before the start and behind the end is
    silence."""
    around = frames[:, np.newaxis] + OFFSETS
    seen = (np.maximum(bands - loud_db, _FLOOR_DB) / 20 + 1.5)[np.clip(around, 0, len(bands) - 1)]
    seen[(around < 0) | (around >= len(bands))] = _FLOOR_DB / 20 + 1.5
    return np.asarray(seen.reshape(len(frames), -1), np.float32)


@lru_cache(maxsize=1)
def _network() -> Network:
    return Network.read(_FILE)
