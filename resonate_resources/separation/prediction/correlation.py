"""What stems have in common with each other and with what they miss of the mix.

True stems are nearly uncorrelated. Leakage adds to their inner products, an error that one stem has and another one
lacks subtracts, and noise that only one has stands in that stem's inner product with what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from resonate_resources.separation.prediction.bands import EDGES, TINY, apart, db
from resonate_resources.separation.prediction.passage import BINS, Floats

_SEGMENT_FRAMES = 54
"""2.5 s."""


def of_waveforms(products: Floats) -> Iterator[Floats]:
    """From inner products (rows, rows), the mix first: energies, then correlations."""
    mix, stems = products[0, 0] + TINY, products[1:, 1:]
    energy = np.diag(stems) + TINY
    missing = max(mix - 2 * products[0, 1:].sum() + stems.sum(), 1e-6 * mix)
    yield db(energy / mix)
    yield db(np.full(len(energy), missing / mix))
    yield db(missing / energy)
    with_others = stems.sum(1) - energy
    with_missing = products[0, 1:] - stems.sum(1)
    for inner in (with_others, with_missing):
        yield db(inner / energy, -40)
        yield db(-inner / energy, -40)
    yield with_missing / np.sqrt(energy * missing)
    others = np.maximum(stems.sum() - 2 * stems.sum(1) + energy, TINY)
    yield with_others / np.sqrt(energy * others)
    pairs = stems / np.sqrt(np.outer(energy, energy))
    yield apart(pairs, -1).max(1)
    yield apart(pairs, 1).min(1)
    yield db(_explained(pairs))


def second_by_second(products: Floats) -> Iterator[Floats]:
    """From inner products (seconds, rows, rows): what happens only now and then, weighed by energy."""
    stems = products[:, 1:, 1:]
    energy = np.diagonal(stems, axis1=1, axis2=2) + TINY
    total = energy.sum(0)
    weights = energy / total
    pairs = stems / np.sqrt(energy[:, :, None] * energy[:, None, :])
    yield db((weights * _explained(pairs)).sum(0))
    inner = apart(stems, 0)
    yield db(np.maximum(inner, 0).sum((0, 2)) / total, -40)
    yield db(np.maximum(-inner, 0).sum((0, 2)) / total, -40)
    share = db(energy / (products[:, 0, 0][:, None] + TINY), -40, 10)
    yield np.sqrt((weights * np.square(share - (weights * share).sum(0))).sum(0))
    yield share.std(0)
    yield db(energy / energy.max(0), -40).mean(0)


def in_bands(stems: npt.NDArray[np.complex64], missing: npt.NDArray[np.complex64]) -> Iterator[Floats]:
    """From spectra (stems, time, BINS) and that of what is missing: throughout, then over 2.5 s each."""
    rows = np.concatenate([missing[None], stems])
    segments = np.array_split(np.arange(rows.shape[1]), max(1, rows.shape[1] // _SEGMENT_FRAMES))
    cross = np.empty((len(segments), len(EDGES), len(rows), len(rows)), np.complex128)
    for number, segment in enumerate(segments):
        for band, (low, high) in enumerate(zip(EDGES, [*EDGES[1:], BINS], strict=True)):
            part = rows[:, segment[0] : segment[-1] + 1, low:high].reshape(len(rows), -1)
            cross[number, band] = part @ part.conj().T
    for products in (cross.sum(0, keepdims=True), cross):
        inner = products[..., 1:, 1:]
        energy = np.diagonal(inner, axis1=2, axis2=3).real + TINY
        total = energy.sum((0, 1))
        weight = energy / total
        coherence = inner / np.sqrt(energy[..., :, None] * energy[..., None, :])
        yield db((weight * _explained(coherence)).sum((0, 1)))
        yield np.sqrt((weight * np.square(apart(np.abs(coherence), 0)).max(3)).sum((0, 1)))
        real = apart(inner.real, 0)
        for signed in (real, -real):
            yield db(np.maximum(signed, 0).sum((0, 1, 3)) / total, -40)
        with_missing = products[..., 1:, 0].real
        for signed in (with_missing, -with_missing):
            yield db(np.maximum(signed, 0).sum((0, 1)) / total, -40)


def direction(stems: npt.NDArray[np.complex64], power: npt.NDArray[np.float32]) -> Iterator[Floats]:
    """Which of two stems leaks into which: how much of one is heard, in phase, where the other one is alone.

    Inner products are symmetric. But where one stem sounds by itself, another that has some of it follows it, and
    one that is in it does not. Energy that leaked in, in dB: over the whole spectrum, in bands, in bands of 2.5 s.
    """
    count, times, _ = stems.shape
    alone = np.square(np.square(power / (power.sum(0) + np.float32(TINY))))
    chosen = stems * alone
    segments = np.array_split(np.arange(times), max(1, times // _SEGMENT_FRAMES))
    followed = np.empty((len(segments), len(EDGES), count, count))
    heard, size, energy = np.empty_like(followed), followed[..., 0].copy(), followed[..., 0].copy()
    for number, segment in enumerate(segments):
        for band, (low, high) in enumerate(zip(EDGES, [*EDGES[1:], BINS], strict=True)):
            part = slice(segment[0], segment[-1] + 1), slice(low, high)
            flat = (values[:, *part].reshape(count, -1) for values in (stems, chosen, power, alone))
            spectra, filtered, powers, weights = flat
            followed[number, band] = (spectra @ filtered.conj().T).real  # row: stem that follows
            heard[number, band] = powers @ weights.T
            size[number, band] = (powers * weights).sum(1)
            energy[number, band] = powers.sum(1)
    total = energy.sum((0, 1)) + TINY
    size += 0.02 * energy  # who is never alone tells nothing
    for axes in ((0, 1), (0,), ()):
        gains = followed.sum(axes, keepdims=True) / (size.sum(axes, keepdims=True)[..., None, :] + TINY)
        for signed in (gains, -gains):
            leaked = np.square(np.maximum(signed, 0)) * energy.sum(axes, keepdims=True)[..., None, :]
            leaked = apart(leaked, 0)
            yield db(leaked.sum((0, 1, 3)) / total, -40)
        if not axes:
            yield db(apart(heard, 0).sum((0, 1, 3)) / total, -40)


def _explained(coherence: npt.NDArray[np.complex128] | Floats) -> Floats:
    """Share of each stem's energy, 0…1, that the others predict linearly: (…, stems, stems) → (…, stems)."""
    inverse = np.linalg.inv(coherence + 1e-3 * np.eye(coherence.shape[-1]))
    diagonal = np.diagonal(inverse, axis1=-2, axis2=-1).real
    share: Floats = np.clip(1.001 - 1 / np.maximum(diagonal, TINY), 1e-5, 1)
    return share
