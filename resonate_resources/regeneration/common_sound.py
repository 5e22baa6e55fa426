"""What the strokes of one drum have in common: each is heard with others, but not always with the same ones."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples

if TYPE_CHECKING:
    from scipy.signal import ShortTimeFFT

Magnitudes = npt.NDArray[np.float32]
"""(lines, frames) of a short-time spectrum, mean of the channels."""

_SIZE, _HOP = 1024, 256
_PERCENTILE: Final = 40  # of the strokes: others fall into less than half of them, or into all
_FEWEST: Final = 5
_SPARED: Final = 1.5  # a stroke may be so much stronger than usual


def common_magnitudes(strokes: Iterable[Samples]) -> Magnitudes | None:
    """Of strokes of two channels that begin alike and are equally loud, as long as five last; None of fewer."""
    heard = [np.abs(_spectrum(stroke)).mean(axis=0) for stroke in strokes if stroke.shape[1] >= _SIZE]
    if len(heard) < _FEWEST:
        return None
    longest = sorted(each.shape[1] for each in heard)[-_FEWEST]
    stacked = np.full((len(heard), len(heard[0]), longest), np.inf, np.float32)
    for row, each in zip(stacked, heard, strict=True):
        row[:, : each.shape[1]] = each[:, :longest]
    stacked.sort(axis=0)
    lasting = np.isfinite(stacked[:, 0]).sum(axis=0)
    rank = (lasting - 1) * _PERCENTILE // 100
    return np.asarray(np.take_along_axis(stacked, rank[None, None, :], axis=0)[0], np.float32)


def only_common(stroke: Samples, common: Magnitudes) -> Samples:
    """The stroke, of two channels, without what is stronger than usual in it; no longer than what is known."""
    spectrum = _spectrum(stroke)[..., : common.shape[1]]
    usual = _SPARED * common[:, : spectrum.shape[2]]
    mask = np.minimum(1.0, usual / np.maximum(np.abs(spectrum).mean(axis=0), 1e-9))
    known = max(0, spectrum.shape[2] - _SIZE // _HOP) * _HOP
    return np.asarray(_transform().istft(spectrum * mask, k1=min(stroke.shape[1], known)), np.float32)


def _spectrum(sound: Samples) -> npt.NDArray[np.complex64]:
    return np.asarray(_transform().stft(sound), np.complex64)


@cache
def _transform() -> ShortTimeFFT:
    from scipy.signal import ShortTimeFFT
    from scipy.signal.windows import hann

    return ShortTimeFFT(hann(_SIZE, sym=False), _HOP, fs=1.0)
