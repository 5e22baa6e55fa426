"""Whether a mix is muddy or harsh, judged by what its own stems usually sound like.

Voices, drums, basses and the rest each have a spectrum of their own, and vary about it: in tilt by far more than
in bumps and holes between neighbouring octaves. What is done to a whole mix shows in all of its stems alike. So the
tone that all stems have in common against their kinds is estimated by generalised least squares; a single stem of
a wide kind, as an organ, tells little, and is believed little.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from resonate_resources.mixing.balance import presence
from resonate_resources.mixing.plan import Octaves
from resonate_resources.preset import Preset
from resonate_resources.signal.smoothly import smoothly

Floats = npt.NDArray[np.float64]

_FILE = resources.files("resonate_resources.mixing") / "kinds.npz"
_LIKE_OTHER = ("piano", "guitar")

DEFECTS: Mapping[str, Octaves] = {
    "boomy": (0, 1, 1, 0, 0, 0, 0, 0, 0, 0),
    "muddy": (0, 0, 0, 1, 1, 0, 0, 0, 0, 0),
    "dark": (0, 0, 1, 1, 1, 0, -0.5, -1, -1, -1),
    "harsh": (0, 0, 0, 0, 0, 0, 0, 1, 1, 0),
}
"""Shapes of tone at OCTAVES_HZ that mixing knows by name, per decibel."""

DOUBTED: Mapping[Preset, float] = {"conservative": 3.0, "balanced": 2.5, "aggressive": 1.5}
"""Up to so many standard deviations of music of its kind a mix has no defect. Of the finished music in
docs/measurements.md, one song lies over 2.2, which a filter has made dark."""

_FAINTEST = 1e-5  # of a stem's power: what is under it in an octave is as good as nothing,
_UNTOLD_DB = 30.0  # and tells nothing of tone
_ANY_LEVEL_DB2 = 400.0  # how loud a stem is says nothing about its tone
_THERE_DB = -45.0, -25.0  # from where an octave begins to count as filled, to where it does in full
_BREADTH = 2.0, 4.0  # a beep fills one and has no tone to speak of; the narrowest basses fill four
_OTHER_KIND_DB = 24.0, 14.0  # nobody makes a mix harsh by 24 dB: it is a shaker


@dataclass(frozen=True)
class Kind:
    """What stems have in common against their kinds. precision (octaves, octaves) in 1/dB² and pull (octaves,) in
    1/dB of that tone; a tone that is even has no meaning, and is left out."""

    precision: Floats
    pull: Floats

    def amount(self, shape: Octaves) -> tuple[float, float]:
        """How much of a shape the mix has over what is usual, in dB, and in standard deviations of music of its
        kind."""
        tone = np.array(shape)
        certainty = float(tone @ self.precision @ tone)
        if certainty <= 0:
            return 0.0, 0.0
        pull = float(tone @ self.pull)
        return pull / certainty, pull / float(np.sqrt(certainty))

    def believed(self, part: float) -> Kind:
        """With deviations of that part, 0 to 1, of what they are: what one part plays alone is a choice."""
        return Kind(part**2 * self.precision, part**2 * self.pull)

    def with_tone(self, tone_db: Octaves) -> Kind:
        """Of the same mix with that tone on all of its stems."""
        return Kind(self.precision, self.pull + self.precision @ np.array(tone_db))


def plausible(amount_db: float) -> float:
    """1 where so much may have happened to a mix, 0 where it is of another kind."""
    return smoothly(abs(amount_db), *_OTHER_KIND_DB)


def kind_of(stems: Mapping[str, Floats]) -> Kind:
    """Of stems' energies by octave, (octaves,) by name. What is hardly there (`balance.presence`) counts for
    little."""
    usual = _usual()
    precision, pull = np.zeros((10, 10)), np.zeros(10)
    whole = sum(float(energy.sum()) for energy in stems.values())
    for name, energy in stems.items():
        own = float(energy.sum())
        weight = presence(10 * np.log10(own / whole)) if own > 0 else 0.0
        if not weight:
            continue
        mean, covariance = usual["other" if name in _LIKE_OTHER else name]
        spectrum = spectrum_db(energy)
        weight *= smoothly(_breadth(spectrum), *_BREADTH)
        certainty = weight * _certainty(covariance, np.minimum(spectrum, mean))
        precision += certainty
        pull += certainty @ (spectrum - mean)
    return Kind(precision, pull)


def spectrum_db(energy: Floats) -> Floats:
    """(…, octaves) of energy → dB against the sum over octaves."""
    whole = np.maximum(energy.sum(axis=-1, keepdims=True), 1e-30)
    return np.asarray(10 * np.log10(energy / whole + _FAINTEST), np.float64)


def _breadth(spectrum: Floats) -> float:
    """In how many octaves there is something."""
    return sum(smoothly(level, *_THERE_DB) for level in spectrum.tolist())


def _certainty(covariance: Floats, spectrum: Floats) -> Floats:
    """The inverse, of a stem at any level, with no word on octaves in which it has as good as nothing."""
    even = np.ones(len(spectrum))
    untold = _UNTOLD_DB * _FAINTEST / 10 ** (spectrum / 10)
    inverse = np.linalg.inv(covariance + np.diag(np.square(untold)) + _ANY_LEVEL_DB2 * np.outer(even, even))
    level = inverse @ even
    return np.asarray(inverse - np.outer(level, level) / float(even @ level), np.float64)


@cache
def _usual() -> Mapping[str, tuple[Floats, Floats]]:
    """Stem → its mean spectrum in dB (octaves,), and how it varies, (octaves, octaves) in dB²."""
    with resources.as_file(_FILE) as path, np.load(path) as kinds:
        return {name: (kinds[name][0], kinds[name][1:]) for name in ("vocals", "drums", "bass", "other")}
