"""Loudness after ITU-R BS.1770-5, EBU R 128, EBU Tech 3341 (meters) and EBU Tech 3342 (loudness range).

Numbers of equations are those of BS.1770-4, annex 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording, Samples

_OFFSET_LU = -0.691  # BS.1770: 0 dBFS of 997 Hz in one channel reads −3.01 LUFS
_ABSOLUTE_GATE_LUFS = -70.0
_MOMENTARY_HOPS = 4  # 400 ms, in hops of 100 ms (75 % overlap): the gating blocks of eq. 3
_SHORT_TERM_HOPS = 30  # 3 s
_MOST_STEPS = (
    10  # in a hop: the most of any 400 ms or 3 s is looked for every 10 ms, where the rate has such steps
)

# BS.1770-5, annex 3: 1.41 (+1.5 dB) at the listener's height from 60° to 120° to the side, 1 elsewhere, also over
# 30° up; the LFE is left out. Channel order as in WAVE files: L R C LFE, back, side, above; four channels are
# L R Ls Rs, five are L R C Ls Rs. In 5.1 the surrounds stand at 110°, in 7.1 at the back (135°) and the side (90°).
_FRONT, _BACK, _SIDE, _ABOVE = (1.0, 1.0, 1.0, 0.0), (1.0, 1.0), (1.41, 1.41), (1.0, 1.0, 1.0, 1.0)
_CHANNEL_WEIGHTS = {
    1: (1.0,),
    2: (1.0, 1.0),
    3: (1.0, 1.0, 1.0),
    4: (1.0, 1.0, *_SIDE),
    5: (1.0, 1.0, 1.0, *_SIDE),
    6: (*_FRONT, *_SIDE),
    7: (*_FRONT, 1.0, *_SIDE),
    8: (*_FRONT, *_BACK, *_SIDE),
    10: (*_FRONT, *_SIDE, *_ABOVE),
    12: (*_FRONT, *_BACK, *_SIDE, *_ABOVE),
}
METERED_CHANNELS = tuple(_CHANNEL_WEIGHTS)
"""Up to 5.1, and 6.1, 7.1, 5.1.4, 7.1.4."""


@dataclass(frozen=True)
class Loudness:
    """LUFS and LU; -inf where nothing passes the gate, or where the audio is shorter than the window."""

    integrated_lufs: float
    range_lu: float
    max_momentary_lufs: float
    max_short_term_lufs: float


class LoudnessMeter:
    """Meters audio given block by block; its state is two filters and one energy per 10 ms.

    sample_rate in Hz; channels in WAVE order, METERED_CHANNELS of them; others raise ValueError.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        if channels not in _CHANNEL_WEIGHTS:
            known = ", ".join(map(str, METERED_CHANNELS))
            raise ValueError(f"loudness is defined for {known} channels, not {channels}")
        self._weights = np.array(_CHANNEL_WEIGHTS[channels])
        self._sections = k_weighting(sample_rate)
        self._filter_state = np.zeros((2, channels, 2))
        hop_frames = round(sample_rate / 10)
        self._steps = next(steps for steps in range(_MOST_STEPS, 0, -1) if hop_frames % steps == 0)
        self._step_frames = hop_frames // self._steps
        self._pending = np.zeros((channels, 0))
        self._step_powers: list[npt.NDArray[np.float64]] = []

    def update(self, block: Samples) -> None:
        """Take the next (channels, frames)."""
        from scipy.signal import sosfilt

        if not block.shape[1]:
            return
        weighted, state = sosfilt(self._sections, block.astype(np.float64), axis=-1, zi=self._filter_state)
        state[np.abs(state) < 1e-60] = 0.0  # in digital silence the filter would creep on in slow denormals
        self._filter_state = state
        weighted = np.concatenate([self._pending, weighted], axis=1)
        steps = weighted.shape[1] // self._step_frames
        whole = weighted[:, : steps * self._step_frames].reshape(len(weighted), steps, self._step_frames)
        powers = np.einsum("csf,csf->cs", whole, whole) / self._step_frames  # eq. 1, z of each channel
        self._step_powers.append(self._weights @ powers)  # eq. 2, the sum of G·z
        self._pending = weighted[:, steps * self._step_frames :]

    def measured(self) -> Loudness:
        """All of it, so far."""
        return Loudness(self.integrated(), self.loudness_range(), self.max_momentary(), self.max_short_term())

    def integrated(self) -> float:
        """Gated programme loudness in LUFS; -inf under 400 ms, and where every block is under −70 LUFS."""
        powers = self._window_powers(_MOMENTARY_HOPS)  # eq. 3, z of each gating block, summed over channels
        powers = powers[powers > _power(_ABSOLUTE_GATE_LUFS)]  # eq. 4 and 5: blocks over the absolute gate
        if not powers.size:
            return -math.inf
        return _lufs(float(np.mean(powers[powers > np.mean(powers) / 10])))  # eq. 6, −10 LU; eq. 7

    def loudness_range(self) -> float:
        """Loudness range in LU; 0 where fewer than 3 s pass the gate (EBU Tech 3342)."""
        powers = self._window_powers(_SHORT_TERM_HOPS)
        powers = powers[powers > _power(_ABSOLUTE_GATE_LUFS)]
        if not powers.size:
            return 0.0
        gated = powers[powers > np.mean(powers) / 100]  # relative gate: −20 LU
        low, high = np.percentile(gated, [10, 95], method="nearest")
        return 10 * math.log10(high / low)

    def max_momentary(self) -> float:
        """Highest loudness of any 400 ms in LUFS, ungated, at steps of 10 ms."""
        return _lufs(self._most(_MOMENTARY_HOPS * self._steps))

    def max_short_term(self) -> float:
        """Highest loudness of any 3 s in LUFS, ungated, at steps of 10 ms."""
        return _lufs(self._most(_SHORT_TERM_HOPS * self._steps))

    def _most(self, steps: int) -> float:
        """Highest mean weighted power of any window of so many steps; 0 where there is none."""
        powers = self._powers()
        if powers.size < steps:
            return 0.0
        sums = np.concatenate([[0.0], np.cumsum(powers)])
        start = int(np.argmax(sums[steps:] - sums[:-steps]))
        return float(powers[start : start + steps].mean())

    def _powers(self) -> npt.NDArray[np.float64]:
        return np.concatenate([np.zeros(0), *self._step_powers])

    def _window_powers(self, hops: int) -> npt.NDArray[np.float64]:
        """Mean weighted power of every window of so many hops, at steps of one."""
        powers = self._powers()
        powers = powers[: powers.size // self._steps * self._steps].reshape(-1, self._steps).mean(axis=1)
        if powers.size < hops:
            return np.zeros(0)
        windows = np.lib.stride_tricks.sliding_window_view(powers, hops)
        return np.asarray(windows.mean(axis=1), np.float64)


def measure_loudness(recording: Recording) -> Loudness:
    """Loudness of a recording, read once. Raises ValueError for other channels than METERED_CHANNELS."""
    meter = LoudnessMeter(recording.sample_rate, recording.channels)
    for block in recording.blocks():
        meter.update(block)
    return meter.measured()


def k_weighting(sample_rate: int) -> npt.NDArray[np.float64]:
    """BS.1770's two filters as second-order sections (2, 6), for any sample rate in Hz.

    The standard tabulates them at 48 kHz only. These are the analogue prototypes behind its table (centre,
    gain and Q as derived for libebur128), through the bilinear transform: at 48 kHz they are the table.
    """
    # Stage 1: the head's high shelf.
    k = math.tan(math.pi * 1681.974450955533 / sample_rate)
    q = 0.7071752369554196
    high = 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    norm = 1 + k / q + k * k
    shelf = [
        (high + band * k / q + k * k) / norm,
        2 * (k * k - high) / norm,
        (high - band * k / q + k * k) / norm,
        1.0,
        2 * (k * k - 1) / norm,
        (1 - k / q + k * k) / norm,
    ]
    # Stage 2: the RLB high-pass.
    k = math.tan(math.pi * 38.13547087602444 / sample_rate)
    q = 0.5003270373238773
    norm = 1 + k / q + k * k
    high_pass = [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / norm, (1 - k / q + k * k) / norm]
    return np.array([shelf, high_pass])


def _lufs(power: float) -> float:
    """Equation 2 and, of a gating block, 4."""
    return _OFFSET_LU + 10 * math.log10(power) if power > 0 else -math.inf


def _power(lufs: float) -> float:
    return float(10 ** ((lufs - _OFFSET_LU) / 10))
