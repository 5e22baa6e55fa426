"""Stems from masks: in stereo by a Wiener filter that also knows where every stem stands."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter1d

from resonate_resources.separation.spectral.running import Plane
from resonate_resources.separation.spectral.stft import Spectra

_DIFFUSE = np.float32(0.02)
"""Part of every stem's energy that may come from anywhere: keeps the filters apart from singular."""
_NEIGHBOURS = 5
"""Bins over which a stem's place is averaged."""


_SLAB_TIMES = 8
"""Times worked on at once: few enough to stay in the processor's cache."""


def filtered(spectra: Spectra, masks: npt.NDArray[np.float32]) -> Iterator[Spectra]:
    """Spectra of every stem in turn: (channels, time, bins) times masks (stems, time, bins), or better in stereo.

    The stereo filter is the multichannel Wiener filter of Duong, Vincent and Gribonval (2010): a stem's covariance
    between channels is its average over the block, its power is the mask's share. Filters sum to one like masks.
    """
    if len(spectra) != 2:
        yield from (spectra * mask for mask in masks)
        return
    slabs = [slice(start, start + _SLAB_TIMES) for start in range(0, spectra.shape[1], _SLAB_TIMES)]
    places = _places(spectra, masks, slabs)
    whitened = np.empty_like(spectra)
    for now in slabs:  # the covariance [[a, c], [c*, b]] of the mix, and its inverse applied to it
        left, right = spectra[:, now]
        shares = masks[:, now] * (_power(left) + _power(right) + np.float32(1e-12))
        mix_a, mix_b, mix_c = ((shares * place[:, None]).sum(0) for place in places)
        determinant = mix_a * mix_b - _power(mix_c) + np.float32(1e-30)
        power = (_power(left) + _power(right) + np.float32(1e-12)) / determinant
        whitened[0, now] = (mix_b * left - mix_c * right) * power
        whitened[1, now] = (mix_a * right - mix_c.conj() * left) * power
    for mask, a, b, c in zip(masks, *places, strict=True):
        stem = np.empty_like(spectra)
        for now in slabs:
            left, right = whitened[:, now] * mask[now]
            stem[0, now] = a * left + c * right
            stem[1, now] = c.conj() * left + b * right
        yield stem


def _places(
    spectra: Spectra, masks: npt.NDArray[np.float32], slabs: list[slice]
) -> tuple[Plane, Plane, npt.NDArray[np.complex64]]:
    """Of every stem's covariance the left channel's share, the right one's and what they share: (stems, bins)."""
    sums = np.zeros((4, len(masks), spectra.shape[2]), np.float32)
    for now in slabs:
        left, right = spectra[:, now]
        cross = left * right.conj()
        sure = np.square(masks[:, now])  # a stem's place is learnt where it is alone
        for values, into in zip((_power(left), _power(right), cross.real, cross.imag), sums, strict=True):
            np.add(into, (sure * values).sum(1), out=into)
    left_share, right_share, real, imaginary = uniform_filter1d(sums, _NEIGHBOURS, mode="nearest")
    power: Plane = (left_share + right_share) / np.float32(2) + np.float32(1e-12)
    left_share, right_share = (
        (1 - _DIFFUSE) * share / power + _DIFFUSE for share in (left_share, right_share)
    )
    shared = ((1 - _DIFFUSE) * (real + 1j * imaginary) / power).astype(np.complex64)
    return left_share, right_share, shared


def _power(spectrum: npt.NDArray[np.complex64]) -> Plane:
    power: Plane = np.square(spectrum.real) + np.square(spectrum.imag)
    return power
