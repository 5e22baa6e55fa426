"""Speed that wavers, of a known depth: an eccentric record's wow, a tape's flutter."""

from __future__ import annotations

import numpy as np

from resonate_resources.recordings.recording import Samples

_HALF = 32  # taps of the interpolating filter a side


def wowing(clean: Samples, sample_rate: int, chance: np.random.Generator, size: float) -> Samples:
    """A record 33 times a minute round a hole off its middle: speed ±size (0.003: 0.3 %) at 0.5 Hz, and a little
    at twice that."""
    return _played(clean, sample_rate, ((0.5, size), (1.0, size / 5)), chance)


def fluttering(clean: Samples, sample_rate: int, chance: np.random.Generator, size: float) -> Samples:
    """A capstan out of round: speed ±size at 6 Hz."""
    return _played(clean, sample_rate, ((6.0, size),), chance)


def _played(
    clean: Samples, sample_rate: int, speeds: tuple[tuple[float, float], ...], chance: np.random.Generator
) -> Samples:
    """Read at positions that move by 1 + Σ depth·cos(2πft + φ) a sample; silence beyond the ends."""
    time = np.arange(clean.shape[1]) / sample_rate
    ahead = np.zeros(clean.shape[1])
    for hertz, depth in speeds:
        phase = chance.uniform(0, 2 * np.pi)
        ahead += depth / (2 * np.pi * hertz) * (np.sin(2 * np.pi * hertz * time + phase) - np.sin(phase))
    at = (time + ahead) * sample_rate
    whole = np.floor(at).astype(int)
    taps = np.arange(1 - _HALF, _HALF + 1)
    padded = np.pad(clean, ((0, 0), (_HALF, _HALF + 1)))
    damaged = np.empty_like(clean)
    for start in range(0, len(at), 1 << 14):
        here = slice(start, start + (1 << 14))
        off = taps[None] - (at[here] - whole[here])[:, None]
        sinc = (
            np.sinc(off) * np.kaiser(1001, 10.0)[np.round((off / _HALF + 1) * 500).astype(int).clip(0, 1000)]
        )
        index = (whole[here][:, None] + taps[None] + _HALF).clip(0, padded.shape[1] - 1)
        damaged[:, here] = np.einsum("ft,cft->cf", sinc, padded[:, index])
    return damaged
