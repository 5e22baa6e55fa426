"""What a high-pass took from the lows of a bass: lifted where it is still there, made from the octave above where
it is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.restoration.excitation import SubBass
from resonate_resources.signal.bandwidth import LineLevels
from resonate_resources.signal.linear_phase import convolved, linear_phase
from resonate_resources.signal.octaves import OCTAVES_HZ

_LOW_HZ, _DEEP_HZ, _BASS_HZ = (30.0, 80.0), (30.0, 60.0), (80.0, 200.0)
_LACKING_DB = -10.0
_WANTED_DB = -7.0
"""Energy of 30 to 80 against 80 to 200 Hz. Of the basses of the songs of `fit_extension` it lies from −8.3 to 1.3
dB, behind a filter of 24 dB an octave at 100 Hz from −11 to −27 dB."""
_SILENT_DBFS = -80.0
_EMPTY_DB = -35.0  # of 30 to 60 Hz: behind a wall or 48 dB an octave; behind 24 dB an octave it is −18 to −28
_OCTAVE_DB = -5.0
"""Of the octave against its source. Nearer to the truth by log-spectral distance and band balance than −10 dB, at a
decibel of SI-SDR: an octave has the level of what is lost, and not its phase."""
_EVENTFUL_DB = 15.0
"""From what lines fall back to, to what they rise to: of steady noise 14.5 dB (see `signal.bandwidth`)."""


@dataclass(frozen=True)
class LowerBand:
    """lift_db: of what lies under 80 Hz. octave: whether that under 80 to 200 Hz is made instead."""

    lift_db: float
    octave: bool


def lacking_lows(levels: LineLevels, sample_rate: int, most_db: float) -> LowerBand | None:
    """What a bass lacks; None where it lacks nothing. most_db: how far it may be lifted."""
    lines = len(levels.mean_db) - 1
    hertz = np.arange(lines + 1) * sample_rate / 2 / lines
    low, deep, bass = ((hertz >= band[0]) & (hertz < band[1]) for band in (_LOW_HZ, _DEEP_HZ, _BASS_HZ))
    if not deep.any() or not bass.any() or levels.high_db[bass].max() < _SILENT_DBFS:
        return None
    power = 10 ** (levels.mean_db / 10)
    low_db, deep_db = (float(10 * np.log10(power[band].sum() / power[bass].sum())) for band in (low, deep))
    if low_db >= _LACKING_DB:
        return None
    if deep_db < _EMPTY_DB:
        return LowerBand(0.0, octave=True)
    if np.median((levels.high_db - levels.low_db)[deep]) < _EVENTFUL_DB:
        return None
    return LowerBand(min(most_db, _WANTED_DB - low_db), octave=False)


def with_lows(recording: Recording, band: LowerBand) -> Iterator[Samples]:
    """The recording's blocks with what they lack, of the same length, without latency."""
    if not band.octave:
        gains_db = np.where(np.array(OCTAVES_HZ) < _LOW_HZ[1], band.lift_db, 0.0).tolist()
        taps = linear_phase(gains_db, recording.sample_rate)
        yield from convolved(recording.blocks(), [taps] * recording.channels)
        return
    under, gain = SubBass(recording.sample_rate), np.float32(10 ** (_OCTAVE_DB / 20))
    for block in recording.blocks():
        yield block + gain * under.process(block)
