"""All stems together: the tone of their sum, and each of them as it is handed on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite
from pathlib import Path

import numpy as np

from resonate_resources.instruments.playing import in_channels
from resonate_resources.recordings.recording import Recording, Samples, write_recording
from resonate_resources.regeneration.matching import BUS_EQ_DB, bus_taps, levels_of
from resonate_resources.signal.linear_phase import Taps, convolved
from resonate_resources.signal.loudness import LoudnessMeter
from resonate_resources.signal.resampling import at_rate


def bus_filter(
    originals: Sequence[Recording], played: Sequence[Recording], most_db: float = BUS_EQ_DB
) -> Taps:
    """What brings the sum of what is played to the tone of the originals', by most_db either way. All are of one
    rate, length and two channels."""
    if not played:
        return np.ones(1)
    rate = played[0].sample_rate
    heard = [levels_of(_sums(recordings), rate, (0, played[0].frames)) for recordings in (originals, played)]
    return bus_taps(heard[0], heard[1], rate, most_db)


def hand_on(
    played: Recording, taps: Taps, original: Recording, loudness_lufs: float, path: Path
) -> Recording:
    """Write what is played through the taps to path: at the original's rate, with its channels and of its length,
    as loud as loudness_lufs says. What has no loudness is silent."""
    rate, channels, frames = original.sample_rate, original.channels, original.frames
    meter = LoudnessMeter(rate, channels)
    filtered = path.with_suffix(".filtered.wav")
    with write_recording(filtered, rate, channels, frames) as writer:
        stream = convolved(played.blocks(), (taps, taps))
        for stereo in at_rate(stream, played.sample_rate, rate, 2, frames):
            block = in_channels(stereo, channels)
            meter.update(block)
            writer.write(block)
    measured = meter.integrated()
    level = 10 ** ((loudness_lufs - measured) / 20) if isfinite(measured) and isfinite(loudness_lufs) else 0.0
    with write_recording(path, rate, channels, frames) as levelled:
        for block in writer.recording.blocks():
            levelled.write(block * np.float32(level))
    filtered.unlink()
    return levelled.recording


def _sums(recordings: Sequence[Recording]) -> Iterator[Samples]:
    for blocks in zip(*(recording.blocks() for recording in recordings), strict=True):
        yield np.sum(blocks, axis=0)
