"""What is told of a recording: loudness, peaks, octaves, width. Found in one pass."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.signal.levels import Levels, meter
from resonate_resources.signal.loudness import LoudnessMeter
from resonate_resources.signal.octaves import OctaveMeter
from resonate_resources.signal.sound_quality import Score, quality_of
from resonate_resources.signal.traces import find_traces
from resonate_resources.signal.true_peak import TruePeakMeter

_FAINTEST = 1e-14


@dataclass(frozen=True)
class Facts:
    """Of one recording. octaves_db: mean square at OCTAVES_HZ, -inf for none. crest_db: true peak over RMS.
    width_db: side over mid, NaN where there is none. centroid_hz: of the mean spectrum, NaN of silence."""

    octaves_db: tuple[float, ...]
    integrated_lufs: float
    loudness_range_lu: float
    true_peak_dbtp: float
    crest_db: float
    width_db: float
    centroid_hz: float


@dataclass(frozen=True)
class Measured:
    """offsets, peaks: of each channel, its mean and its highest absolute sample."""

    facts: Facts
    levels: Levels
    offsets: npt.NDArray[np.float64]
    peaks: npt.NDArray[np.float64]

    @property
    def peak_over_loudness_db(self) -> float:
        """True peak over integrated loudness; 0 where either is unknown."""
        found = self.levels.true_peak_dbtp - self.levels.loudness.integrated_lufs
        return found if math.isfinite(found) else 0.0


def quality_by(facts: Facts, recording: Recording) -> Score:
    """How a recording of which that is known sounds by itself, 0 to 100."""
    return quality_of(
        find_traces(recording),
        recording.duration,
        facts.integrated_lufs,
        facts.true_peak_dbtp,
        facts.centroid_hz if math.isfinite(facts.centroid_hz) else None,
    )


def facts_of(recording: Recording) -> Facts:
    return measured(recording).facts


def measured(recording: Recording) -> Measured:
    """Measured in one pass."""
    rate, channels = recording.sample_rate, recording.channels
    loudness, peak = LoudnessMeter(rate, channels), TruePeakMeter(rate, channels)
    octaves, sums = OctaveMeter(rate, channels), _Sums(channels)
    meter(recording.blocks(), loudness.update, octaves.update, peak.update, sums.update)
    levels = Levels(loudness.measured(), peak.peak())
    energy = float(sums.energy.sum())
    powers = [power if power > _FAINTEST else 0.0 for power in octaves.levels().tolist()]
    facts = Facts(
        tuple(decibels(power) for power in powers),
        levels.loudness.integrated_lufs,
        levels.loudness.range_lu,
        levels.true_peak_dbtp,
        levels.true_peak_dbtp - decibels(energy / (recording.frames * channels)) if energy else math.nan,
        decibels(sums.side / sums.mid) if sums.side and sums.mid else math.nan,
        math.nan if (centroid_hz := octaves.centroid_hz()) is None else centroid_hz,
    )
    return Measured(facts, levels, sums.plain / max(1, recording.frames), sums.peaks)


class _Sums:
    """Of samples, of their squares, and of those of the middle and the sides of stereo."""

    def __init__(self, channels: int) -> None:
        self.plain, self.energy, self.peaks = np.zeros(channels), np.zeros(channels), np.zeros(channels)
        self.mid = self.side = 0.0

    def update(self, block: Samples) -> None:
        wide = block.astype(np.float64)
        self.plain += wide.sum(axis=1)
        self.energy += np.square(wide).sum(axis=1)
        self.peaks = np.maximum(self.peaks, np.abs(wide).max(axis=1, initial=0.0))
        if len(block) == 2:
            self.mid += float(np.square(wide[0] + wide[1]).sum())
            self.side += float(np.square(wide[0] - wide[1]).sum())


def decibels(power: float) -> float:
    """10·log10, -inf for 0."""
    return 10 * math.log10(power) if power > 0 else -math.inf
