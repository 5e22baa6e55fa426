"""A mix to a master: resampled, moved towards a reference, made dense, levelled, delivered."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from resonate_resources.mastering.brief import MasteringBrief
from resonate_resources.mastering.clipping import SoftClipper
from resonate_resources.mastering.delivery import Delivered, Level, deliver
from resonate_resources.mastering.facts import Facts, Measured, measured
from resonate_resources.mastering.levelling import Levelled, Target, level
from resonate_resources.mastering.multiband import Multiband
from resonate_resources.mastering.reference import Moves, moved, moves_towards, spectrum_of
from resonate_resources.mastering.shaping import DENSITY, Density
from resonate_resources.parallel import ahead
from resonate_resources.recordings.lossy import downmix_to_stereo
from resonate_resources.recordings.recording import Progress, Recording, Samples, silent, write_recording
from resonate_resources.recordings.tags import Tags
from resonate_resources.signal.levels import Levels, levels_of
from resonate_resources.signal.linear_phase import filtered
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
class Master:
    """One of the masters of a mix: for a loudness, in files by their names.

    gain_db went into the limiter, against the mix; limiting_db is the most that the limiter took off, and
    allowed_db the most it might have; loudness_lufs came out of it. bounded: more gain was not allowed (amplified:
    as such; else for its limiting), or, where wasteful, not worth its limiting.
    """

    target_lufs: float
    files: Mapping[str, Delivered]
    gain_db: float
    limiting_db: float
    allowed_db: float
    loudness_lufs: float
    bounded: bool
    wasteful: bool
    amplified: bool


@dataclass(frozen=True)
class Mastered:
    """masters: by label; that of the brief's target_lufs is the first, and has none (""). mix: what was measured of
    the mix, if it went in as it was. centred: a constant offset was taken out. compressed_db: what the gain of any
    band fell by at most; clipped_db: what was then clipped off the true peak. moves: towards the reference, where
    there is one."""

    masters: Mapping[str, Master]
    mix: Facts | None
    centred: bool
    compressed_db: float
    clipped_db: float
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
    """Write master.wav and the other formats asked for, of a mix of 1 to 6 channels; and, for each further target,
    `master-<label>.<format>`. Raises AudioError.

    rough: 0 of finished music, 1 of a recording that was never mixed. reference: of any rate and channels.
    """
    allowed_db = brief.limiting_db
    if allowed_db is None:
        allowed_db = LIMITING_FINISHED_DB + rough * (LIMITING_ROUGH_DB - LIMITING_FINISHED_DB)
    with TemporaryDirectory(dir=into) as folder:
        source = _resampled(mix, Path(folder) / "resampled.wav", brief.sample_rate)
        found = measured(source)
        mix_facts = found.facts if source is mix else None
        came, source = source, _centred(source, found, Path(folder) / "centred.wav")
        centred = source is not came
        moves = None
        if reference is not None:
            moves = moves_towards(spectrum_of(source), spectrum_of(reference), brief.reference_amount)
            if moves.any:
                blocks = moved(source, moves)
                path = Path(folder) / "moved.wav"
                source = _written(blocks, path, source.channels, source.sample_rate, source.frames)
        if centred or (moves is not None and moves.any):
            found = measured(source)
        progress(0.1)
        part = rough if brief.compress is None else brief.compress
        dense = _dense(source, found.levels, DENSITY[brief.preset], part, allowed_db, Path(folder))
        shaped = _Shaped(
            dense.source,
            dense.levels.loudness.integrated_lufs,
            dense.levels.true_peak_dbtp,
            GAIN_BOUND_DB,
            allowed_db,
        )
        folded = cache(lambda: shaped.in_stereo(Path(folder) / "stereo.wav"))
        masters: dict[str, Master] = {}
        for number, (label, lufs) in enumerate(brief.targets.items(), 1):
            target = Target(lufs, brief.ceiling_dbtp)
            thrifty = brief.limiting_db is None
            levelled, again = shaped.levelled(target, Path(folder) / "limited.wav", thrifty)
            stereo = partial(_in_stereo, folded, target, Path(folder) / "limited_stereo.wav", thrifty)
            progress(0.1 + 0.8 * (number - 0.5) / len(brief.targets))
            formats = brief.formats if label else ("wav", *brief.formats)
            files = deliver(levelled, again, stereo, into, label, tags, target, formats, brief.bits)
            masters[label] = Master(
                lufs,
                files,
                levelled.gain_db,
                levelled.limiting_db,
                allowed_db,
                levelled.loudness_lufs,
                levelled.bounded,
                levelled.wasteful,
                levelled.gain_db >= shaped.most_gain_db,
            )
    return Mastered(masters, mix_facts, centred, dense.compressed_db, dense.clipped_db, moves)


@dataclass(frozen=True)
class _Dense:
    """What became of a recording, its levels, and what it took, as Mastered has it."""

    source: Recording
    levels: Levels
    compressed_db: float = 0.0
    clipped_db: float = 0.0


def _dense(
    source: Recording, levels: Levels, density: Density | None, part: float, allowed_db: float, folder: Path
) -> _Dense:
    """Compressed in bands, then clipped, by that part, 0 to 1, of what density says; no peak by more than may be
    limited."""
    if density is None or not part:
        return _Dense(source, levels)

    def written(blocks: Iterator[Samples], name: str) -> Recording:
        return _written(blocks, folder / name, source.channels, source.sample_rate, source.frames)

    multiband = Multiband(source, density.bands, part)
    source = written(multiband.blocks(), "compressed.wav")
    if multiband.make_up is not None:
        source = written(filtered(source, multiband.make_up), "made_up.wav")
    most_db = min(part * density.clipped_db, allowed_db)
    peak_dbtp = measure_true_peak(source) if most_db else -math.inf
    if not math.isfinite(peak_dbtp):
        return _Dense(source, levels_of(source), multiband.most_reduction_db)
    source = written(SoftClipper(peak_dbtp, most_db).clipped(source), "clipped.wav")
    levels = levels_of(source)
    return _Dense(source, levels, multiband.most_reduction_db, peak_dbtp - levels.true_peak_dbtp)


@dataclass(frozen=True)
class _Shaped:
    """A mix that only lacks its level, and what gain and limiting it may get at most."""

    source: Recording
    loudness_lufs: float
    true_peak_dbtp: float
    most_gain_db: float
    allowed_db: float

    def levelled(self, target: Target, path: Path, thrifty: bool) -> tuple[Levelled, Level]:
        """At the target, and how to do that again for another ceiling or loudness."""
        most_gain_db = min(self.most_gain_db, target.limiter_dbtp + self.allowed_db - self.true_peak_dbtp)
        levelling = partial(
            level, self.source, loudness_lufs=self.loudness_lufs, true_peak_dbtp=self.true_peak_dbtp
        )
        levelled = levelling(
            path, target.limiter_dbtp, target.lufs, most_gain_db=most_gain_db, thrifty=thrifty
        )
        again = partial(
            levelling,
            most_gain_db=levelled.gain_db if levelled.bounded else most_gain_db,
            thrifty=False,
            first_gain_db=levelled.gain_db,
        )
        return levelled, again

    def in_stereo(self, path: Path) -> _Shaped:
        """Mixed down."""
        blocks = map(downmix_to_stereo, self.source.blocks())
        rate, frames = self.source.sample_rate, self.source.frames
        source = _written(blocks, path, 2, rate, frames)
        levels = levels_of(source)
        return replace(
            self,
            source=source,
            loudness_lufs=levels.loudness.integrated_lufs,
            true_peak_dbtp=levels.true_peak_dbtp,
        )


def _in_stereo(
    folded: Callable[[], _Shaped], target: Target, path: Path, thrifty: bool
) -> tuple[Levelled, Level]:
    return folded().levelled(target, path, thrifty)


def _resampled(mix: Recording, path: Path, wanted: int | None) -> Recording:
    """The mix, or a copy at that rate, of the same duration to the nearest frame (at least one)."""
    rate = wanted or (44_100 if mix.sample_rate % 44_100 == 0 else 48_000)
    if rate == mix.sample_rate:
        return mix
    frames = max(1, round(mix.frames * rate / mix.sample_rate))
    return _written(
        at_rate(mix.blocks(), mix.sample_rate, rate, mix.channels, frames), path, mix.channels, rate, frames
    )


def _centred(source: Recording, found: Measured, path: Path) -> Recording:
    """The recording, or a copy without the constant offset of channels that have more than OFFSET: it costs
    headroom."""
    if source.frames < source.sample_rate:
        return source
    offset = found.offsets
    part = np.clip(np.abs(offset) / (OFFSET * np.maximum(found.peaks - np.abs(offset), 1e-9)) - 1, 0.0, 1.0)
    if not part.any():
        return source
    moved = (part * offset)[:, None].astype(np.float32)
    blocks = (block - moved for block in source.blocks())
    return _written(blocks, path, source.channels, source.sample_rate, source.frames)


def _written(blocks: Iterator[Samples], path: Path, channels: int, rate: int, frames: int) -> Recording:
    with write_recording(path, rate, channels, frames) as writer:
        for block in ahead(blocks):
            writer.write(block)
    return writer.recording
