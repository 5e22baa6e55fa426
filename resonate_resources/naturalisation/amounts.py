"""How much of each part of naturalisation is wished."""

from __future__ import annotations

from typing import NamedTuple


class Amounts(NamedTuple):
    """Each 0, off, to 1."""

    vibrato: float = 0.0
    breath: float = 0.0
    shimmer: float = 0.0

    def times(self, part: float) -> Amounts:
        return Amounts(*(part * amount for amount in self))
