"""How much later a version begins than the original, to the sample: what switching between them makes up for.

Quality control looks for the same by onsets, to a hundredth of a second, which is enough for what it compares.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording
from resonate_studio.hearing.segments import RATE, frames_at_rate, read_at_rate

ALIGNMENT_VERSION = 1
"""Part of the name of what is kept: raised when offsets come out otherwise."""

_FARTHEST = RATE // 2  # encoder delays and filters stay under 0.1 s
_SPAN = 1 << 17  # 2.7 s
_SPANS = 8
_LOWEST_HZ, _HIGHEST_HZ = 100.0, 8000.0
# A chance peak of 48,001 values of noise stands 4.3 deviations high on average, 6.5 once in 10 billion.
_CLEARLY = 8.0


def offset_seconds(original: Recording, version: Recording) -> float:
    """By how many seconds version comes late (negative: early), up to half a second either way.

    Where their generalised cross-correlation with phase transform (Knapp and Carter, 1976), summed over spans all
    over the original, has one clear peak; 0 where it has none: what was played anew, silence.
    """
    from scipy.fft import irfft, next_fast_len, rfft

    size = next_fast_len(_SPAN + 2 * _FARTHEST, real=True)
    hertz = np.fft.rfftfreq(size, 1 / RATE)
    heard = (hertz >= _LOWEST_HZ) & (hertz <= _HIGHEST_HZ)
    spectrum = np.zeros(hertz.size, np.complex128)
    last = max(0, min(frames_at_rate(original), frames_at_rate(version)) - _SPAN)
    for start in sorted({int(start) for start in np.linspace(0, last, _SPANS)}):
        # The version's span reaches as far beyond the original's as it may be late or early.
        before = _mono(original, start, start + _SPAN)
        after = _mono(version, start - _FARTHEST, start + _SPAN + _FARTHEST)
        cross = rfft(after, size) * np.conj(rfft(before, size))
        strength = np.abs(cross)
        present = heard & (strength > 1e-9 * strength.max(initial=1e-30))
        spectrum[present] += cross[present] / strength[present]
    correlation = irfft(spectrum, size)[: 2 * _FARTHEST + 1]
    best = int(np.argmax(correlation))
    deviation = float(np.std(correlation))
    if deviation == 0 or correlation[best] < _CLEARLY * deviation:
        return 0.0
    return (best - _FARTHEST) / RATE


def _mono(recording: Recording, start: int, stop: int) -> npt.NDArray[np.float64]:
    samples = read_at_rate(recording, start, stop)
    return np.asarray(samples.mean(axis=0) * np.hanning(samples.shape[1]), np.float64)
