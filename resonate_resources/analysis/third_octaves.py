"""Where the sound of a track lies: its mean spectrum by thirds of an octave, an equaliser's bands."""

from __future__ import annotations

from itertools import chain

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording

Floats = npt.NDArray[np.float64]

THIRDS_HZ = tuple((1000.0 * 2.0 ** (np.arange(-15, 14) / 3)).tolist())
"""Exact centres from 31 Hz to 20 kHz (IEC 61260-1, base two)."""

_RESOLUTION_HZ = 3.0  # 16,384 points at 44.1 and 48 kHz: the lowest third has three lines
_SILENCE_DB = -140.0


def third_octaves(recording: Recording, edges_s: Floats) -> Floats:
    """(spans + 1, 29): dB of the mean square in each third, mean of the channels, full scale 1; of all, then of
    what lies between each edge and the next, in s, rising. −140 where there is nothing. Memory is constant.

    Hann windows, overlapping by half; each counts to the span that its middle lies in. The lowest thirds hear some
    of their neighbours, as the window's line is 5 Hz wide.
    """
    from scipy.fft import rfft

    size = 1 << int(np.ceil(np.log2(recording.sample_rate / _RESOLUTION_HZ)))
    window = np.sqrt(2 / 3) * 2 * np.hanning(size + 1)[:-1].astype(np.float32)  # of power 1
    thirds = _membership(np.arange(size // 2 + 1, dtype=np.float64) * (recording.sample_rate / size))
    spans = len(edges_s) - 1
    sums, frames = np.zeros((spans, len(THIRDS_HZ))), np.zeros(spans)
    hop = size // 2
    held = np.zeros((recording.channels, hop), np.float32)
    middle = 0
    rest = np.zeros((recording.channels, hop), np.float32)
    for block in chain(recording.blocks(), (rest,)):
        held = np.concatenate([held, block], axis=1)
        while held.shape[1] >= size:
            spectra = rfft(held[:, :size] * window, axis=1)
            power = (spectra.real**2 + spectra.imag**2).mean(axis=0) @ thirds
            span = int(np.searchsorted(edges_s, middle / recording.sample_rate, side="right")) - 1
            if 0 <= span < spans:
                sums[span] += 2 * power / size**2
                frames[span] += 1
            held, middle = held[:, hop:], middle + hop
    means = np.vstack([sums.sum(axis=0) / max(frames.sum(), 1), sums / np.maximum(frames, 1)[:, np.newaxis]])
    return np.asarray(10 * np.log10(np.maximum(means, 10 ** (_SILENCE_DB / 10))), np.float64)


def _membership(hertz: Floats) -> npt.NDArray[np.float32]:
    """(lines, thirds): how much of a line lies in a third, 0 to 1."""
    step = hertz[1]
    centres = np.array(THIRDS_HZ)
    low, high = centres * 2 ** (-1 / 6), centres * 2 ** (1 / 6)
    bottom, top = hertz[:, np.newaxis] - step / 2, hertz[:, np.newaxis] + step / 2
    inside = np.clip(np.minimum(top, high) - np.maximum(bottom, low), 0, None)
    return np.asarray(inside / step, np.float32)
