"""What can be told of a sound from its long-term spectrum, and of a mix against its kind."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from resonate_resources.mixing.kind import DEFECTS, Kind, plausible
from resonate_resources.mixing.plan import Octaves
from resonate_resources.recipe import Json
from resonate_resources.signal.octaves import OCTAVES_HZ
from resonate_resources.signal.smoothly import smoothly

Floats = npt.NDArray[np.float64]

BANDS: Mapping[str, Octaves] = {
    "low": (1, 1, 1, 0, 0, 0, 0, 0, 0, 0),
    "low_mid": (0, 0, 0, 1, 1, 0, 0, 0, 0, 0),
    "mid": (0, 0, 0, 0, 0, 1, 1, 0, 0, 0),
    "presence": (0, 0, 0, 0, 0, 0, 0, 1, 1, 0),
    "air": (0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
}
"""Parameters of tone → their shape at OCTAVES_HZ, per decibel; between octaves the tone goes straight over log
frequency."""

MUDDY_HZ, HARSH_HZ = 1500.0, 4000.0
"""Spectral centroids under and over which a mix may be muddy, or harsh: R3's. Whether it is, its kind says, too."""

SURELY = 0.5
"""Standard deviations after which what is doubted is certain."""

_LESS_DOUBTED: Mapping[str, float] = {"muddy": 0.8, "low_mid": 0.8, "harsh": 0.6, "presence": 0.6}
"""What stems have in common here varies less than at the ends. Of the songs without a defect in
docs/measurements.md two of 130 are muddy by over 1.7 standard deviations, and none is harsh by over 1.4; boomy they
are by up to 2.3, dark by up to 2.1, and one that a filter has cut by 2.7."""

_ROUNDS = 100  # by then the defects' shares stand still
_LEAST_DB = 0.1

_CERTAIN = math.sqrt(2)  # half an octave beyond those, they say all they can
_DARK, _BRIGHT = ("boomy", "muddy", "dark"), ("harsh",)
_FAINTEST = 1e-10  # against the strongest line, as librosa.feature.spectral_flatness against full scale


@dataclass(frozen=True)
class Sound:
    """centroid_hz: of long-term magnitudes, sum f·|X| / sum |X|. flatness: geometric over arithmetic mean of
    powers, 0 to 1. rms_dbfs: of a full-scale square wave 0. octaves_dbfs: the same in each of OCTAVES_HZ. Silence
    has no centroid and no flatness, and −inf dBFS.
    """

    centroid_hz: float | None
    flatness: float | None
    rms_dbfs: float
    octaves_dbfs: Octaves

    @classmethod
    def of(cls, hertz: npt.NDArray[np.floating[Any]], lines: Floats, octaves: Floats) -> Sound:
        """Of lines' long-term power, in any unit, and octaves' mean squares. The first line, an offset, is no
        sound."""
        power, whole = lines[1:], float(octaves.sum())
        if not power.sum() > 0 or whole <= 0:
            return cls(None, None, -math.inf, (-math.inf,) * len(octaves))
        magnitude = np.sqrt(power)
        floored = np.maximum(power, _FAINTEST * power.max())
        return cls(
            float(hertz[1:] @ magnitude / magnitude.sum()),
            float(np.exp(np.log(floored).mean()) / floored.mean()),
            decibels(whole),
            tuple(decibels(float(octave)) for octave in octaves),
        )


@dataclass(frozen=True)
class Judgement:
    """Of a mix against its kind. doubted: standard deviations up to which tone is a matter of taste."""

    kind: Kind
    doubted: float
    centroid_hz: float | None

    @property
    def outside_db(self) -> float:
        """How far the mix is outside what is usual, 0 within: the desk's measure. Root of the mean over octaves of
        the squares of what is beyond taste, of every band and of every defect with a name. Where R3's number says
        muddy or harsh, too, what makes it so counts up to double."""
        squares = 0.0
        for name, shape in {**BANDS, **DEFECTS}.items():
            beyond_db = self._beyond_db(name, shape)
            squares += self._weight(name, beyond_db) * beyond_db**2 * float(np.square(shape).mean())
        return math.sqrt(squares)

    def defects_db(self) -> dict[str, float]:
        """How much of each of DEFECTS the mix has, in dB, where they share out among them what it has too much of.

        What is a matter of taste is left: each takes part only by what passes its doubt, and counts in full from
        SURELY more on. The shares are those of the least squares with a price on every standard deviation (lasso,
        Tibshirani 1996), which has one solution, and one that moves on steadily with what is heard.
        """
        precision = self.kind.precision
        shapes = np.array(list(DEFECTS.values()))
        certainties = np.einsum("ij,jk,ik->i", shapes, precision, shapes)
        spreads = np.where(certainties > 0, 1 / np.sqrt(np.maximum(certainties, 1e-30)), 0.0)
        alike = (shapes @ precision @ shapes.T) * np.outer(spreads, spreads)
        deviations = shapes @ self.kind.pull * spreads
        doubts = [self._doubt(name) for name in DEFECTS]
        over = np.zeros(len(shapes))
        for _ in range(_ROUNDS):
            for at, doubt in enumerate(doubts):
                others = float(alike[at] @ over) - alike[at, at] * over[at]
                over[at] = max(0.0, deviations[at] - others - doubt)
        found = {
            name: float(amount := spread * (share + doubt * smoothly(share, 0.0, SURELY))) * plausible(amount)
            for name, share, doubt, spread in zip(DEFECTS, over, doubts, spreads, strict=True)
        }
        return {name: amount for name, amount in found.items() if amount >= _LEAST_DB}

    @property
    def muddy(self) -> bool:
        """Whether both its centroid and its kind say so."""
        low = self.centroid_hz is not None and self.centroid_hz < MUDDY_HZ
        return low and any(name in _DARK for name in self.defects_db())

    @property
    def harsh(self) -> bool:
        """Whether both its centroid and its kind say so."""
        high = self.centroid_hz is not None and self.centroid_hz > HARSH_HZ
        return high and any(name in _BRIGHT for name in self.defects_db())

    def _doubt(self, name: str) -> float:
        return self.doubted * _LESS_DOUBTED.get(name, 1.0)

    def _beyond_db(self, name: str, shape: Octaves) -> float:
        """How much over or under the usual: none up to what is doubted, all of it from SURELY more on."""
        amount_db, deviations = self.kind.amount(shape)
        return amount_db * smoothly(abs(deviations), self._doubt(name), self._doubt(name) + SURELY)

    def _weight(self, name: str, beyond_db: float) -> float:
        if self.centroid_hz is None or beyond_db <= 0:
            return 1.0
        if name in _DARK:
            return 1.0 + smoothly(self.centroid_hz, MUDDY_HZ, MUDDY_HZ / _CERTAIN)
        if name in _BRIGHT:
            return 1.0 + smoothly(self.centroid_hz, HARSH_HZ, HARSH_HZ * _CERTAIN)
        return 1.0


@dataclass(frozen=True)
class Nuance:
    """What `analyze_nuance` tells. judgement: of the mix alone. room_db: parameter → how far it may still go down
    and up."""

    target: str
    sound: Sound
    room_db: Mapping[str, tuple[float, float]]
    judgement: Judgement | None = None

    def told(self) -> dict[str, Json]:
        """In JSON's types, rounded: what a model reads."""
        told: dict[str, Json] = {
            "target": self.target,
            "spectral_centroid_hz": _rounded(self.sound.centroid_hz, 0),
            "spectral_flatness": _rounded(self.sound.flatness, 4),
            "rms_dbfs": _rounded(self.sound.rms_dbfs),
            "octaves_dbfs": {
                f"{hertz:g}": _rounded(level)
                for hertz, level in zip(OCTAVES_HZ, self.sound.octaves_dbfs, strict=True)
            },
            "room_db": {name: [round(down, 1), round(up, 1)] for name, (down, up) in self.room_db.items()},
        }
        if self.judgement is None:
            return told
        kind = self.judgement.kind
        told["over_its_kind"] = {name: _against(kind, shape) for name, shape in BANDS.items()}
        found = self.judgement.defects_db()
        told["defects_db"] = {name: round(amount, 1) for name, amount in found.items()}
        told["muddy"], told["harsh"] = self.judgement.muddy, self.judgement.harsh
        told["outside_db"] = round(self.judgement.outside_db, 2)
        return told


def _against(kind: Kind, shape: Octaves) -> Json:
    amount_db, deviations = kind.amount(shape)
    return {"excess_db": round(amount_db, 1), "standard_deviations": round(deviations, 1)}


def _rounded(value: float | None, digits: int = 1) -> float | None:
    return round(value, digits) if value is not None and math.isfinite(value) else None


def decibels(power: float) -> float:
    return 10 * math.log10(power) if power > 0 else -math.inf
