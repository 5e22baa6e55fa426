"""How strongly each pitch class sounds over time: what a key is found in.

Not the chroma that quality control compares: a key is looked for in a tuning that is yet to be found, so these are
peaks at their own frequencies, in fifths of a semitone.
"""

from __future__ import annotations

import numpy as np

from resonate_resources.recordings.recording import Progress, Recording, silent
from resonate_resources.signal.band_levels import Floats
from resonate_resources.signal.mono import mono_blocks, overlapping_frames

SAMPLE_RATE = 22050
PITCH_FRAME = 8192  # 2.7 Hz between spectral lines: semitones are apart from E2 up
PITCH_HOP = 4096
PITCH_RATE = SAMPLE_RATE / PITCH_HOP
BINS_PER_OCTAVE = 60  # 20 cents: fine enough to find the tuning
_PITCH_RANGE_HZ = (40.0, 1000.0)  # from a bass guitar's E1; above 1 kHz partials outnumber fundamentals


def pitch_class_energy(recording: Recording, progress: Progress = silent) -> Floats:
    """(frames, 60) at 5.4 Hz: magnitude of spectral peaks by pitch class, in steps of 20 cents upward from A.

    A peak between two steps is shared between them: the tuning is told to a cent or two.

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
        below = np.floor(octaves * BINS_PER_OCTAVE)
        beyond = octaves * BINS_PER_OCTAVE - below
        bins = below.astype(int) % BINS_PER_OCTAVE
        energy = np.zeros((len(frames), BINS_PER_OCTAVE), np.float32)
        np.add.at(energy, (frame, bins), np.exp(centre) * (1 - beyond))
        np.add.at(energy, (frame, (bins + 1) % BINS_PER_OCTAVE), np.exp(centre) * beyond)
        parts.append(energy)
    return np.concatenate(parts)
