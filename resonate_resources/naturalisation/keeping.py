"""Whether something that was changed in a voice has cost anything else of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import soxr

from resonate_resources.naturalisation.stretches import HIGHEST_HZ, LOWEST_HZ, Floats, cents
from resonate_resources.recordings.recording import Samples
from resonate_resources.signal.band_levels import ratio_bands
from resonate_resources.signal.loudness import k_weighting
from resonate_resources.signal.mono import Mono
from resonate_resources.signal.octaves import OCTAVES_HZ, OctaveSpectra
from resonate_resources.signal.onsets import find_onsets, onset_strength
from resonate_resources.signal.pitch_track import SAMPLE_RATE, pitch_of

OCTAVE_DB, LOUDNESS_LU, MEDIAN_CENTS, CORRELATION = 0.3, 0.1, 2.0, 0.99
"""What may be lost: in the octaves that are heard, of loudness, of the median pitch; how far levels over time must
correlate."""

_HEARD_DB = 50.0  # under the strongest octave
_STILL_VOICED = 0.95
_SIZE_S, _LOWEST_HZ, _PER_OCTAVE = 0.046, 250.0, 1
_RISE_DB, _SURELY = 4.0, 1.25  # five octaves in the mean; so much stronger, an onset must still be there
_SILENCE_DB = 80.0


class Heard(NamedTuple):
    """What is judged of some seconds. levels: (frames, octaves), mean squares. pitch: in cents, by frames."""

    octaves: Floats
    loudness: float
    levels: Floats
    pitch: Floats


def mono_of(samples: Samples, sample_rate: int, one: int | None) -> Mono:
    """At the pitch track's rate: the mean of the channels, or that one of them (see signal.mono.cancelling)."""
    mono = samples.mean(axis=0, dtype=np.float32) if one is None else samples[one]
    return np.asarray(soxr.resample(mono, sample_rate, SAMPLE_RATE, "HQ"), np.float32)


def heard(samples: Samples, sample_rate: int, one: int | None) -> Heard:
    """Of (channels, frames), at least a tenth of a second."""
    from scipy.signal import sosfilt

    spectra = OctaveSpectra(sample_rate)
    octaves = spectra.by_octave(np.square(np.abs(spectra.frames(samples))).sum(axis=(0, 1)))
    weighted = sosfilt(k_weighting(sample_rate), samples.astype(np.float64), axis=-1)
    pitch = pitch_of(mono_of(samples, sample_rate, one), LOWEST_HZ, HIGHEST_HZ).hertz
    return Heard(octaves, float(np.square(weighted).sum()), _levels(samples, sample_rate), cents(pitch))


def _levels(samples: Samples, sample_rate: int) -> Floats:
    size = 2 * round(_SIZE_S * sample_rate / 2)
    window = np.hanning(size + 1)[:-1]
    highest = min(8000.0, sample_rate / 2.1)
    bands = ratio_bands(_PER_OCTAVE, _LOWEST_HZ, highest, sample_rate, size)
    levels: Floats = np.zeros((1, bands.shape[1]))
    for channel in samples:
        parts = np.lib.stride_tricks.sliding_window_view(np.pad(channel, size // 2), size)[:: size // 4]
        levels = levels + np.square(np.abs(np.fft.rfft(parts * window))) @ bands
    return levels


def lost(
    before: Heard,
    after: Heard,
    lowered_db: tuple[float, ...] = (0.0,) * len(OCTAVES_HZ),
    note: slice | None = None,
) -> str | None:
    """What is worse afterwards, in a word; None where nothing is. lowered_db: by how much each octave was to
    fall. note: frames of one pitch, whose median is kept; without it, that of all frames' moves."""
    told = before.octaves > before.octaves.max() * 10 ** (-_HEARD_DB / 10)
    moved = 10 * np.log10(np.maximum(after.octaves[told], 1e-30) / before.octaves[told])
    wanted = -np.array(lowered_db)[told]
    if (moved > OCTAVE_DB).any() or (moved < wanted - OCTAVE_DB).any():
        return "tone"
    if abs(10 * np.log10(after.loudness / before.loudness)) > LOUDNESS_LU:
        return "loudness"
    was, now = (each.pitch[note or slice(None)] for each in (before, after))
    voiced = ~np.isnan(was)
    both = voiced & ~np.isnan(now)
    if both.sum() < _STILL_VOICED * voiced.sum():
        return "voicing"
    if both.any() and abs(_moved(was[both], now[both], note is not None)) > MEDIAN_CENTS:
        return "pitch"
    if not (_onsets_are_among(before, after) and _onsets_are_among(after, before)):
        return "onsets"
    one, two = (np.sqrt(each.levels) for each in (before, after))
    correlation = float((one * two).sum() / np.sqrt((one**2).sum() * (two**2).sum()))
    return "levels over time" if correlation < CORRELATION else None


def _moved(was: Floats, now: Floats, one_pitch: bool) -> float:
    """Cents. The median of a line of many pitches jumps from one to another when a frame more is voiced."""
    return float(np.median(now) - np.median(was)) if one_pitch else float(np.median(now - was))


def _onsets_are_among(sure: Heard, possible: Heard) -> bool:
    """Whether every clear onset of one is, to a frame, one of the other."""
    clear, there = _onsets(sure, _SURELY * _RISE_DB), _onsets(possible, _RISE_DB / _SURELY)
    return all(np.abs(there - onset).min(initial=2) <= 1 for onset in clear)


def _onsets(of: Heard, least: float) -> npt.NDArray[np.intp]:
    floor_db = 10 * np.log10(max(float(of.levels.max()), 1e-20)) - _SILENCE_DB
    levels = 10 * np.log10(np.maximum(of.levels, 1e-30))
    return find_onsets(onset_strength(levels.astype(np.float32), floor_db, gap=2), least, 4)
