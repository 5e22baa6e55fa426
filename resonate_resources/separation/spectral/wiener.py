"""Stems from masks: in stereo by a Wiener filter that also knows where every stem stands."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from resonate_resources.separation.spectral.cues import Plane, smooth
from resonate_resources.separation.spectral.stft import Spectra

_DIFFUSE = np.float32(0.02)
"""Part of every stem's energy that may come from anywhere: keeps the filters apart from singular."""
_NEIGHBOURS = 5
"""Bins over which a stem's place is averaged."""


def filtered(spectra: Spectra, masks: npt.NDArray[np.float32]) -> Iterator[Spectra]:
    """Spectra of every stem in turn: (channels, time, bins) times masks (stems, time, bins), or better in stereo.

    The stereo filter is the multichannel Wiener filter of Duong, Vincent and Gribonval (2010): a stem's covariance
    between channels is its average over the block, its power is the mask's share. Filters sum to one like masks.
    """
    if len(spectra) != 2:
        yield from (spectra * mask for mask in masks)
        return
    left, right = spectra
    left_power, right_power = _power(left), _power(right)
    cross = left * right.conj()
    power = left_power + right_power + np.float32(1e-12)
    stems: list[tuple[Plane, Plane, Plane, npt.NDArray[np.complex64]]] = []
    for mask in masks:
        sure = mask * mask  # a stem's place is learnt where it is alone
        total = _over_time(sure * power) * np.float32(0.5) + np.float32(1e-12)
        left_share: Plane = _over_time(sure * left_power) / total
        right_share: Plane = _over_time(sure * right_power) / total
        shared = (_over_time(sure * cross.real) + 1j * _over_time(sure * cross.imag)) / total
        anywhere = np.float32(_DIFFUSE / 2) * (left_share + right_share)
        left_share = (1 - _DIFFUSE) * left_share + anywhere
        right_share = (1 - _DIFFUSE) * right_share + anywhere
        stems.append((mask * power, left_share, right_share, ((1 - _DIFFUSE) * shared).astype(np.complex64)))
    # Covariance [[a, c], [c*, b]] of the mix, and its inverse applied to it.
    mix_a = np.add.reduce([v * a for v, a, _, _ in stems])
    mix_b = np.add.reduce([v * b for v, _, b, _ in stems])
    mix_c = np.add.reduce([v * c for v, _, _, c in stems])
    determinant = mix_a * mix_b - _power(mix_c) + np.float32(1e-30)
    inverse_left = (mix_b * left - mix_c * right) / determinant
    inverse_right = (mix_a * right - mix_c.conj() * left) / determinant
    for v, a, b, c in stems:
        yield np.stack(
            [v * (a * inverse_left + c * inverse_right), v * (c.conj() * inverse_left + b * inverse_right)]
        )


def _power(spectrum: npt.NDArray[np.complex64]) -> Plane:
    power: Plane = np.square(spectrum.real) + np.square(spectrum.imag)
    return power


def _over_time(values: Plane) -> Plane:
    """Sum over time, averaged over neighbouring bins: (bins,)."""
    total: Plane = smooth(values.sum(0, keepdims=True), 1, _NEIGHBOURS)[0]
    return total
