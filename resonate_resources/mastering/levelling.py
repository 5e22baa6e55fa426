"""Loudness and true peak of a master: the gain into the limiter is found by measuring what comes out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from resonate_resources.mastering.limiter import TruePeakLimiter
from resonate_resources.parallel import ahead
from resonate_resources.recordings.recording import Recording, Samples, write_recording
from resonate_resources.signal.loudness import LoudnessMeter

TOLERANCE_LU = 0.1

LIMITER_MARGIN_DB = 0.35
"""How far under the ceiling the limiter holds: a true-peak meter that reads 0.2 dB high still conforms (EBU Tech
3341, cases 15 to 23); four times the rate, by which the limiter looks, misses up to 0.15 dB of bursts of noise; and
dither adds to peaks."""

DECODED_MARGIN_DB = 0.12
"""How far under it what an encoder made is to stay, by our own meter: another may read bursts of noise so much
higher."""

WORTHWHILE = 0.5
"""Of what limiting takes off peaks, so much at least is to come back as loudness: where peaks are most of what is
heard, as in beatboxing, limiting only makes it duller."""

_CLOSE_LU = 0.03
_PASSES = 8
_CLOSE_DB = 0.05


@dataclass(frozen=True)
class Target:
    """What a master is brought to: integrated loudness in LUFS, and the ceiling of true peaks in dBTP."""

    lufs: float = -14.0
    ceiling_dbtp: float = -1.0

    @property
    def limiter_dbtp(self) -> float:
        """Where the limiter holds."""
        return self.ceiling_dbtp - LIMITER_MARGIN_DB

    @property
    def decoded_dbtp(self) -> float:
        """What peaks of a lossy file may be, once decoded."""
        return self.ceiling_dbtp - DECODED_MARGIN_DB


@dataclass(frozen=True)
class Levelled:
    """A recording as it left the limiter, and what it measures.

    gain_db went in; limiting_db is the most that the limiter took off. bounded: no more gain was allowed, or worth
    its limiting, which is wasteful.
    """

    recording: Recording
    gain_db: float
    limiting_db: float
    loudness_lufs: float
    bounded: bool = False
    wasteful: bool = False


def level(
    source: Recording,
    path: Path,
    ceiling_dbtp: float,
    target_lufs: float,
    *,
    loudness_lufs: float,
    true_peak_dbtp: float,
    most_gain_db: float,
    thrifty: bool,
    first_gain_db: float | None = None,
) -> Levelled:
    """Write source (under 96 kHz, of this loudness and true peak) at the target, limited to that ceiling.

    What has no integrated loudness (under 400 ms, or nothing over −70 LUFS) is brought to the ceiling by gain
    alone. Gain is at most most_gain_db; thrifty: and at most what is WORTHWHILE. first_gain_db: to begin with,
    where it is nearly known. Silence stays silence.
    """
    if not math.isfinite(loudness_lufs):
        gain = min(ceiling_dbtp - true_peak_dbtp if math.isfinite(true_peak_dbtp) else 0.0, most_gain_db)
        levelled = _limited(source, path, gain, ceiling_dbtp)
        if levelled.loudness_lufs > target_lufs:  # only just under the gate before
            levelled = _limited(source, path, gain + target_lufs - levelled.loudness_lufs, ceiling_dbtp)
        return replace(levelled, bounded=levelled.loudness_lufs < target_lufs - TOLERANCE_LU)
    wanted = target_lufs - loudness_lufs if first_gain_db is None else first_gain_db
    gain, slope = min(wanted, most_gain_db), 1.0
    levelled = _limited(source, path, gain, ceiling_dbtp)
    for _ in range(_PASSES - 1):
        missing = target_lufs - levelled.loudness_lufs
        gain = min(levelled.gain_db + missing / slope, most_gain_db)
        if abs(missing) <= _CLOSE_LU or gain == levelled.gain_db:
            break
        before, levelled = levelled, _limited(source, path, gain, ceiling_dbtp)
        # Limiting takes loudness: more gain gives less of it, up to nothing. The secant, kept from leaping.
        slope = (levelled.loudness_lufs - before.loudness_lufs) / (gain - before.gain_db)
        slope = min(1.0, max(0.15, slope))
    unlimited_db = ceiling_dbtp - true_peak_dbtp
    if thrifty and _worth(levelled, unlimited_db, loudness_lufs) < WORTHWHILE:
        return _thrifty(source, path, ceiling_dbtp, unlimited_db, loudness_lufs, levelled)
    return replace(levelled, bounded=levelled.gain_db >= most_gain_db)


def _worth(levelled: Levelled, unlimited_db: float, loudness_lufs: float) -> float:
    """What part of the gain beyond where limiting begins came back as loudness; 1 where nothing is limited."""
    beyond = levelled.gain_db - unlimited_db
    if beyond <= _CLOSE_DB:
        return 1.0
    return (levelled.loudness_lufs - loudness_lufs - unlimited_db) / beyond


def _thrifty(
    source: Recording,
    path: Path,
    ceiling_dbtp: float,
    unlimited_db: float,
    loudness_lufs: float,
    top: Levelled,
) -> Levelled:
    """The most gain that is WORTHWHILE, between where limiting begins and `top`, which is too much.

    A false position by Illinois' rule: what a little limiting is worth counts as all.
    """
    low, high = (
        (unlimited_db, 1.0 - WORTHWHILE),
        (top.gain_db, _worth(top, unlimited_db, loudness_lufs) - WORTHWHILE),
    )
    levelled, before = top, 0.0
    for _ in range(_PASSES):
        gain = low[0] + (high[0] - low[0]) * low[1] / (low[1] - high[1])
        if gain - unlimited_db <= _CLOSE_DB:
            gain = unlimited_db
        levelled = _limited(source, path, gain, ceiling_dbtp)
        excess = _worth(levelled, unlimited_db, loudness_lufs) - WORTHWHILE
        if gain == unlimited_db or abs(excess) * (gain - unlimited_db) <= _CLOSE_LU:
            break
        if excess > 0:
            low, high = (gain, excess), (high[0], high[1] / 2 if before > 0 else high[1])
        else:
            low, high = (low[0], low[1] / 2 if before < 0 else low[1]), (gain, excess)
        before = excess
    return replace(levelled, bounded=True, wasteful=True)


def _limited(source: Recording, path: Path, gain_db: float, ceiling_dbtp: float) -> Levelled:
    limiter = TruePeakLimiter(source.sample_rate, source.channels, ceiling_dbtp)
    loudness = LoudnessMeter(source.sample_rate, source.channels)
    gain = np.float32(10 ** (gain_db / 20))
    with write_recording(path, source.sample_rate, source.channels, source.frames) as writer:
        for block in ahead(_limited_blocks(source, limiter, gain)):
            loudness.update(block)
            writer.write(block)
    return Levelled(writer.recording, gain_db, limiter.most_reduction_db, loudness.integrated())


def _limited_blocks(source: Recording, limiter: TruePeakLimiter, gain: np.float32) -> Iterator[Samples]:
    for block in source.blocks():
        yield limiter.process(block * gain)
    yield limiter.flush()
