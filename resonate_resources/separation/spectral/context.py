"""What first masks tell of a bin: where each stem lies around it, and which pitch is sung or played."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import numpy.typing as npt

from resonate_resources.separation.spectral.cues import Cues, log_ratio
from resonate_resources.separation.spectral.running import Plane, running_median, smooth

_SHARE_FLOOR = np.float32(0.003)  # −25 dB
_TINY = np.float32(1e-9)
_LOWEST_PITCH_HZ = 70.0
_PITCHES = 200
"""Quarter of a semitone apart: 70 Hz to 1.2 kHz."""
_HIGHEST_PARTIAL_HZ = 6000.0


def add_context(cues: Cues, masks: npt.NDArray[np.float32], bin_hz: float) -> Cues:
    """The cues, and what masks (stems, time, bins) say: the cues of the next pass."""
    vocals, _, bass, other = masks * cues.magnitude
    voice, voice_strength = pitch_combs(vocals, bin_hz)
    chords, chords_strength = pitch_combs(bass + other, bin_hz)
    return Cues(
        (*cues.planes, *_neighbourhoods(cues.magnitude, masks), voice, chords),
        np.stack([*cues.frames.T, *_shares(cues.magnitude, masks), voice_strength, chords_strength], axis=1),
        cues.magnitude,
    )


def _neighbourhoods(magnitude: Plane, masks: npt.NDArray[np.float32]) -> Iterator[Plane]:
    """Of every stem: its mask here, its share in time, in frequency, around and throughout; is it steady?"""
    regions = ((9, 1), (1, 9), (3, 61))
    levels = [smooth(magnitude, *region) + _TINY for region in regions]
    power = np.square(magnitude)
    usual = power.mean(0) + _TINY
    for mask in masks:
        stem = mask * magnitude
        yield np.log(mask + np.float32(0.01))
        for region, level in zip(regions, levels, strict=True):
            share = smooth(stem, *region)
            share /= level
            share += np.float32(0.02)
            yield np.log(share, out=share)
        yield log_ratio(stem, running_median(stem, 0, 3))
        yield np.broadcast_to(np.log((mask * power).mean(0) / usual + np.float32(0.01)), mask.shape)


def _shares(magnitude: Plane, masks: npt.NDArray[np.float32]) -> Iterator[npt.NDArray[np.float32]]:
    """Of every stem: its share of a time's power, of 0.2 s, of 1.9 s, of the block; of a time's magnitude."""
    power = np.square(magnitude)
    total = power.sum(1, keepdims=True) + _TINY
    level = magnitude.sum(1) + _TINY
    for mask in masks:
        stem = (mask * power).sum(1, keepdims=True)
        for times in (1, 9, 81):
            yield np.log(smooth(stem, times, 1) / smooth(total, times, 1) + _SHARE_FLOOR)[:, 0]
        yield np.full(len(level), np.log(stem.sum() / total.sum() + _SHARE_FLOOR), np.float32)
        yield np.log((mask * magnitude).sum(1) / level + _SHARE_FLOOR)


def pitch_combs(magnitude: Plane, bin_hz: float) -> tuple[Plane, npt.NDArray[np.float32]]:
    """How near (0…1) every bin is to a partial of the pitch that is heard, and how clear that pitch is.

    Harmonic summation over whitened spectra (Klapuri 2006), soft-maximised over candidates.
    """
    combs, matched = _combs(magnitude.shape[1], bin_hz)
    whitened = np.minimum(magnitude / (smooth(magnitude, 1, 81) + np.float32(1e-3)), 6)
    whitened[:, :3] = 0  # below 32 Hz
    whitened -= whitened.mean(1, keepdims=True)
    norm = np.sqrt(np.square(whitened).sum(1, keepdims=True)) + np.float32(1e-3)
    salience = np.maximum(smooth(whitened @ matched / norm, 3, 1), 0)
    strength = salience.max(1)
    likely = np.exp(24 * (salience - strength[:, None]))
    likely /= likely.sum(1, keepdims=True)
    return likely @ combs, strength


@cache
def _combs(bins: int, bin_hz: float) -> tuple[Plane, Plane]:
    """Partials of every candidate pitch (pitches, bins); the same, zero-mean and of norm one (bins, pitches)."""
    pitches = _LOWEST_PITCH_HZ * 2 ** (np.arange(_PITCHES) / 48)
    hz = np.arange(bins) * bin_hz
    combs = np.zeros((_PITCHES, bins), np.float32)
    for comb, pitch in zip(combs, pitches, strict=True):
        top = min(_HIGHEST_PARTIAL_HZ, 24 * pitch)
        partial = np.clip(np.round(hz / pitch), 1, max(1, top // pitch))
        comb[:] = np.maximum(0, 1 - np.abs(hz - partial * pitch) / (1.5 * bin_hz)) * partial**-0.3
    matched = combs - combs.mean(1, keepdims=True)
    matched /= np.sqrt(np.square(matched).sum(1, keepdims=True)) + _TINY
    return np.minimum(2 * combs, 1), np.ascontiguousarray(matched.T)
