"""Which songs fit, which calibrate, which test: no singer, kit or soundfont of the test is in the other two.

Nor are singers of calibration in the fit; what plays is the same in both. Voices by formants have no singer: the
program that sings is one, its voices are drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from resonate_tests.benchmarks.mask_fitting.songs import singer

Source = Literal["mixture", "band", "demo"]
Form = Literal["whole", "no voice", "voice alone", "mono", "quiet"]
Ways = Literal["all", "made", "engine", "as it is"]

UNHEARD = 10_000
"""Mixtures from this seed on, the embedded engine's networks were not fitted on: those that they were, it separates
better than songs of its users."""
CALIBRATION_SINGERS = frozenset({"es", "fr", "it", "nds", "nl"})


@dataclass(frozen=True)
class Piece:
    """A song of the benchmark. source: a mixture of `mask_fitting.mixtures`; a General MIDI band of `songs.py`; or
    a demo song, played by Faust instruments.

    judged: played and sung by those kept for the test. form: without its voice, its voice alone, one channel
    instead of two, or 45 dB softer. ways in which it is separated: all; those without an engine; those of the
    embedded engine; only as a user gets it.
    """

    source: Source
    seed: int
    judged: bool = False
    form: Form = "whole"
    ways: Ways = "all"

    @property
    def name(self) -> str:
        part = "judged" if self.judged else "fitted"
        return f"{self.source}-{part}-{self.seed}-{self.form}".replace(" ", "-")

    @property
    def voice(self) -> str:
        """Who sings; "resung " and who it is, where a speaker is made to; or "synthesised", or "none"."""
        if self.form == "no voice":
            return "none"
        found = singer(self.seed, self.judged) if self.source == "mixture" else None
        return "synthesised" if found is None else "resung " * found[1] + found[0]

    @property
    def is_recorded(self) -> bool:
        """Whether somebody's recordings are the voice."""
        return self.voice not in ("none", "synthesised")

    @property
    def company(self) -> str:
        """Pieces of one company are on one side of a cross-validation: of a singer, or made of one song."""
        return self.voice.removeprefix("resung ") if self.is_recorded else f"{self.source} {self.seed}"


def _mixtures(seeds: range, judged: bool, ways: Ways) -> list[Piece]:
    """Every one as it is, one in nine as mono or softly; of others their band or their voice once more."""
    pieces = []
    for seed in seeds:
        form: Form = "mono" if seed % 9 == 4 else "quiet" if seed % 18 == 5 else "whole"
        pieces.append(Piece("mixture", seed, judged, form, ways))
        if seed % 6 == 1:
            pieces.append(Piece("mixture", seed, judged, "no voice", ways))
        if seed % 6 == 4:
            pieces.append(Piece("mixture", seed, judged, "voice alone", ways))
    return pieces


def _calibrates(piece: Piece) -> bool:
    return piece.company in CALIBRATION_SINGERS if piece.is_recorded else piece.seed % 5 == 3


@cache
def fit_pieces() -> tuple[Piece, ...]:
    return tuple(piece for piece in _known() if not _calibrates(piece))


@cache
def calibration_pieces() -> tuple[Piece, ...]:
    return tuple(piece for piece in _known() if _calibrates(piece))


@cache
def test_pieces() -> tuple[Piece, ...]:
    return (
        *_mixtures(range(32), judged=True, ways="all"),
        *(Piece("band", seed, judged=True) for seed in range(1, 12, 2)),
    )


def _known() -> Iterator[Piece]:
    yield from _mixtures(range(60), judged=False, ways="made")
    yield from _mixtures(range(UNHEARD, UNHEARD + 32), judged=False, ways="engine")
    yield from (Piece("mixture", seed, ways="as it is") for seed in range(UNHEARD + 32, UNHEARD + 100))
    yield from (Piece("band", seed) for seed in range(0, 24, 2))
    yield from (Piece("demo", seed) for seed in range(101, 106))
