"""Breath in a voice that is more periodic than real ones are: noise between 1 and 4 kHz, under its own envelope.

How periodic it is, is told by the ratio of harmonics to noise in that band, frame by frame, from how alike two
periods are to those one period on (Boersma 1993, by cross-correlation: pitch that moves is no noise).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from resonate_resources.naturalisation.changes import Change, told
from resonate_resources.naturalisation.keeping import heard, lost, mono_of
from resonate_resources.naturalisation.stretches import FRAME_S, Floats, Stretch, windows
from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.signal.mono import Mono
from resonate_resources.signal.pitch_track import HOP, SAMPLE_RATE

BAND_HZ = (1000.0, 4000.0)

CLEAREST_DB = 22.0
"""Harmonics over noise in that band, median of a window's voiced frames. Real voices have 2 to 21.5
(docs/measurements.md). At amount 1, noise is added until a voice is no clearer than that …"""

LOUDEST_DB = -26.0
"""… or is so far under it."""

_SEED = 12
_SHAPING = 3  # parts of the band, each with its own envelope
_POINTS, _FINER = (
    256,
    8,
)  # of two periods, which are held against those one period on; straight lines, −46 dB off
_LAGS = np.linspace(-0.014, 0.014, 15)  # around the period that was found
_FAINT_DB = 30.0  # frames so far under the loud ones tell nothing
_LEAST_S = 0.5
_FADE_S, _ENVELOPE_S = 0.02, 0.005
_LEAST_DB = -40.0  # of the noise: less is not worth a change
_ROOM = 1.1  # how far the rate must reach above the band
_CONTEXT_S = 0.05


@dataclass
class Breath:
    """Changes windows of a recording. made: start in seconds, level of the noise in dB against the voice's band."""

    amount: float
    sung: int = 0
    made: list[tuple[float, float]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def changes(self, recording: Recording, pitch: Floats, one: int | None) -> Iterator[Change]:
        if recording.sample_rate / 2 < _ROOM * BAND_HZ[1]:
            return
        for window in windows(pitch):
            yield from self._tried(recording, window, pitch[window.start : window.stop], one)

    def _tried(
        self, recording: Recording, window: Stretch, pitch: Floats, one: int | None
    ) -> Iterator[Change]:
        rate = recording.sample_rate
        start, stop = window.samples(rate, recording.frames)
        if (~np.isnan(pitch)).sum() * FRAME_S < _LEAST_S:
            return
        before = recording.read(start, stop)
        clear_db = clearness(mono_of(before, rate, one), pitch)
        if clear_db is None:
            return
        self.sung += 1
        lacking = _noise(CLEAREST_DB) - _noise(clear_db)
        level = self.amount * min(lacking, 10 ** (LOUDEST_DB / 10))
        if level < 10 ** (_LEAST_DB / 10):
            return
        context = round(_CONTEXT_S * rate)
        first = max(0, start - context)
        wider = recording.read(first, stop + context)
        noise = breath(wider, rate, first)[:, start - first :][:, : stop - start]
        noise *= _open(~np.isnan(pitch), stop - start, rate) * level**0.5
        after = before + noise.astype(np.float32)
        breathed_db = clearness(mono_of(after, rate, one), pitch)
        why = "more than it gives" if breathed_db is None or not breathed_db < clear_db else None
        why = why or lost(heard(before, rate, one), heard(after, rate, one))
        if why is None:
            self.made.append((start / rate, float(10 * np.log10(level))))
            yield Change(start, after)
        else:
            self.refused.append(why)

    def measures(self) -> dict[str, float | int]:
        levels = [level for _, level in self.made]
        counts: dict[str, float | int] = {"sung_windows": self.sung, "breath_windows": len(levels)}
        return counts | ({"breath_db": float(np.mean(levels))} if levels else {})

    def note(self) -> str:
        return told("breath", "windows sung in", self.sung, [start for start, _ in self.made], self.refused)


def clearness(mono: Mono, pitch: Floats) -> float | None:
    """Median of harmonics over noise in BAND_HZ, in dB, of the voiced frames that are not faint; None where there
    are too few. mono: at the pitch track's rate; pitch: in cents, by its frames."""
    from scipy.signal import butter, resample_poly, sosfiltfilt

    frames = np.flatnonzero(~np.isnan(pitch))
    if len(frames) * FRAME_S < _LEAST_S:
        return None
    period = SAMPLE_RATE / (55.0 * 2 ** (pitch[frames, np.newaxis] / 1200))
    filtered: Floats = butter(4, BAND_HZ, "band", fs=SAMPLE_RATE, output="sos")
    fine = np.asarray(resample_poly(sosfiltfilt(filtered, mono.astype(np.float64)), _FINER, 1))
    first = frames[:, np.newaxis] * HOP + (np.linspace(-1.5, 0.5, _POINTS, endpoint=False)) * period
    one = _between(fine, first * _FINER)
    energy = np.square(one).sum(axis=1)
    loud = energy > np.percentile(energy, 90) * 10 ** (-_FAINT_DB / 10)
    if loud.sum() * FRAME_S < _LEAST_S:
        return None
    most = np.zeros(loud.sum())
    for part in 1 + _LAGS:
        next_ones = _between(fine, (first[loud] + part * period[loud]) * _FINER)
        both = np.sqrt(energy[loud] * np.square(next_ones).sum(axis=1)) + 1e-30
        most = np.maximum(most, (one[loud] * next_ones).sum(axis=1) / both)
    repeating = float(np.median(most.clip(1e-3, 0.9999)))
    return 10 * float(np.log10(repeating / (1 - repeating)))


def _between(samples: Floats, place: Floats) -> Floats:
    """What stands at places between samples, by straight lines; silence outside."""
    whole = np.floor(place).astype(np.intp)
    padded = np.pad(samples, 2)
    at = np.clip(whole + 2, 0, len(padded) - 2)
    return np.asarray(padded[at] + (place - whole) * (padded[at + 1] - padded[at]), np.float64)


def breath(samples: Samples, sample_rate: int, start: int) -> npt.NDArray[np.float64]:
    """(channels, frames) of noise as loud as the voice is in each part of BAND_HZ, at any time; the same noise for
    all channels, so that it comes from where the voice does. start: of the samples in their recording, which
    chooses the noise."""
    from scipy.signal import butter, sosfiltfilt

    white = np.random.default_rng([_SEED, start]).standard_normal((samples.shape[1],))
    smoothed: Floats = butter(1, 1 / (2 * np.pi * _ENVELOPE_S), fs=sample_rate, output="sos")
    breathed = np.zeros(samples.shape)
    for band in pairwise(np.geomspace(*BAND_HZ, _SHAPING + 1)):
        filtered: Floats = butter(2, band, "band", fs=sample_rate, output="sos")
        noise = np.asarray(sosfiltfilt(filtered, white))
        noise /= np.sqrt(np.square(noise).mean() + 1e-30)
        voice = np.square(np.asarray(sosfiltfilt(filtered, samples.astype(np.float64), axis=-1)))
        breathed += np.sqrt(np.asarray(sosfiltfilt(smoothed, voice, axis=-1)).clip(min=0)) * noise
    return breathed


def _noise(clear_db: float) -> float:
    """The part of a sound's power that is noise."""
    return float(1 / (1 + 10 ** (clear_db / 10)))


def _open(voiced: npt.NDArray[np.bool_], frames: int, sample_rate: int) -> Floats:
    """(frames,): 1 inside of what is voiced, 0 outside of it and at both ends, with fades between."""
    from scipy.ndimage import distance_transform_edt

    inside = distance_transform_edt(np.pad(voiced, 1))[1:-1] - 1
    at = np.arange(frames) / sample_rate / FRAME_S
    return np.asarray(
        np.interp(at, np.arange(len(voiced)), (inside * FRAME_S / _FADE_S).clip(0, 1)), np.float64
    )
