"""A mix to a master: resampled, moved towards a reference, made dense, levelled, delivered."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from resonate_resources.mastering.brief import MasteringBrief
from resonate_resources.mastering.delivery import Delivered, deliver
from resonate_resources.mastering.levelling import Target, level
from resonate_resources.mastering.reference import Moves, moved, moves_towards, spectrum_of
from resonate_resources.mastering.shaping import GLUE, WORKING_LOUDNESS_LUFS, glued
from resonate_resources.parallel import ahead
from resonate_resources.recordings.recording import Progress, Recording, Samples, silent, write_recording
from resonate_resources.recordings.tags import Tags
from resonate_resources.signal.loudness import measure_loudness
from resonate_resources.signal.resampling import at_rate
from resonate_resources.signal.true_peak import measure_true_peak

GAIN_BOUND_DB = 40.0
"""A mix is raised at most so much: what would need more is noise, or hardly there."""

OFFSET = 0.05
"""A constant offset of up to this part of a channel's peak over it stays: music is hardly even around zero. One of
twice as much goes. Under a second there is no telling."""

LIMITING_FINISHED_DB, LIMITING_ROUGH_DB = 3.0, 6.0
"""Peaks are limited by at most so much where the brief says nothing: a finished song keeps its own."""


@dataclass(frozen=True)
class Mastered:
    """gain_db went into the limiter, against the mix; limiting_db is the most that the limiter took off, and
    allowed_db the most it might have. bounded: more gain was not allowed. centred: a constant
    offset was taken out. moves: towards the reference, where there is one."""

    files: Mapping[str, Delivered]
    gain_db: float
    limiting_db: float
    allowed_db: float
    bounded: bool
    centred: bool
    moves: Moves | None = None


def master(
    mix: Recording,
    into: Path,
    brief: MasteringBrief,
    rough: float,
    tags: Tags,
    progress: Progress = silent,
    reference: Recording | None = None,
) -> Mastered:
    """Write master.wav and the other formats asked for, of a mix of 1 to 6 channels. Raises AudioError.

    rough: 0 of finished music, 1 of a recording that was never mixed. reference: of any rate and channels.
    """
    target = Target(brief.target_lufs, brief.ceiling_dbtp)
    allowed_db = brief.limiting_db
    if allowed_db is None:
        allowed_db = LIMITING_FINISHED_DB + rough * (LIMITING_ROUGH_DB - LIMITING_FINISHED_DB)
    with TemporaryDirectory(dir=into) as folder:
        source = _resampled(mix, Path(folder) / "resampled.wav", brief.sample_rate)
        came, source = source, _centred(source, Path(folder) / "centred.wav")
        centred = source is not came
        moves = None
        if reference is not None:
            moves = moves_towards(spectrum_of(source), spectrum_of(reference), brief.reference_amount)
            if moves.any:
                blocks = moved(source, moves)
                path = Path(folder) / "moved.wav"
                source = _written(blocks, path, source, source.sample_rate, source.frames)
        loudness, peak_dbtp = _metered(source)
        progress(0.1)
        glue, glue_gain_db = GLUE[brief.preset], 0.0
        if glue and rough and math.isfinite(loudness):
            glue_gain_db = min(WORKING_LOUDNESS_LUFS - loudness, GAIN_BOUND_DB)
            blocks = glued(source.blocks(), source.sample_rate, glue, glue_gain_db, rough)
            source = _written(blocks, Path(folder) / "glued.wav", source, source.sample_rate, source.frames)
            loudness, peak_dbtp = _metered(source)
        levelling = partial(
            level,
            source,
            loudness_lufs=loudness,
            true_peak_dbtp=peak_dbtp,
            most_gain_db=min(GAIN_BOUND_DB - glue_gain_db, target.limiter_dbtp + allowed_db - peak_dbtp),
        )
        levelled = levelling(Path(folder) / "limited.wav", target.limiter_dbtp, target.lufs)
        progress(0.5)
        files = deliver(levelled, levelling, into, tags, target, brief.formats, brief.bits)
    return Mastered(
        files,
        glue_gain_db + levelled.gain_db,
        levelled.limiting_db,
        allowed_db,
        levelled.bounded,
        centred,
        moves,
    )


def _resampled(mix: Recording, path: Path, wanted: int | None) -> Recording:
    """The mix, or a copy at that rate, of the same duration to the nearest frame (at least one)."""
    rate = wanted or (44_100 if mix.sample_rate % 44_100 == 0 else 48_000)
    if rate == mix.sample_rate:
        return mix
    frames = max(1, round(mix.frames * rate / mix.sample_rate))
    return _written(
        at_rate(mix.blocks(), mix.sample_rate, rate, mix.channels, frames), path, mix, rate, frames
    )


def _centred(source: Recording, path: Path) -> Recording:
    """The recording, or a copy without the constant offset of channels that have more than OFFSET: it costs
    headroom."""
    if source.frames < source.sample_rate:
        return source
    sums, peaks = np.zeros(source.channels), np.zeros(source.channels)
    for block in source.blocks():
        sums += block.sum(axis=1, dtype=np.float64)
        peaks = np.maximum(peaks, np.abs(block).max(axis=1, initial=0.0))
    offset = sums / max(1, source.frames)
    part = np.clip(np.abs(offset) / (OFFSET * np.maximum(peaks - np.abs(offset), 1e-9)) - 1, 0.0, 1.0)
    if not part.any():
        return source
    moved = (part * offset)[:, None].astype(np.float32)
    blocks = (block - moved for block in source.blocks())
    return _written(blocks, path, source, source.sample_rate, source.frames)


def _written(blocks: Iterator[Samples], path: Path, like: Recording, rate: int, frames: int) -> Recording:
    with write_recording(path, rate, like.channels, frames) as writer:
        for block in ahead(blocks):
            writer.write(block)
    return writer.recording


def _metered(source: Recording) -> tuple[float, float]:
    """Integrated loudness in LUFS, true peak in dBTP."""
    with ThreadPoolExecutor(1) as pool:
        peak = pool.submit(measure_true_peak, source)
        return measure_loudness(source).integrated_lufs, peak.result()
