"""Separations gone wrong in known ways and by known amounts, from near the truth to hardly a separation.

What engines do: the embedded one with Spleeter's weights and without, as it is and blended towards the truth and
away from it. And what is made without one: ideal masks at several resolutions, blurred and noisy ones, leakage
(everywhere, in bands, now and then), stems swapped or lost for seconds, gating, holes, musical noise, wrong phases,
lost bands, tails, noise. Some share the error out so that the stems still sum to the mix, some do not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import ndimage, signal

from resonate_resources.recordings.recording import Samples
from resonate_resources.separation.spectral.stft import Spectra, Stft

RATE = 44100
Stack = npt.NDArray[np.float32]
"""Stems of a song: (stems, channels, frames)."""
Random = np.random.Generator

UNSEEN_KINDS = ("binary masks", "tails")
"""Left out of fitting and calibration: how the predictor does on errors of a kind that it has not met."""


@dataclass(frozen=True)
class Song:
    """truth: what is to be found. found: what the embedded engine finds, by whether it has Spleeter's weights."""

    mix: Samples
    truth: Stack
    found: Mapping[bool, Stack]

    def engine(self, rng: Random) -> Stack:
        """Mostly with the weights, where there is a choice."""
        return self.found[rng.random() < 0.7 or False not in self.found]

    @cached_property
    def mix_spectra(self) -> Spectra:
        """(channels, time, bins)"""
        return Stft(2048).forward(self.mix)

    @cached_property
    def spectra(self) -> Spectra:
        """Of the truth: (stems, channels, time, bins)."""
        return forward(self.truth, 2048)

    @cached_property
    def magnitude(self) -> npt.NDArray[np.float32]:
        return _magnitude(self.spectra)


def degraded(song: Song, kind: str, rng: Random) -> Stack:
    """Stems with errors of that kind, their amount drawn; those of the engine as a user gets them."""
    if kind in ENGINE_AS_IT_IS:
        return song.found[kind == ENGINE_AS_IT_IS[0]]
    if kind == "two at once":
        made = [k for k in MADE_KINDS if k not in (kind, *UNSEEN_KINDS)]
        first, second = rng.choice(made, 2, replace=False)
        stems = _MADE[first](song, rng) + _MADE[second](song, rng) - song.truth
    else:
        stems = (_MADE[kind] if kind in _MADE else _BLENDED[kind])(song, rng)
    if rng.random() < 0.4:  # the same error, smaller or larger
        stems = song.truth + np.float32(rng.uniform(0.1, 1.3)) * (stems - song.truth)
    if rng.random() < 0.4:  # what no stem has goes to all, to each by its energy
        energy = np.square(stems).sum((1, 2)) + 1e-9
        shares = (energy / energy.sum()).astype(np.float32)
        stems = stems + shares[:, None, None] * (song.mix - stems.sum(0))
    if rng.random() < 0.2:
        stems = stems * 10 ** (rng.normal(0, 1, (len(stems), 1, 1)) / 20)
    return stems.astype(np.float32)


def forward(stack: Stack, size: int) -> Spectra:
    stft = Stft(size)
    return np.stack([stft.forward(stem) for stem in stack])


def _magnitude(spectra: Spectra) -> npt.NDArray[np.float32]:
    return np.sqrt(np.square(spectra.real) + np.square(spectra.imag))


def inverse(spectra: Spectra, frames: int) -> Stack:
    stft = Stft(2 * (spectra.shape[-1] - 1))
    return np.stack([stft.inverse(stem.astype(np.complex64), frames) for stem in spectra])


def _between(rng: Random, low: float, high: float) -> float:
    """Log-uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _towards_the_truth(song: Song, rng: Random) -> Stack:
    return song.truth + np.float32(rng.uniform(0.05, 1.4)) * (song.engine(rng) - song.truth)


def _masks_towards_the_truth(song: Song, rng: Random) -> Stack:
    """The engine's masks blended with ideal ones."""
    part = rng.uniform(0, 1)
    ideal = _shares(song.magnitude, 2)
    found = _shares(_magnitude(forward(song.engine(rng), 2048)), 2)
    return inverse(
        (np.float32(part) * ideal + np.float32(1 - part) * found) * song.mix_spectra, song.truth.shape[2]
    )


def _ratio_masks(song: Song, rng: Random) -> Stack:
    """Ideal up to errors that are independent from bin to bin or smooth."""
    spectra = forward(song.truth, int(rng.choice((512, 1024, 2048, 4096, 8192))))
    magnitude = _magnitude(spectra) ** int(rng.choice((1, 2)))
    amount = rng.uniform(0, 2.5) * (rng.random() < 0.7)
    error = rng.standard_normal(magnitude.shape, np.float32)
    if rng.random() < 0.6:
        error = ndimage.uniform_filter(error, (0, 0, 5, 9)) * 6
    magnitude = magnitude * np.exp(np.float32(amount) * error)
    mix = Stft(2 * (spectra.shape[-1] - 1)).forward(song.mix)
    return inverse(_shares(magnitude, 1) * mix, song.truth.shape[2])


def _binary_masks(song: Song, rng: Random) -> Stack:
    spectra = forward(song.truth, int(rng.choice((1024, 2048, 4096))))
    level = np.log(_magnitude(spectra) + np.float32(1e-9))
    level += np.float32(rng.uniform(0, 2)) * rng.standard_normal(spectra.shape, np.float32)
    mask = level == level.max(0)
    mix = Stft(2 * (spectra.shape[-1] - 1)).forward(song.mix)
    return inverse(mask * mix, song.truth.shape[2])


def _blurred(song: Song, rng: Random) -> Stack:
    """Magnitudes smoothed over time or frequency, phases of the mix."""
    magnitude = song.magnitude
    size = (0, 0, int(rng.integers(1, 12)), int(rng.integers(1, 8)))
    blurred = ndimage.uniform_filter(magnitude, size)
    if rng.random() < 0.5:
        return inverse(_shares(blurred, 2) * song.mix_spectra, song.truth.shape[2])
    mix = song.mix_spectra
    return inverse(blurred * mix / (_magnitude(mix) + np.float32(1e-9)), song.truth.shape[2])


def _leakage(song: Song, rng: Random) -> Stack:
    return np.einsum("kj,jcn->kcn", _crosstalk(len(song.truth), rng), song.truth)


def _band_leakage(song: Song, rng: Random) -> Stack:
    edges = np.unique(np.geomspace(2, 1024, int(rng.integers(3, 10))).astype(int))
    bins = song.spectra.shape[3]
    gains = np.empty((len(song.truth), len(song.truth), bins), np.float32)
    for low, high in zip([0, *edges], [*edges, bins], strict=True):
        gains[:, :, low:high] = _crosstalk(len(song.truth), rng)[:, :, None]
    return inverse(np.einsum("kjf,jctf->kctf", gains, song.spectra), song.truth.shape[2])


def _moving_leakage(song: Song, rng: Random) -> Stack:
    frames = song.truth.shape[2]
    knots = np.linspace(0, frames, int(rng.integers(4, 24)))
    open_ = np.interp(np.arange(frames), knots, rng.choice((0.0, 0.3, 1.0), len(knots)))
    return song.truth + open_.astype(np.float32) * (_leakage(song, rng) - song.truth)


def _crosstalk(stems: int, rng: Random) -> npt.NDArray[np.float32]:
    """Row: what an estimate is made of. Some pairs leak more than others; half of the times the source loses it."""
    gains = (
        _between(rng, 0.05, 1.0) * rng.uniform(0, 1.5, (stems, stems)) * (rng.random((stems, stems)) < 0.6)
    )
    np.fill_diagonal(gains, 0)
    gains = np.minimum(gains, 1)
    if rng.random() < 0.5:
        gains += np.diag(np.maximum(1 - gains.sum(0), 0.1))
    else:
        gains += np.eye(stems)
    return gains.astype(np.float32)


def _swapped(song: Song, rng: Random) -> Stack:
    stems = song.truth.copy()
    for start, stop in _spans(stems.shape[2], rng):
        one, other = rng.choice(len(stems), 2, replace=False)
        stems[[one, other], :, start:stop] = stems[[other, one], :, start:stop]
    return stems


def _lost(song: Song, rng: Random) -> Stack:
    """Stems silent for seconds: in another stem or nowhere."""
    stems = song.truth.copy()
    for start, stop in _spans(stems.shape[2], rng):
        one, other = rng.choice(len(stems), 2, replace=False)
        keep = np.float32(rng.uniform(0, 0.4))
        if rng.random() < 0.6:
            stems[other, :, start:stop] += (1 - keep) * stems[one, :, start:stop]
        stems[one, :, start:stop] *= keep
    return stems


def _spans(frames: int, rng: Random) -> list[tuple[int, int]]:
    spans = []
    for _ in range(int(rng.integers(1, 6))):
        start = int(rng.uniform(0, 0.95) * frames)
        spans.append((start, min(frames, start + int(_between(rng, 0.15, 6) * RATE))))
    return spans


def _noisy(song: Song, rng: Random) -> Stack:
    """Noise, white or falling, steady or following the stem."""
    noise = rng.standard_normal(song.truth.shape, np.float32)
    noise = signal.lfilter(
        np.ones(1, np.float32), np.array([1, -rng.uniform(0, 0.97)], np.float32), noise, axis=2
    )
    if rng.random() < 0.5:
        noise *= ndimage.uniform_filter1d(np.abs(song.truth), 2000, axis=2)
    level = np.array([_between(rng, 0.03, 1.2) for _ in song.truth], np.float32)[:, None, None]
    return song.truth + level * noise * _rms(song.truth) / (_rms(noise) + 1e-9)


def _tails(song: Song, rng: Random) -> Stack:
    """Every stem with an echoing tail of noise."""
    length = int(_between(rng, 0.05, 1.0) * RATE)
    decay = rng.standard_normal((len(song.truth), 1, length)) * 10 ** (-3 * np.arange(length) / length)
    decay = (decay / np.sqrt(np.square(decay).sum(2, keepdims=True))).astype(np.float32)
    tails = signal.fftconvolve(song.truth, decay, axes=2)[:, :, : song.truth.shape[2]]
    return song.truth + np.float32(_between(rng, 0.05, 1.2)) * tails


def _band_limited(song: Song, rng: Random) -> Stack:
    stems = song.truth.copy()
    for number in range(len(stems)):
        if rng.random() < 0.7:
            kind, hz = (
                ("low", _between(rng, 150, 9000)) if rng.random() < 0.5 else ("high", _between(rng, 40, 2500))
            )
            kept = signal.sosfilt(signal.butter(4, hz, kind, fs=RATE, output="sos"), stems[number])
            lost = stems[number] - kept
            stems[number] = kept
            if rng.random() < 0.5:
                stems[(number + int(rng.integers(1, len(stems)))) % len(stems)] += lost
    return stems


def _holes(song: Song, rng: Random) -> Stack:
    """Rectangles of time and frequency that a stem lacks, and perhaps another one has."""
    spectra = song.spectra.copy()
    times, bins = spectra.shape[2:]
    for number in range(len(spectra)):
        for _ in range(int(_between(rng, 3, 400))):
            t, width = int(rng.integers(times)), int(_between(rng, 3, 120))
            f = int(_between(rng, 1, bins))
            part = (slice(None), slice(t, t + width), slice(f, f + int(_between(rng, 4, 200))))
            if rng.random() < 0.5:
                spectra[(number + 1) % len(spectra)][part] += spectra[number][part]
            spectra[number][part] = 0
    return inverse(spectra, song.truth.shape[2])


def _musical_noise(song: Song, rng: Random) -> Stack:
    """Ideal masks of which many bins are wrong."""
    ideal = _shares(song.magnitude, 2)
    chance = _between(rng, 0.01, 0.6)
    wrong = rng.random(ideal.shape, np.float32) < chance
    value = np.float32(0) if rng.random() < 0.5 else 1 - ideal
    return inverse(np.where(wrong, value, ideal) * song.mix_spectra, song.truth.shape[2])


def _phases(song: Song, rng: Random) -> Stack:
    turn = np.float32(_between(rng, 0.05, 1.6)) * rng.standard_normal(song.spectra.shape, np.float32)
    if rng.random() < 0.5:
        turn = ndimage.uniform_filter(turn, (0, 0, 3, 3)) * 3
    return inverse(song.spectra * (np.cos(turn) + np.complex64(1j) * np.sin(turn)), song.truth.shape[2])


def _gated(song: Song, rng: Random) -> Stack:
    """What is soft in a stem is taken for noise: it is nowhere, or in the other stems."""
    magnitude = song.magnitude
    threshold = np.float32(_between(rng, 0.2, 12)) * magnitude.mean((2, 3), keepdims=True)
    gate = magnitude**2 / (magnitude**2 + threshold**2 + np.float32(1e-12))
    kept = gate * song.spectra
    if rng.random() < 0.5:
        lost = song.spectra - kept
        kept = kept + (lost.sum(0) - lost) / (len(lost) - 1)
    return inverse(kept, song.truth.shape[2])


def _shares(magnitude: npt.NDArray[np.float32], exponent: int) -> npt.NDArray[np.float32]:
    """Masks over the stems from their magnitudes; channels share theirs."""
    power = (magnitude if exponent == 1 else magnitude * magnitude).sum(1, keepdims=True)
    return power / (power.sum(0) + np.float32(1e-12))


def _rms(stack: Stack) -> Stack:
    return np.sqrt(np.square(stack).mean((1, 2), keepdims=True))


_Worsening = Callable[[Song, Random], Stack]
_BLENDED: Mapping[str, _Worsening] = {
    "embedded engine blended": _towards_the_truth,
    "embedded engine's masks blended": _masks_towards_the_truth,
}
_MADE: Mapping[str, _Worsening] = {
    "ratio masks": _ratio_masks,
    "binary masks": _binary_masks,
    "blurred masks": _blurred,
    "leakage": _leakage,
    "leakage in bands": _band_leakage,
    "leakage now and then": _moving_leakage,
    "stems swapped": _swapped,
    "stems lost": _lost,
    "noise": _noisy,
    "tails": _tails,
    "bands lost": _band_limited,
    "holes": _holes,
    "musical noise": _musical_noise,
    "phases": _phases,
    "gating": _gated,
}
ENGINE_AS_IT_IS = ("embedded engine", "embedded engine without weights")
ENGINE_KINDS = (*ENGINE_AS_IT_IS, *_BLENDED)
MADE_KINDS = (*_MADE, "two at once")
"""What changes with the engine, and what does not."""
KINDS = (*ENGINE_KINDS, *MADE_KINDS)
