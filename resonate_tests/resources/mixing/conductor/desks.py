"""Desks for tests: stems of shaped noise whose levels are known, and kinds that are made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from resonate_resources.mixing.conductor.desk import Desk
from resonate_resources.mixing.holdings import Holdings
from resonate_resources.mixing.kind import Kind
from resonate_resources.mixing.plan import EVEN, Octaves
from resonate_resources.mixing.wishes import Wishes
from resonate_resources.signal.octaves import OctaveSpectra, membership

SPECTRA = OctaveSpectra(44_100)
STEMS = ("vocals", "drums", "bass", "other")
FRAMES = 100
MUD: Octaves = (0, 0, 0, 9, 9, 0, 0, 0, 0, 0)
HARSH: Octaves = (0, 0, 0, 0, 0, 0, 0, 9, 9, 0)


def kind(excess_db: Sequence[float] = EVEN, spread_db: float = 1.0) -> Kind:
    """Of octaves that vary alone, each with that standard deviation; their mean says nothing."""
    precision = (np.eye(10) - 1 / 10) / spread_db**2
    return Kind(precision, precision @ np.array(excess_db))


def holdings(
    levels_db: Mapping[str, Sequence[float]] | None = None, astray: float = 0.0, mix: float = 1.0
) -> Holdings:
    """Stems with these levels in each octave, even within it. astray: part that is not their own. mix: which part
    of the sum of the stems' powers the mix has."""
    members = membership(SPECTRA.hertz)
    levels = levels_db or dict.fromkeys(STEMS, [-20.0] * 10)
    stems = {name: 10 ** (np.array(level) / 10) * FRAMES for name, level in levels.items()}
    unit = SPECTRA.by_octave(np.ones(len(SPECTRA.hertz)))
    lines = {name: members @ (energy / unit) for name, energy in stems.items()}
    total = mix * sum(stems.values())
    return Holdings(
        mix=np.array([total]),
        stems={name: energy[None] for name, energy in stems.items()},
        astray={name: astray * energy[None] for name, energy in stems.items()},
        hertz=SPECTRA.hertz,
        mix_lines=np.asarray(mix * sum(lines.values())),
        lines=lines,
        samples=FRAMES,
    )


def desk(of: Kind | None = None, held: Holdings | None = None, free: bool = False) -> Desk:
    held = held or holdings()
    return Desk(Wishes(dict.fromkeys(held.stems, 0.0)), held, of or kind(), -24.0, 2.0, free)
