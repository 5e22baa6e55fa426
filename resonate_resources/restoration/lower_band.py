"""What a high-pass took from the lows of a bass: lifted where it is still there, made from the octave above where it
is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from resonate_resources.recordings.recording import BLOCK_FRAMES, Recording, Samples
from resonate_resources.restoration.excitation import SubBass
from resonate_resources.signal.bandwidth import LineLevels
from resonate_resources.signal.blocks import in_blocks
from resonate_resources.signal.linear_phase import convolved, linear_phase

_LOW_HZ, _BASS_HZ = (30.0, 80.0), (80.0, 200.0)
_LACKING_DB = -10.0
_WANTED_DB = -7.0
"""Energy of 30 to 80 against 80 to 200 Hz. Of the basses of the songs of `fit_extension` it lies from −8.3 to 1.3 dB,
behind a filter of 24 dB an octave at 100 Hz from −11 to −27 dB."""
_EVENTFUL_DB = 15.0
"""From what lines fall back to, to what they rise to: of steady noise 14.5 dB (see `signal.bandwidth`)."""
_OCTAVES = 10


@dataclass(frozen=True)
class LowerBand:
    """lift_db: of what lies under 80 Hz. octave_db: how loud the octave under 80 to 200 Hz is made, −inf for none."""

    lift_db: float
    octave_db: float


def lacking_lows(levels: LineLevels, sample_rate: int, most_db: float) -> LowerBand | None:
    """What a bass lacks; None where it lacks nothing. most_db: how far it may be lifted."""
    lines = len(levels.mean_db) - 1
    hertz = np.arange(lines + 1) * sample_rate / 2 / lines
    low, bass = ((hertz >= band[0]) & (hertz < band[1]) for band in (_LOW_HZ, _BASS_HZ))
    if not low.any() or not bass.any():
        return None
    power = 10 ** (levels.mean_db / 10)
    has_db = float(10 * np.log10(power[low].sum() / power[bass].sum()))
    if has_db >= _LACKING_DB or levels.high_db[bass].max() < -80:
        return None
    eventful = np.median((levels.high_db - levels.low_db)[low]) >= _EVENTFUL_DB
    lift_db = min(most_db, _WANTED_DB - has_db) if eventful else 0.0
    missing = 10 ** (_WANTED_DB / 10) - 10 ** ((has_db + lift_db) / 10)
    left = has_db + lift_db < 2 * _LACKING_DB
    return LowerBand(lift_db, float(10 * np.log10(missing)) - SubBass.LEVEL_DB if left else -np.inf)


def with_lows(recording: Recording, band: LowerBand) -> Iterator[Samples]:
    """The recording's blocks with what they lack, of the same length, without latency."""
    taps = linear_phase((band.lift_db, band.lift_db, *[0.0] * (_OCTAVES - 2)), recording.sample_rate)
    lifted = convolved(recording.blocks(), [taps] * recording.channels)
    if not np.isfinite(band.octave_db):
        yield from lifted
        return
    octave, gain = SubBass(recording.sample_rate), np.float32(10 ** (band.octave_db / 20))
    made = (octave.process(block) for block in recording.blocks())
    for block, under in zip(in_blocks(lifted, BLOCK_FRAMES), made, strict=True):
        yield block + gain * under
