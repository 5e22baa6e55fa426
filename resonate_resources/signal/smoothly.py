"""From no to yes without a step: what decides by a measure does not flip where the measure moves a little."""

from __future__ import annotations


def smoothly(value: float, low: float, high: float) -> float:
    """0 up to low, 1 from high on, and between them without a step or a corner. low over high: the other way."""
    x = min(1.0, max(0.0, (value - low) / (high - low)))
    return x * x * (3 - 2 * x)
