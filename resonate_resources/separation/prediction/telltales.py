"""What betrays a separation without its truth: one row of numbers per stem of a passage.

Whether the stems sum to the mix, and whose the rest is; what two stems have in common; what a filter built from the
stems would find (re-separation); how rough, gated or smeared a stem is beside the mix; whether its spectrum is one
that such a stem has. All are ratios: the level of a recording changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from resonate_resources.separation.prediction import correlation
from resonate_resources.separation.prediction.bands import TINY, banded, db
from resonate_resources.separation.prediction.filtering import filtering, percussive_share
from resonate_resources.separation.prediction.movement import envelopes, exchange, strokes, texture
from resonate_resources.separation.prediction.passage import Floats, Passage

KINDS = ("vocals", "drums", "bass", "other")
"""Stems that the predictor knows apart; every further one (piano, guitar) is to it an `other`."""


def measure_telltales(passage: Passage, names: Sequence[str]) -> Floats:
    """(stems, telltales), finite; names are those of the stems, in the passage's order."""
    products = passage.products.sum(0)
    columns = [
        *correlation.of_waveforms(products),
        *correlation.second_by_second(passage.products),
        *_spectral(passage.spectra),
        _width(products, passage.mid),
        *_company(products, names),
        *(np.array([float(_kind(name) == kind) for name in names]) for kind in KINDS),
        np.full(len(names), float(len(names))),
    ]
    rows: Floats = np.nan_to_num(np.stack(columns, axis=1))
    return rows


def _spectral(spectra: npt.NDArray[np.complex64]) -> Iterator[Floats]:
    mix, stems = spectra[0], spectra[1:]
    missing = mix - stems.sum(0)
    mix_power, power, missing_power = (
        np.square(values.real) + np.square(values.imag) for values in (mix, stems, missing)
    )
    missing_power = missing_power + np.float32(1e-6) * mix_power  # rounding is not an error
    bands = banded(power.sum(1)) + TINY
    yield from db(bands / bands.sum(1, keepdims=True), -40).T
    yield from db(bands / (banded(mix_power.sum(0)) + TINY), -30, 10).T
    yield from correlation.in_bands(stems, missing)
    yield from correlation.direction(stems, power)
    yield from filtering(mix, mix_power, stems, power, missing_power)
    yield percussive_share(mix_power, power)
    yield from texture(mix_power, power)
    yield from exchange(power)
    yield from envelopes(mix_power, power, missing_power)
    yield from strokes(mix_power, power)


def _width(products: Floats, mid: Floats) -> Floats:
    """How much of the energy is in the mid channel, beside that of the mix."""
    share = db(mid / (np.diagonal(products) + TINY), -30, 30)
    beside: Floats = share[1:] - share[0]
    return beside


def _company(products: Floats, names: Sequence[str]) -> Iterator[Floats]:
    """Levels of the four kinds of stems beside the mix."""
    energy = np.diagonal(products)
    for kind in KINDS:
        own = sum(value for name, value in zip(names, energy[1:], strict=True) if _kind(name) == kind)
        yield np.full(len(names), db(own / (energy[0] + TINY), -40, 10))


def _kind(name: str) -> str:
    return name if name in KINDS else KINDS[-1]
