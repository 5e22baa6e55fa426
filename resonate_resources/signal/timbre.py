"""Timbre of a whole recording over time: what sections are found in. 60 kB for three minutes, 10 MB for eight
hours."""

from __future__ import annotations

from resonate_resources.recordings.recording import Progress, Recording, silent
from resonate_resources.signal.band_levels import Floats, band_levels, mel_bands

SAMPLE_RATE = 22050
FRAME = 1024
HOP = 512
BANDS = 40  # mel bands, as in Ellis, "Beat Tracking by Dynamic Programming" (2007)
_RANGE_HZ = (30.0, 10_000.0)
TIMBRE_FRAMES = 22
TIMBRE_SECONDS = TIMBRE_FRAMES * HOP / SAMPLE_RATE  # 0.51


def hear_timbre(recording: Recording, progress: Progress = silent, *, skip_s: float = 0.0) -> Floats:
    """(vectors, 40): mean level in dB of mel bands over 0.51 s, from the mean of the channels at 22050 Hz.

    skip_s: seconds of the recording that are passed over; negative: of silence before it.
    """
    bands = mel_bands(BANDS, *_RANGE_HZ, SAMPLE_RATE, FRAME)
    levels = band_levels(recording, bands, SAMPLE_RATE, HOP, progress, skip=round(skip_s * SAMPLE_RATE))
    whole = len(levels) // TIMBRE_FRAMES * TIMBRE_FRAMES
    timbre: Floats = levels[:whole].reshape(-1, TIMBRE_FRAMES, BANDS).mean(axis=1)
    return timbre
