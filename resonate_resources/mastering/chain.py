"""A mix to a master: resampled, shaped, levelled, delivered."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from resonate_resources.mastering.delivery import Delivered, deliver
from resonate_resources.mastering.levelling import Levelled, level
from resonate_resources.mastering.shaping import SHAPES, WORKING_LOUDNESS_LUFS, shaped
from resonate_resources.parallel import ahead
from resonate_resources.preset import Preset
from resonate_resources.recordings.recording import Progress, Recording, silent, write_recording
from resonate_resources.recordings.tags import Tags
from resonate_resources.signal.loudness import LoudnessMeter
from resonate_resources.signal.resampling import at_rate
from resonate_resources.signal.true_peak import TruePeakMeter

SAMPLE_RATE = 48_000

GAIN_BOUND_DB = 40.0
"""A mix is raised at most so much: what would need more is noise, or hardly there."""


@dataclass(frozen=True)
class Mastered:
    """gain_db went into the limiter, against the mix; limiting_db is the most that the limiter took off."""

    files: Mapping[str, Delivered]
    gain_db: float
    limiting_db: float


def master(mix: Recording, into: Path, preset: Preset, tags: Tags, progress: Progress = silent) -> Mastered:
    """Write master.wav, master.flac and master.mp3 of a mix of 1 to 6 channels. Raises AudioError."""
    with TemporaryDirectory(dir=into) as folder:
        source, loudness = _resampled(mix, Path(folder) / "resampled.wav")
        progress(0.1)
        working_gain = (
            min(WORKING_LOUDNESS_LUFS - loudness, GAIN_BOUND_DB) if math.isfinite(loudness) else 0.0
        )
        levelling = _shaped(source, Path(folder) / "shaped.wav", preset, working_gain)
        levelled = levelling(Path(folder) / "limited.wav")
        progress(0.5)
        files = deliver(levelled, levelling, into, tags)
    return Mastered(files, working_gain + levelled.gain_db, levelled.limiting_db)


def _resampled(mix: Recording, path: Path) -> tuple[Recording, float]:
    """The mix at the master's rate, of the same duration to the nearest frame (at least one); its loudness."""
    frames = max(1, round(mix.frames * SAMPLE_RATE / mix.sample_rate))
    loudness = LoudnessMeter(SAMPLE_RATE, mix.channels)
    with write_recording(path, SAMPLE_RATE, mix.channels, frames) as writer:
        for block in ahead(at_rate(mix.blocks(), mix.sample_rate, SAMPLE_RATE, mix.channels, frames)):
            loudness.update(block)
            writer.write(block)
    return writer.recording, loudness.integrated()


def _shaped(source: Recording, path: Path, preset: Preset, gain_db: float) -> Callable[..., Levelled]:
    """The recording shaped, as `level` that only needs a path, a ceiling and a target."""
    loudness = LoudnessMeter(source.sample_rate, source.channels)
    true_peak = TruePeakMeter(source.sample_rate, source.channels)
    with write_recording(path, source.sample_rate, source.channels, source.frames) as writer:
        for block in ahead(shaped(source.blocks(), source.sample_rate, SHAPES[preset], gain_db)):
            loudness.update(block)
            true_peak.update(block)
            writer.write(block)
    return partial(
        level,
        writer.recording,
        loudness_lufs=loudness.integrated(),
        true_peak_dbtp=true_peak.peak(),
        most_gain_db=GAIN_BOUND_DB - gain_db,
    )
