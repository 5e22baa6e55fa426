"""Spectra of vocals, drums, basses and the rest, and how they vary: resonate_resources/mixing/kinds.npz.

`python -m resonate_tests.benchmarks.fit_kinds FOLDER` reads the true stems of mixtures that `mask_fitting.mixtures`
has made into that folder: real and synthesised voices, drums and instruments of several soundfonts and kits.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

import resonate_resources.mixing
from resonate_resources.mixing.kind import spectrum_db
from resonate_resources.signal.octaves import OctaveSpectra
from resonate_tests.benchmarks.mask_fitting.playing import RATE
from resonate_tests.benchmarks.mask_fitting.songs import STEMS

Floats = npt.NDArray[np.float64]

_AUDIBLE_DB = -24.0  # against the mix; what is softer is hardly that stem
_KEPT = 0.9  # of songs, by how usual they are: those that a phone cut at both ends are none of a kind
_WIDER = 1.2  # covariance of that part of a normal distribution is so much too small
_LEAST_DB2 = 1.0


def main() -> None:
    songs = [energies(np.load(path)["sound"]) for path in sorted(Path(sys.argv[1]).glob("*.npz"))]
    kinds = {name: kind([song[1:] for song in songs], at) for at, name in enumerate(STEMS)}
    path = Path(resonate_resources.mixing.__file__).parent / "kinds.npz"
    np.savez(path, allow_pickle=False, **kinds)
    for name, fitted in kinds.items():
        spread = np.sqrt(np.diag(fitted[1:]))
        print(
            name, *(f"{mean:.0f}±{deviation:.0f}" for mean, deviation in zip(fitted[0], spread, strict=True))
        )


def energies(sound: npt.NDArray[np.int16]) -> Floats:
    """(recordings, channels, frames) → (recordings, octaves)."""
    spectra = OctaveSpectra(RATE)
    return np.array(
        [
            spectra.by_octave(np.square(np.abs(spectra.frames(each.astype(np.float32)))).sum(axis=(0, 1)))
            for each in sound
        ]
    )


def kind(songs: list[Floats], at: int) -> Floats:
    """(1 + octaves, octaves): the mean spectrum of a stem in dB, and below it the covariance in dB²."""
    audible = 10 ** (_AUDIBLE_DB / 10)
    spectra = spectrum_db(np.array([song[at] for song in songs if song[at].sum() > audible * song.sum()]))
    mean, kept = np.median(spectra, axis=0), spectra
    for _ in range(10):
        covariance = np.cov((kept - mean).T) + _LEAST_DB2 * np.eye(len(mean))
        off = spectra - mean
        off -= off.mean(axis=1, keepdims=True)
        distance = np.einsum("ij,jk,ik->i", off, np.linalg.inv(covariance + 400), off)
        kept = spectra[distance <= np.quantile(distance, _KEPT)]
        mean = kept.mean(axis=0)
    covariance = _WIDER * np.cov((kept - mean).T) + _LEAST_DB2 * np.eye(len(mean))
    return np.vstack([mean, covariance])


if __name__ == "__main__":
    main()
