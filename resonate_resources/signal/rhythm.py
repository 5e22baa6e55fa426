"""What beats and sections are found in: onset strength and timbre of a whole recording, in one pass.

Kept as small vectors: 1 MB for three minutes, 190 MB for eight hours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from resonate_resources.recordings.recording import Progress, Recording, silent
from resonate_resources.signal.band_levels import Floats, band_levels, mel_bands
from resonate_resources.signal.onsets import onset_strength

SAMPLE_RATE = 22050
FRAME = 1024
HOP = 512
FRAME_RATE = SAMPLE_RATE / HOP  # 43.07 frames a second
BANDS = 40  # mel bands, as in Ellis, "Beat Tracking by Dynamic Programming" (2007)
_RANGE_HZ = (30.0, 10_000.0)
TIMBRE_FRAMES = 22
TIMBRE_SECONDS = TIMBRE_FRAMES * HOP / SAMPLE_RATE  # 0.51
_AUDIBLE_DB = (
    40.0  # what is further below the loudest band within _AROUND counts for no onset: louder ones mask it
)
_AROUND = 512  # frames: 12 s
_SILENCE_DB = -70.0


@dataclass(frozen=True)
class Rhythm:
    """onset: (frames,) at 43 Hz: mean rise of level over mel bands in dB, frame 0 centred on the first sample.
    timbre: (vectors, 40): mean level in dB of the bands over 0.51 s."""

    onset: Floats
    timbre: Floats


def hear_rhythm(recording: Recording, progress: Progress = silent, *, skip_s: float = 0.0) -> Rhythm:
    """Onset strength and timbre, from the mean of the channels at 22050 Hz.

    skip_s: seconds of the recording that are passed over; negative: of silence before it.
    """
    from scipy.ndimage import maximum_filter1d

    bands = mel_bands(BANDS, *_RANGE_HZ, SAMPLE_RATE, FRAME)
    skip = round(skip_s * SAMPLE_RATE)
    levels = band_levels(recording, bands, SAMPLE_RATE, HOP, progress, skip=skip)
    loudest = maximum_filter1d(levels.max(axis=1), _AROUND)
    floor = np.maximum(loudest - np.float32(_AUDIBLE_DB), np.float32(_SILENCE_DB))[:, np.newaxis]
    onset = onset_strength(levels, floor)
    onset[0] = 0  # what a file begins with has not begun there
    whole = len(levels) // TIMBRE_FRAMES * TIMBRE_FRAMES
    timbre = levels[:whole].reshape(-1, TIMBRE_FRAMES, BANDS).mean(axis=1)
    return Rhythm(onset, timbre)
