"""How quiet a recording gets: noise is no louder than its quietest moments."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording, Samples

MOST_DB = 120.0
"""What is further down is digital silence."""

_MOMENT_S = 0.05
_QUIETEST = 2  # per cent of the moments


class QuietMeter:
    """Of audio given block by block. It keeps a number for each moment, half a million for eight hours."""

    def __init__(self, sample_rate: int) -> None:
        self._frames = max(1, round(_MOMENT_S * sample_rate))
        self._pending = np.zeros(0)
        self._powers: list[npt.NDArray[np.float64]] = []

    def update(self, block: Samples) -> None:
        """Take the next (channels, frames)."""
        power = np.concatenate([self._pending, np.square(block, dtype=np.float64).mean(axis=0)])
        whole = len(power) // self._frames * self._frames
        self._powers.append(power[:whole].reshape(-1, self._frames).mean(axis=1))
        self._pending = power[whole:]

    def floor_dbfs(self) -> float | None:
        """Power of the quietest fiftieth of the moments in dBFS: the noise floor is no higher. None as snr_db."""
        snr_db = self.snr_db()
        if snr_db is None:
            return None
        powers = self._sounding()
        return float(10 * np.log10(powers.mean())) - snr_db

    def snr_db(self) -> float | None:
        """Mean power over that of the quietest fiftieth of the moments, in dB, 0 to MOST_DB: the signal-to-noise
        ratio is no less. None of silence, and of less than a moment.

        Silence before the first sound and behind the last was put there, and says nothing.
        """
        powers = self._sounding()
        if not len(powers):
            return None
        quiet = max(float(np.percentile(powers, _QUIETEST)), 10 ** (-MOST_DB / 10) * float(powers.mean()))
        return float(10 * np.log10(powers.mean() / quiet))

    def _sounding(self) -> npt.NDArray[np.float64]:
        powers = np.concatenate([*self._powers, np.zeros(0)])
        sounding = np.flatnonzero(powers)
        return powers[sounding[0] : sounding[-1] + 1] if len(sounding) else powers[:0]


def snr_of(recording: Recording) -> float | None:
    """Of a recording, read once."""
    meter = QuietMeter(recording.sample_rate)
    for block in recording.blocks():
        meter.update(block)
    return meter.snr_db()
