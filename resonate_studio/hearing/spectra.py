"""Two versions by octave at equal loudness: what one has more of than the other, in a whole track or a stretch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.signal.loudness import LoudnessMeter
from resonate_resources.signal.octaves import OCTAVES_HZ, OctaveMeter
from resonate_studio.api.models import Spectrum

SPECTRA_VERSION = 1
"""Part of the name of what is kept: raised when spectra come out otherwise."""

_HEARD_SECONDS = 120.0
"""The most that is listened to of a recording, however long it is."""
_SPAN_SECONDS = 3.0  # as short-term loudness: several gating blocks each
_NOTHING_DB = -100.0  # what is under it is dither and rounding


@dataclass(frozen=True)
class Octaves:
    """levels_db: (octaves,), of the channels' mean square, full scale 0; loudness in LUFS, −inf of silence."""

    levels_db: npt.NDArray[np.float64]
    loudness_lufs: float
    """Mono as if from two loudspeakers."""


def compare_spectra(a: Recording, b: Recording, start_s: float = 0.0, end_s: float | None = None) -> Spectrum:
    """Octaves of a and b from start_s to end_s, in levels at which both are as loud as a.

    Of long stretches the same parts of both are listened to, two minutes of three seconds each, evenly spread. An
    octave that one of them does not have has no difference.
    """
    end_s = a.duration if end_s is None else min(end_s, a.duration)
    spans = _spans(start_s, end_s)
    heard_a, heard_b = _octaves(a, spans), _octaves(b, spans)
    apart = heard_b.loudness_lufs - heard_a.loudness_lufs
    known = math.isfinite(apart)
    a_db = heard_a.levels_db
    b_db = heard_b.levels_db - (apart if known else 0.0)
    there = known & (a_db > _NOTHING_DB) & (b_db > _NOTHING_DB)
    return Spectrum(
        octaves_hz=list(OCTAVES_HZ),
        a_db=_told(a_db, a_db > _NOTHING_DB),
        b_db=_told(b_db, b_db > _NOTHING_DB),
        difference_db=_told(np.where(there, b_db, 0.0) - np.where(there, a_db, 0.0), there),
        loudness_difference_lu=round(apart, 2) + 0.0 if known else None,
    )


def _spans(start_s: float, end_s: float) -> list[tuple[float, float]]:
    length = max(0.0, end_s - start_s)
    if length <= _HEARD_SECONDS:
        edges = np.linspace(start_s, end_s, max(2, 1 + math.ceil(length / _SPAN_SECONDS)))
        return list(pairwise(edges.tolist()))
    begins = np.linspace(start_s, end_s - _SPAN_SECONDS, round(_HEARD_SECONDS / _SPAN_SECONDS))
    return [(begin, begin + _SPAN_SECONDS) for begin in begins.tolist()]


def _octaves(recording: Recording, spans: list[tuple[float, float]]) -> Octaves:
    meter = OctaveMeter(recording.sample_rate, recording.channels)
    loudness = LoudnessMeter(recording.sample_rate, recording.channels)
    for block in _read(recording, spans):
        meter.update(block)
        loudness.update(block)
    with np.errstate(divide="ignore"):  # −inf is what is meant
        levels = 10 * np.log10(meter.levels())
    # BS.1770 sums channels: from two loudspeakers, mono is 3 dB louder than it reads.
    dual_mono_db = 10 * math.log10(2) if recording.channels == 1 else 0.0
    return Octaves(levels, loudness.integrated() + dual_mono_db)


def _read(recording: Recording, spans: list[tuple[float, float]]) -> Iterator[Samples]:
    rate = recording.sample_rate
    for start_s, end_s in spans:
        yield recording.read(round(start_s * rate), round(end_s * rate))


def _told(levels: npt.NDArray[np.float64], there: npt.NDArray[np.bool_]) -> list[float | None]:
    return [
        round(float(level), 2) + 0.0 if known else None for level, known in zip(levels, there, strict=True)
    ]
