"""Compression that keeps the image where it is: one gain for all channels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples

_SILENCE = np.float32(1e-9)  # −180 dBFS: keeps the division below defined
_BUFFER = 8192  # frames that pedalboard works on at a time


@dataclass(frozen=True)
class Compression:
    """Settings: threshold in dBFS of the loudest channel's peak envelope, ratio, times in ms.

    attack_ms and release_ms: until 99.8 % of a step are made. look_ahead_ms: how long before a peak gain begins to
    fall; it is down when the peak comes where attack_ms is no longer.
    """

    threshold_db: float
    ratio: float
    attack_ms: float
    release_ms: float
    look_ahead_ms: float = 0.0


class LinkedCompressor:
    """pedalboard's compressor, which treats channels one by one, driven by the loudest channel.

    It is given the detector signal alone: the highest peak that comes within the look-ahead. What it makes of that
    is the gain for every channel. State crosses blocks inside pedalboard. No make-up gain.

    `process` returns frames once what follows them is known, the look-ahead fewer in all than it got; `flush` the
    rest. `least_gain` is the lowest so far.

    A step of 20 dB over the threshold at 4 : 1 is 15 dB down from its first frame on, and what comes well before
    it is as it was:

    >>> step = np.full((2, 48_000), 0.1, np.float32)
    >>> step[:, 24_000:] = 1.0
    >>> compressor = LinkedCompressor(Compression(-20, 4, 2.0, 100.0, look_ahead_ms=2.0), 48_000)
    >>> made = np.concatenate([compressor.process(step), compressor.flush()], axis=1)
    >>> gain = 20 * np.log10(made / step)
    >>> made.shape, [round(float(gain[0, frame])) for frame in (20_000, 24_000)]
    ((2, 48000), [0, -15])
    """

    def __init__(
        self, settings: Compression, sample_rate: int, part: float = 1.0, most_db: float = np.inf
    ) -> None:
        """part: how much of the gain is made, 0 to 1. most_db: what gain falls by at most, before that."""
        import pedalboard

        self._sample_rate = sample_rate
        self._compressor = pedalboard.Compressor(
            settings.threshold_db, settings.ratio, settings.attack_ms, settings.release_ms
        )
        # A larger buffer than those before has pedalboard forget its state: it gets its largest one first.
        self._shrunk(np.full(_BUFFER, _SILENCE))
        self._ahead = round(settings.look_ahead_ms * sample_rate / 1000)
        self._dry, self._least = np.float32(1 - part), np.float32(10 ** (-most_db / 20))
        self.least_gain = 1.0
        self._samples: Samples | None = None  # not yet returned
        # A look-ahead of silence goes before, in which gain may fall for a peak at the very start.
        self._lead_in = self._ahead

    def process(self, block: Samples) -> Samples:
        """The next (channels, frames)."""
        from scipy.ndimage import maximum_filter1d

        held = np.zeros((len(block), self._ahead), np.float32) if self._samples is None else self._samples
        samples = np.concatenate([held, block], axis=1)
        known = max(0, samples.shape[1] - self._ahead)
        self._samples = samples[:, known:]
        if not known:
            return samples[:, :0]
        peaks = np.abs(samples).max(axis=0) + _SILENCE
        if self._ahead:
            size = self._ahead + 1  # with this origin, a window begins with its frame
            peaks = maximum_filter1d(peaks, size, origin=-(size // 2))[:known]
        full = np.maximum(self._shrunk(peaks) / peaks, self._least)
        gain: npt.NDArray[np.float32] = self._dry + (1 - self._dry) * full
        self.least_gain = min(self.least_gain, float(gain.min()))
        lead_in, self._lead_in = min(known, self._lead_in), max(0, self._lead_in - known)
        made: Samples = samples[:, :known] * gain
        return made[:, lead_in:]

    def flush(self) -> Samples:
        """The last frames, as many as the look-ahead has."""
        if self._samples is None:
            raise ValueError("nothing was given to the compressor")
        return self.process(np.zeros((len(self._samples), self._ahead), np.float32))

    def _shrunk(self, peaks: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        made = self._compressor.process(peaks[None], self._sample_rate, buffer_size=_BUFFER, reset=False)
        return np.asarray(made[0], np.float32)


def compressed(
    stream: Iterator[Samples],
    settings: Compression,
    sample_rate: int,
    part: float = 1.0,
    most_db: float = np.inf,
) -> Iterator[Samples]:
    """A stream through a LinkedCompressor: without latency, of the same length."""
    compressor = LinkedCompressor(settings, sample_rate, part, most_db)
    heard = False
    for block in stream:
        heard = True
        yield compressor.process(block)
    if heard:
        yield compressor.flush()
