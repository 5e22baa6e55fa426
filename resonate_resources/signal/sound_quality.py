"""One score, 0 to 100, of how a recording sounds by itself, and what it is made of.

`quality/` scores how like its original a master is; this needs no reference and is told of both.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields

from resonate_resources.signal.traces import Traces

_WORST = 0.4  # of the score is the worst part's


@dataclass(frozen=True)
class Measures:
    """None is unknown, and counts as nothing.

    noise_db: `steady_noise.over_steady_noise_db`. hum_db: hum over integrated loudness, −inf where there is none.
    loudness_lufs: integrated. dynamics_db: true peak over integrated loudness (PLR).
    centroid_hz: of the mean spectrum. bandwidth_hz: `bandwidth.detect_bandwidth`. flat_tops_per_min: clipped tops.
    shimmer: 0 to 1, `shimmer.Shimmer`, metallic artefacts. wander_cents: of held sung notes, robotic where small.
    """

    noise_db: float | None = None
    hum_db: float | None = None
    loudness_lufs: float | None = None
    dynamics_db: float | None = None
    centroid_hz: float | None = None
    bandwidth_hz: float | None = None
    flat_tops_per_min: float | None = None
    shimmer: float | None = None
    wander_cents: float | None = None


@dataclass(frozen=True)
class Score:
    """total and parts: 0 to 100; parts by name, of what is known. total is None where nothing is."""

    total: float | None
    parts: dict[str, float]


def _rising(nothing: float, full: float) -> Callable[[float], float]:
    """0 at and before `nothing`, 100 at and behind `full`, a straight line between; nothing over full: falling."""
    return lambda value: 100 * min(1.0, max(0.0, (value - nothing) / (full - nothing)))


def _between(low: float, from_: float, to: float, high: float) -> Callable[[float], float]:
    """100 between from_ and to, 0 at low and high."""
    up, down = _rising(low, from_), _rising(high, to)
    return lambda value: min(up(value), down(value))


# 100 where real, finished recordings lie (docs/measurements.md), 0 where the defect is all that one hears.
_PARTS: dict[str, tuple[str, Callable[[float], float]]] = {
    "noise": ("noise_db", _rising(0.0, 50.0)),
    "hum": ("hum_db", _rising(-10.0, -60.0)),
    "loudness": (
        "loudness_lufs",
        _between(-60.0, -36.0, -8.0, -2.0),
    ),  # a soft passage to the loudest of masters
    "dynamics": ("dynamics_db", _between(3.0, 8.0, 24.0, 40.0)),
    "balance": ("centroid_hz", _between(40.0, 120.0, 5000.0, 9000.0)),
    "bandwidth": (
        "bandwidth_hz",
        _rising(3400.0, 16_000.0),
    ),  # a telephone's (ITU-T G.712) to what adults hear
    "clipping": ("flat_tops_per_min", _rising(600.0, 0.0)),
    "metallic": ("shimmer", _rising(0.6, 0.35)),  # noise has 0.2, real recordings up to 0.33
    "robotic": ("wander_cents", _rising(0.0, 5.0)),
}


def sound_quality(measures: Measures) -> Score:
    """total = 0.6 · mean of the parts + 0.4 · the worst of them: a defect is not made up for by what is well.

    Every part falls as its defect grows, and the total with it.
    """
    known = {each.name: getattr(measures, each.name) for each in fields(measures)}
    parts = {
        part: curve(value) for part, (name, curve) in _PARTS.items() if (value := known[name]) is not None
    }
    if not parts:
        return Score(None, {})
    mean = sum(parts.values()) / len(parts)
    return Score((1 - _WORST) * mean + _WORST * min(parts.values()), parts)


def quality_of(
    traces: Traces, duration_s: float, loudness_lufs: float, true_peak_dbtp: float, centroid_hz: float | None
) -> Score:
    """Of a recording of which that is known; levels are -inf of silence, of which nothing is told."""
    if not math.isfinite(loudness_lufs):
        return Score(None, {})
    return sound_quality(
        Measures(
            noise_db=traces.over_steady_noise_db,
            hum_db=traces.hum.level_dbfs - loudness_lufs if traces.hum else -math.inf,
            loudness_lufs=loudness_lufs,
            dynamics_db=true_peak_dbtp - loudness_lufs,
            centroid_hz=centroid_hz,
            bandwidth_hz=traces.bandwidth_hz,
            flat_tops_per_min=60 * traces.flat_tops / duration_s,
            shimmer=traces.shimmer,
        )
    )
