"""Partials: peaks of short-time spectra, followed from spectrum to spectrum as long as they hold their pitch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]

RATE = 11_025
"""Hz; of what is listened to."""
CENT = 1200 / np.log(2)
"""Cents by the natural logarithm of a ratio."""

_LOW_HZ, _HIGH_HZ = 150.0, 5000.0
_UNDER_DB, _SOUNDS_DB = 50.0, -60.0  # under the loudest line; a line's squared amplitude that is heard
_BESIDE, _STANDS_DB = 4, 12.0  # lines; over those on both sides
_JUMP_CENTS = 25.0  # from one spectrum to the next
_SHORTEST_S, _LONGEST_S = 0.25, 4.0
_MOST, _STARTS, _DIVISORS, _LOWEST_HZ, _HIGHEST_HARMONIC, _HARMONIC_CENTS = 24, 10, 10, 35.0, 40, 15.0


@dataclass(frozen=True)
class Partials:
    """One row an observation: number of the spectrum, cents (of any origin), number of its partial, and whether the
    partial belongs to the series of harmonics that explains most of the peaks about it.

    spectra: how many there are; hop_s: from one to the next.
    """

    at: Ints
    cents: Floats
    of: Ints
    leading: Bools
    spectra: int
    hop_s: float

    @property
    def count(self) -> int:
        return int(self.of[-1]) + 1 if len(self.of) else 0

    def those(self, wanted: Bools) -> Partials:
        """Of the observations, numbered anew. wanted: by observation, alike for all of one partial."""
        of = np.unique(self.of[wanted], return_inverse=True)[1]
        return Partials(
            self.at[wanted], self.cents[wanted], of, self.leading[wanted], self.spectra, self.hop_s
        )

    def mean(self, values: npt.NDArray[np.float64 | np.bool_], weights: Floats | None = None) -> Floats:
        """By partial, of values by observation."""
        weights = np.ones(len(values)) if weights is None else weights
        return np.asarray(np.bincount(self.of, weights * values) / np.bincount(self.of, weights))


def find_partials(mono: npt.NDArray[np.float32], size: int, hop: int) -> Partials:
    """Of audio at RATE. Spectra of Hann windows of size samples, hop apart, the first centred on the first sample.

    Frequencies are those to which lines are reassigned (Auger and Flandrin, IEEE Trans. Signal Process. 43, 1995),
    exact for a steady tone.
    """
    at, hertz, power, spectra = _peaks(mono, size, hop)
    if not len(at):
        nothing = np.zeros(0)
        return Partials(at, nothing, at, nothing > 0, spectra, hop / RATE)
    cents = CENT * np.log(hertz)
    order = np.lexsort((cents, at))
    at, hertz, cents, power = at[order], hertz[order], cents[order], power[order]
    of = _linked(at, cents)
    order = np.lexsort((at, of))
    at, cents, of = at[order], cents[order], of[order]
    leading = _of_leading_series(at, hertz[order], power[order], spectra)
    longest = round(_LONGEST_S * RATE / hop)
    first = np.maximum.accumulate(np.where(np.diff(of, prepend=-1) != 0, np.arange(len(of)), 0))
    of = np.cumsum((np.arange(len(of)) - first) % longest == 0) - 1
    long = np.bincount(of)[of] >= _SHORTEST_S * RATE / hop
    found = Partials(at, cents, of, leading, spectra, hop / RATE).those(long)
    return Partials(
        found.at, found.cents, found.of, found.mean(found.leading)[found.of] > 0.5, spectra, hop / RATE
    )


def _peaks(mono: npt.NDArray[np.float32], size: int, hop: int) -> tuple[Ints, Floats, Floats, int]:
    """Spectrum, Hz and power of each; and how many spectra there are."""
    from scipy.fft import rfft

    turn = 2 * np.pi * np.arange(size) / size
    window = (0.5 - 0.5 * np.cos(turn)).astype(np.float32)
    slope = (np.pi / size * np.sin(turn)).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(mono, size // 2), size)[::hop]
    spectra = rfft(frames * window)
    power = spectra.real**2 + spectra.imag**2
    low, high = round(_LOW_HZ * size / RATE), round(_HIGH_HZ * size / RATE)
    level = 10 * np.log10(power[:, low - _BESIDE : high + _BESIDE] + 1e-12)
    own = level[:, _BESIDE:-_BESIDE]
    peak = (own > level[:, _BESIDE - 1 : -_BESIDE - 1]) & (own >= level[:, _BESIDE + 1 : 1 - _BESIDE])
    peak &= own > np.maximum(own.max(axis=1, keepdims=True) - _UNDER_DB, _SOUNDS_DB)
    peak &= own > _STANDS_DB + np.maximum(level[:, : -2 * _BESIDE], level[:, 2 * _BESIDE :])
    at, line = np.nonzero(peak)
    line += low
    slopes = rfft(frames * slope)[at, line]
    off = -np.imag(slopes / spectra[at, line]) * size / (2 * np.pi)
    near = np.abs(off) < 1.2
    return at[near], (line + off)[near] * RATE / size, power[at, line][near].astype(np.float64), len(frames)


def _linked(at: Ints, cents: Floats) -> Ints:
    """The partial of each peak; peaks in order of spectrum and pitch. Linked are those that are each other's
    nearest in neighbouring spectra."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    apart = 1e6  # cents from one spectrum to the next: farther than any pitch
    key = at * apart + cents

    def nearest(wanted: Floats) -> Ints:
        after = np.searchsorted(key, wanted)
        below, above = np.clip(after - 1, 0, len(key) - 1), np.clip(after, 0, len(key) - 1)
        return np.where(np.abs(key[below] - wanted) < np.abs(key[above] - wanted), below, above)

    following, preceding = nearest(key + apart), nearest(key - apart)
    own = np.arange(len(key))
    linked = (np.abs(key[following] - key - apart) < _JUMP_CENTS) & (preceding[following] == own)
    links = csr_matrix((np.ones(linked.sum(), np.int8), (own[linked], following[linked])), (len(key),) * 2)
    return np.asarray(connected_components(links, directed=False)[1], np.intp)


def _of_leading_series(at: Ints, hertz: Floats, power: Floats, spectra: int) -> Bools:
    """Whether a peak is a harmonic of that fundamental which explains most peaks of its spectrum, beyond those that
    it would explain by chance."""
    order = np.lexsort((-power, at))
    begins = np.diff(at[order], prepend=-1) != 0
    rank = np.arange(len(at)) - np.maximum.accumulate(np.where(begins, np.arange(len(at)), 0))
    heard = rank < _MOST
    table = np.full((spectra, _MOST), np.nan)
    table[at[order][heard], rank[heard]] = hertz[order][heard]
    leading, best = np.zeros(table.shape, bool), np.full(spectra, -np.inf)
    for start in range(_STARTS):
        for divisor in range(1, _DIVISORS + 1):
            fundamental = table[:, start] / divisor
            harmonic = table / fundamental[:, None]
            number = np.maximum(np.round(harmonic), 1)
            hit = (np.abs(CENT * np.log(harmonic / number)) < _HARMONIC_CENTS) & (number <= _HIGHEST_HARMONIC)
            chance = np.minimum(2 * _HARMONIC_CENTS * harmonic / CENT, 1)
            score = np.nansum(hit - chance, axis=1)
            better = (fundamental > _LOWEST_HZ) & (score > best)
            best[better], leading[better] = score[better], hit[better]
    told = np.zeros(len(at), bool)
    told[order[heard]] = leading[at[order][heard], rank[heard]]
    return told
