"""What a person is told of a comparison: what is wrong, which second, which band, which stem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from resonate_resources.quality.comparison import Comparison
from resonate_resources.quality.difference import Array, Difference, smoothed
from resonate_resources.quality.scales import DIMENSIONS
from resonate_resources.recordings.recording import Recording, Stems

WORTH_TELLING: Final = 90.0
"""Scores under it have a place and a stem."""
_LONGEST_S: Final = 20
_WHOLE_HZ: Final = (20.0, 16_000.0)


@dataclass(frozen=True)
class Finding:
    """Of one dimension. start_s, end_s: where it is worst, where that can be told. band_hz: likewise. stem: the one
    that differs most there; of candidates without stems, the one that is loudest there in the reference.

    change: signed, where it is told: of bpm_phase in ms, later is positive; of reverb in octaves, longer is
    positive; of stereo_width in dB, wider is positive.
    """

    dimension: str
    score: float
    detail: str
    start_s: float | None = None
    end_s: float | None = None
    band_hz: tuple[float, float] | None = None
    stem: str | None = None
    change: float | None = None

    @property
    def where(self) -> str:
        """Seconds, band and stem, in words; empty where nothing is told."""
        places = []
        if self.start_s is not None and self.end_s is not None:
            places.append(f"{_clock(self.start_s)}–{_clock(self.end_s)}")
        if self.band_hz is not None:
            places.append("–".join(map(_hertz, self.band_hz)))
        if self.stem is not None:
            places.append(self.stem)
        return ", ".join(places)

    def __str__(self) -> str:
        where = f" ({self.where})" if self.where else ""
        return f"{self.dimension.replace('_', ' ')} {self.score:.0f}{where}: {self.detail}"


def findings(
    comparison: Comparison, stems: Stems | None = None, candidates: Stems | None = None
) -> tuple[Finding, ...]:
    """One for each dimension, in their order. stems: of the reference; candidates: of the candidate, under the same
    names. Only the seconds that matter are read of them."""
    found = []
    for name in DIMENSIONS:
        difference, score = comparison.differences[name], comparison.scores[name]
        if score >= WORTH_TELLING:
            found.append(Finding(name, score, difference.detail, change=difference.change))
            continue
        place, band_hz = _worst(difference), difference.band_hz
        if place is None:
            found.append(Finding(name, score, difference.detail, band_hz=band_hz, change=difference.change))
            continue
        gain = 10 ** (comparison.gain_db / 20)
        stem = _stem_at(place, band_hz or _WHOLE_HZ, stems, candidates, gain) if stems else None
        found.append(Finding(name, score, difference.detail, *place, band_hz, stem, difference.change))
    return tuple(found)


def told(comparison: Comparison, found: tuple[Finding, ...], most: int = 3) -> tuple[str, ...]:
    """The verdict and the worst findings, each a line."""
    verdict = "matched" if comparison.matched else "accepted" if comparison.accepted else "not accepted"
    worst = sorted((each for each in found if each.score < WORTH_TELLING), key=lambda each: each.score)
    return (f"{verdict}: {comparison.total:.1f} of 100", *(str(each) for each in worst[:most]))


def _worst(difference: Difference) -> tuple[float, float] | None:
    """The stretch around the worst second in which it stays over half as bad, 20 s at most."""
    course = difference.by_second
    if course is None or not len(course) or not course.any():
        return None
    even = smoothed(course, 3)
    centre = int(even.argmax())
    bad = even >= even[centre] / 2
    start = end = centre
    while start > 0 and bad[start - 1] and end - start < _LONGEST_S:
        start -= 1
    while end + 1 < len(bad) and bad[end + 1] and end - start < _LONGEST_S:
        end += 1
    return float(start), float(end + 1)


def _stem_at(
    place: tuple[float, float],
    band_hz: tuple[float, float],
    stems: Stems,
    candidates: Stems | None,
    gain: float,
) -> str | None:
    powers = {name: _power(stem, place, band_hz) for name, stem in stems.items()}
    if candidates is not None:
        others = {name: gain**2 * _power(stem, place, band_hz) for name, stem in candidates.items()}
        powers = {
            name: np.abs(powers.get(name, np.zeros(1)) - others.get(name, np.zeros(1)))
            for name in {**powers, **others}
        }
    sums = {name: float(power.sum()) for name, power in powers.items()}
    loudest = max(sums, key=lambda name: sums[name], default=None)
    return loudest if loudest is not None and sums[loudest] > 0 else None


def _power(stem: Recording, place: tuple[float, float], band_hz: tuple[float, float]) -> Array:
    """Of a stem in a band, by lines of the spectrum and tenths of a second, flat."""
    from scipy.fft import rfft, rfftfreq

    size = max(1, stem.sample_rate // 10)
    samples: npt.NDArray[np.float32] = stem.read(*(round(at * stem.sample_rate) for at in place)).mean(axis=0)
    rows = np.pad(samples, (0, -len(samples) % size)).reshape(-1, size)
    inside = (rfftfreq(size, 1 / stem.sample_rate) >= band_hz[0]) & (
        rfftfreq(size, 1 / stem.sample_rate) <= band_hz[1]
    )
    return np.asarray((np.abs(rfft(rows, axis=1)[:, inside]) ** 2).sum(axis=1), np.float64)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _hertz(hz: float) -> str:
    return f"{hz / 1000:.1f} kHz" if hz >= 1000 else f"{hz:.0f} Hz"


def as_json(comparison: Comparison, found: tuple[Finding, ...]) -> dict[str, Any]:
    """`{"total", "accepted", "matched", "lag_s", "gain_db", "dimensions": {name: {"score", "detail", …}}}`."""
    return {
        "total": comparison.total,
        "accepted": comparison.accepted,
        "matched": comparison.matched,
        "lag_s": round(comparison.lag_s, 4),
        "gain_db": round(comparison.gain_db, 2),
        "dimensions": {
            each.dimension: {
                "score": each.score,
                "detail": each.detail,
                "start_s": each.start_s,
                "end_s": each.end_s,
                "band_hz": None if each.band_hz is None else [round(hz) for hz in each.band_hz],
                "stem": each.stem,
                "change": None if each.change is None else round(each.change, 3),
            }
            for each in found
        },
    }
