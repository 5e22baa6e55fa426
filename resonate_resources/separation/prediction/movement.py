"""How stems move in time and frequency: roughness, valleys, strokes, and whether they move as one or apart.

What one stem loses when another one wins, while the mix goes on, was not played so: it was moved between the stems.
A band that keeps time with another stem rather than with its own probably is that other stem's.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from resonate_resources.separation.prediction.bands import EDGES, TINY, WIDTHS, apart, banded, db
from resonate_resources.separation.prediction.passage import BINS, Floats

_Power = npt.NDArray[np.float32]
_BANDS = len(EDGES)


def texture(mix_power: _Power, power: _Power) -> Iterator[Floats]:
    """Roughness over time and over frequency and depth of the valleys, of the stems and beside those of the mix."""
    rows = np.concatenate([mix_power[None], power])
    level = np.log(rows + 1e-6 * rows.mean((1, 2), keepdims=True) + np.float32(TINY))
    weights = np.sqrt(power)
    for axis in (1, 2):
        steps = np.abs(np.diff(level, axis=axis))
        weight = weights[:, :-1] if axis == 1 else weights[:, :, :-1]
        scale = weight.sum((1, 2)) + np.float32(TINY)
        own = (weight * steps[1:]).sum((1, 2)) / scale
        yield own
        yield own - (weight * steps[0]).sum((1, 2)) / scale
    bands = banded(rows)
    # Nepers between arithmetic and geometric mean of a band: spectral flatness.
    depth = np.clip(np.log(bands / WIDTHS + TINY) - banded(level) / WIDTHS, 0, 10)
    weight = bands[1:] / (bands[1:].sum((1, 2), keepdims=True) + TINY)
    yield (weight * depth[1:]).sum((1, 2))
    yield (weight * (depth[1:] - depth[0])).sum((1, 2))
    thin = (rows[1:] < 1e-4 * mix_power) & (mix_power > mix_power.mean())
    yield thin.mean((1, 2))


def exchange(power: _Power) -> Iterator[Floats]:
    """Energy that a stem gains in a step while another loses it, over its own: in time, and along frequency."""
    bands = banded(power)
    spectrum = np.add.reduceat(power.sum(1, dtype=np.float64), np.arange(0, BINS, 4), axis=-1)
    for values, axis in ((bands, 1), (spectrum[:, None], 2)):
        steps = np.diff(values, axis=axis)
        moved = np.minimum(np.maximum(steps[:, None], 0), np.maximum(-steps[None], 0)).sum((2, 3))
        moved = apart(moved + moved.T, 0).max(1)
        yield db(moved / (np.abs(steps).sum((1, 2)) + TINY), -40)
        yield db(moved / (values.sum((1, 2)) + TINY), -40)


def envelopes(mix_power: _Power, power: _Power, missing_power: _Power) -> Iterator[Floats]:
    """Correlations of bands over time, by energy: with the mix, the missing, other stems, its own other bands."""
    rows = banded(np.concatenate([mix_power[None], missing_power[None], power]))
    weights = rows.sum(1) + TINY
    weights /= weights.sum(1, keepdims=True)
    level = np.log(rows + 1e-4 * rows.mean(1, keepdims=True) + TINY)
    for moves in (level, np.diff(level, axis=1)):
        centred = moves - moves.sum(1, keepdims=True) / max(1, moves.shape[1])
        centred /= np.sqrt(np.square(centred).sum(1, keepdims=True)) + 1e-9
        pairs = np.einsum("ktb,jtc->kjbc", centred, centred, optimize=True)
        same = np.einsum("kjbb->kjb", pairs)
        yield (weights[2:] * same[2:, 0]).sum(1)
        yield (weights[2:] * same[2:, 1]).sum(1)
        among = np.einsum("kb,kjb->kj", weights[2:], same[2:, 2:])
        yield apart(among, -1).max(1)
        yield apart(among, 1).min(1)
        # Of a band with the other bands of its own stem, beside the best of the other stems.
        elsewhere = weights[None, :, None, :] * (1 - np.eye(_BANDS))
        kept = (pairs * elsewhere).sum(3) / (elsewhere.sum(3) + 1e-3)  # (rows, rows, bands)
        own = np.einsum("kkb->kb", kept)[2:]
        best = np.moveaxis(apart(np.moveaxis(kept[2:, 2:], 2, 0), -1), 0, 2).max(1)
        yield (weights[2:] * own).sum(1)
        yield (weights[2:] * (best - own)).sum(1)
        # Energy by whose rhythm it has: of others in the stem, of the stem in others and in the missing.
        likeness = np.exp(8 * kept[:, 2:])
        likeness /= likeness.sum(1, keepdims=True)
        energy = rows.sum(1)[:, None] * likeness
        total = rows[2:].sum((1, 2)) + TINY
        yield db(1 - np.einsum("kkb->k", energy[2:]) / total, -40)
        yield db(apart(np.moveaxis(energy[2:], 2, 0), 0).sum((0, 1)) / total, -40)
        yield db(energy[1].sum(1) / total, -40)


def strokes(mix_power: _Power, power: _Power) -> Iterator[Floats]:
    """Rise per energy in low, middle and high bands, and beside the mix; range of the levels."""
    # No onsets (signal/onsets.py): how much rises in all, not when; and the predictor was fitted on it as it is.
    rows = np.sqrt(banded(np.concatenate([mix_power[None], power])))
    steps = np.diff(rows, axis=1)
    for part in (slice(0, 3), slice(3, 6), slice(6, _BANDS)):
        size = rows[:, :, part].sum((1, 2)) + TINY
        rise = np.maximum(steps[:, :, part], 0).sum((1, 2)) / size
        yield rise[1:]
        yield rise[1:] - rise[0]
    level = rows.sum(2)
    yield db(np.quantile(level, 0.1, axis=1)[1:] / (level.mean(1)[1:] + TINY), -40)
    yield db(level.max(1)[1:] / (level.mean(1)[1:] + TINY))
