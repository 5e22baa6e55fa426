"""What the profile is made from: onset strength, timbre and pitch classes over time.

Kept for the whole recording as small vectors: 1.3 MB for three minutes, 250 MB for eight hours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Progress, Recording, silent
from resonate_resources.signal.mono import mono_blocks, overlapping_frames

Floats = npt.NDArray[np.float32]

SAMPLE_RATE = 22050
FRAME = 1024
HOP = 512
FRAME_RATE = SAMPLE_RATE / HOP  # 43.07 frames a second
BANDS = 40  # mel bands, as in Ellis, "Beat Tracking by Dynamic Programming" (2007)
TIMBRE_FRAMES = 22
TIMBRE_SECONDS = TIMBRE_FRAMES * HOP / SAMPLE_RATE  # 0.51
_AUDIBLE_DB = (
    40.0  # what is further below the loudest band within _AROUND counts for no onset: louder ones mask it
)
_AROUND = 512  # frames: 12 s
_SILENCE_DB = -70.0

PITCH_FRAME = 8192  # 2.7 Hz between spectral lines: semitones are apart from E2 up
PITCH_HOP = 4096
PITCH_RATE = SAMPLE_RATE / PITCH_HOP
BINS_PER_OCTAVE = 60  # 20 cents: fine enough to find the tuning
_PITCH_RANGE_HZ = (40.0, 1000.0)  # from a bass guitar's E1; above 1 kHz partials outnumber fundamentals


@dataclass(frozen=True)
class Rhythm:
    """onset: (frames,) at 43 Hz: mean rise of level over mel bands in dB, frame 0 centred on the first sample.
    timbre: (vectors, 40): mean level in dB of the bands over 0.51 s."""

    onset: Floats
    timbre: Floats


def rhythm_features(recording: Recording, progress: Progress = silent) -> Rhythm:
    """Onset strength and timbre, from the mean of the channels at 22050 Hz."""
    from scipy.ndimage import maximum_filter1d

    levels = np.concatenate(list(_mel_levels(recording, progress)))
    loudest = maximum_filter1d(levels.max(axis=1), _AROUND)
    floor = np.maximum(loudest - np.float32(_AUDIBLE_DB), np.float32(_SILENCE_DB))[:, np.newaxis]
    onset = np.zeros(len(levels), np.float32)
    onset[1:] = (
        (np.maximum(levels[1:], floor[1:]) - np.maximum(levels[:-1], floor[1:])).clip(min=0).mean(axis=1)
    )
    whole = len(levels) // TIMBRE_FRAMES * TIMBRE_FRAMES
    timbre = levels[:whole].reshape(-1, TIMBRE_FRAMES, BANDS).mean(axis=1)
    return Rhythm(onset, timbre)


def pitch_class_energy(recording: Recording, progress: Progress = silent) -> Floats:
    """(frames, 60) at 5.4 Hz: magnitude of spectral peaks by pitch class, in steps of 20 cents upward from A.

    Peaks only, at frequencies interpolated between spectral lines, as in the harmonic pitch class profile
    of Gómez, "Tonal Description of Music Audio Signals" (2006).
    """
    from scipy.fft import rfft

    low, high = (round(hertz * PITCH_FRAME / SAMPLE_RATE) for hertz in _PITCH_RANGE_HZ)
    window = np.hanning(PITCH_FRAME + 1)[:-1].astype(np.float32)
    parts = []
    for frames in overlapping_frames(mono_blocks(recording, SAMPLE_RATE, progress), PITCH_FRAME, PITCH_HOP):
        level = np.log(np.abs(rfft(frames * window)[:, low - 1 : high + 2]) + np.float32(1e-9))
        left, centre, right = level[:, :-2], level[:, 1:-1], level[:, 2:]
        frame, line = np.nonzero((centre > left) & (centre >= right))
        left, centre, right = (values[frame, line] for values in (left, centre, right))
        offset = (left - right) / (2 * (left - 2 * centre + right))
        octaves = np.log2((low + line + offset) * (SAMPLE_RATE / PITCH_FRAME / 440))
        bins = np.round(octaves * BINS_PER_OCTAVE).astype(int) % BINS_PER_OCTAVE
        energy = np.zeros((len(frames), BINS_PER_OCTAVE), np.float32)
        np.add.at(energy, (frame, bins), np.exp(centre))
        parts.append(energy)
    return np.concatenate(parts)


def _mel_levels(recording: Recording, progress: Progress) -> Iterator[Floats]:
    """(frames, 40) in dB."""
    from scipy.fft import rfft

    window = np.hanning(FRAME + 1)[:-1].astype(np.float32)
    filters = _mel_filters()
    for frames in overlapping_frames(mono_blocks(recording, SAMPLE_RATE, progress), FRAME, HOP):
        spectra = rfft(frames * window)
        power = (spectra.real**2 + spectra.imag**2) @ filters / np.float32((FRAME / 4) ** 2)
        yield 10 * np.log10(np.maximum(power, np.float32(1e-12)))


def _mel_filters() -> Floats:
    """(513, 40): overlapping triangles, evenly spaced in mel (O'Shaughnessy 1987) from 30 Hz to 10 kHz."""
    low, high = (2595 * np.log10(1 + hertz / 700) for hertz in (30.0, 10_000.0))
    corners = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    hertz = np.arange(FRAME // 2 + 1)[:, np.newaxis] * SAMPLE_RATE / FRAME
    rising = (hertz - corners[:-2]) / np.diff(corners)[:-1]
    falling = (corners[2:] - hertz) / np.diff(corners)[1:]
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
