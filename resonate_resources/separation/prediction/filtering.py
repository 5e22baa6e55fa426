"""Stems against the mix, bin by bin: what a Wiener filter built from them would find, whose phase they have.

Masks keep the phase of the mix and sounds do not; energy that the mix does not hold was never in it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from resonate_resources.separation.prediction.bands import TINY, banded, db
from resonate_resources.separation.prediction.passage import Floats
from resonate_resources.separation.spectral.running import running_median

_Power = npt.NDArray[np.float32]


def filtering(
    mix: npt.NDArray[np.complex64],
    mix_power: _Power,
    stems: npt.NDArray[np.complex64],
    power: _Power,
    missing_power: _Power,
) -> Iterator[Floats]:
    """Ratios of energies, in dB, most of them of an error to the stem; the first by Wiener's formula."""
    total = power.sum((1, 2), dtype=np.float64) + TINY
    floor = np.float32(1e-9 * float(mix_power.mean()) + TINY)
    everything = power.sum(0)
    others = np.maximum(everything - power, 0)
    gain = power / (everything + floor)
    yield db((gain * others).sum((1, 2)) / total)
    yield db(np.minimum(power, others).sum((1, 2)) / total)
    yield (gain * power).sum((1, 2)) / total
    mix_magnitude = np.sqrt(mix_power + floor)
    turned = stems * (mix.conj() / mix_magnitude)
    yield db(np.square(turned.imag).sum((1, 2)) / total)
    yield db(np.square(np.minimum(turned.real, 0)).sum((1, 2)) / total)
    yield db(np.maximum(power - mix_power, 0).sum((1, 2)) / total)
    along = mix_magnitude * turned.real
    removed = np.maximum(mix_power + power - 2 * along, 0)
    yield db((power * removed / (power + removed + floor)).sum((1, 2)) / total)
    again = np.square(gain) * mix_power + power - 2 * gain * along
    yield db(np.maximum(again, 0).sum((1, 2)) / total)
    # What is missing, where the stem is the loudest: in its bins, and in its bands and times.
    yield db((gain * missing_power).sum((1, 2)) / total, -40)
    bands = banded(power)
    territory = bands / (bands.sum(0) + TINY)
    missing_bands = banded(missing_power)
    yield db((territory * missing_bands).sum((1, 2)) / total, -40)
    yield db(np.minimum(missing_bands, bands).sum((1, 2)) / total, -40)


def percussive_share(mix_power: _Power, power: _Power) -> Floats:
    """Part of each stem that lies where the mix has strokes instead of tones (Fitzgerald 2010): (stems,)."""
    magnitude = np.sqrt(mix_power)
    steady = np.square(running_median(magnitude, 0, 2))
    broad = np.square(running_median(magnitude, 1, 2))
    strokes = broad / (steady + broad + np.float32(TINY))
    share: Floats = (power * strokes).sum((1, 2)) / (power.sum((1, 2), dtype=np.float64) + TINY)
    return share
