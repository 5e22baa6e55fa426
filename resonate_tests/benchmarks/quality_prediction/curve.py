"""The calibration curve as an SVG: true SI-SDR over predicted, a panel per stem."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

PANELS = ("vocals", "drums", "bass", "other")
_LOW, _HIGH, _STEP = -10, 25, 3
_SIDE, _MARGIN, _GAP = 260, 46, 44
_POINTS = 250
"""Dots in a panel at most: a sample."""

Floats = npt.NDArray[np.float64]


def calibration_curve(stem: npt.NDArray[np.str_], value: Floats, error: Floats, truth: Floats) -> str:
    """Dots: separations. Line and bars: mean and standard deviation of the truth of those predicted alike.

    The shade around the diagonal is the mean error bar that was predicted.
    """
    width = 2 * _SIDE + _MARGIN + _GAP + 10
    height = 2 * (_SIDE + _GAP) + _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' font-family="sans-serif" font-size="11" fill="#333">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for number, name in enumerate(PANELS):
        own = stem == name
        left = _MARGIN + number % 2 * (_SIDE + _GAP)
        top = _GAP + number // 2 * (_SIDE + _GAP)
        parts.append(f'<g transform="translate({left},{top})">')
        parts += _panel(name, value[own], error[own], truth[own])
        parts.append("</g>")
    parts.append(
        f'<text x="{width / 2}" y="{height - 8}" text-anchor="middle">predicted, dB</text>'
        f'<text transform="translate(14,{height / 2}) rotate(-90)" text-anchor="middle">true SI-SDR, dB</text>'
        "</svg>"
    )
    return "\n".join(parts) + "\n"


def _panel(name: str, value: Floats, error: Floats, truth: Floats) -> list[str]:
    x, y = _across(value), _SIDE - _across(truth)
    parts = [f'<rect width="{_SIDE}" height="{_SIDE}" fill="none" stroke="#999"/>']
    parts.append(f'<text x="4" y="-6" font-weight="bold">{name}, {len(value)} separations</text>')
    for db in range(_LOW, _HIGH + 1, 5):
        at = float(_across(np.array(db)))
        parts.append(f'<text x="{at:.0f}" y="{_SIDE + 14}" text-anchor="middle">{db}</text>')
        parts.append(f'<text x="-5" y="{_SIDE - at + 4:.0f}" text-anchor="end">{db}</text>')
    bins = [(db, (value >= db) & (value < db + _STEP)) for db in range(_LOW, _HIGH, _STEP)]
    bins = [(db, rows) for db, rows in bins if rows.sum() >= 5]
    middles = np.array([value[rows].mean() for _, rows in bins])
    bars = np.array([error[rows].mean() for _, rows in bins])
    upper = [
        f"{px:.1f},{_SIDE - py:.1f}" for px, py in zip(_across(middles), _across(middles + bars), strict=True)
    ]
    lower = [
        f"{px:.1f},{_SIDE - py:.1f}" for px, py in zip(_across(middles), _across(middles - bars), strict=True)
    ]
    parts.append(f'<polygon points="{" ".join(upper + lower[::-1])}" fill="#1f77b4" fill-opacity="0.18"/>')
    parts.append(f'<path d="M0 {_SIDE}L{_SIDE} 0" stroke="#999" stroke-dasharray="4 3"/>')
    shown = np.random.default_rng(0).permutation(len(x))[:_POINTS]
    dots = "".join(f"M{px:.0f} {py:.0f}h0" for px, py in zip(x[shown], y[shown], strict=True))
    parts.append(
        f'<path d="{dots}" stroke="#555" stroke-opacity="0.4" stroke-width="3" stroke-linecap="round"/>'
    )
    line = []
    for middle, (_, rows) in zip(middles, bins, strict=True):
        mean, deviation = truth[rows].mean(), truth[rows].std()
        at, high, low = (float(_across(np.array(v))) for v in (middle, mean + deviation, mean - deviation))
        line.append(f"{at:.1f},{_SIDE - float(_across(np.array(mean))):.1f}")
        parts.append(
            f'<path d="M{at:.1f} {_SIDE - low:.1f}V{_SIDE - high:.1f}" stroke="#d62728" stroke-width="1.5"/>'
        )
    parts.append(f'<polyline points="{" ".join(line)}" fill="none" stroke="#d62728" stroke-width="2"/>')
    return parts


def _across(db: Floats) -> Floats:
    return (np.clip(db, _LOW, _HIGH) - _LOW) / (_HIGH - _LOW) * _SIDE
