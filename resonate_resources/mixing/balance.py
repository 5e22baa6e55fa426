"""How loud stems sit against each other in a mix."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

BALANCE_LU = {"vocals": 0.0, "drums": -3.0, "bass": -6.0, "other": -8.0, "piano": -8.0, "guitar": -8.0}
"""Integrated loudness of each stem against the vocals'; piano and guitar sit where `other` does."""

TOLERANCE_LU = 0.5


def target_loudness(
    stems: Collection[str], together_lufs: float, balance_lu: Mapping[str, float] = BALANCE_LU
) -> dict[str, float]:
    """Loudness in LUFS of each stem, in balance, for all of them (uncorrelated) to sum to together_lufs."""
    power = sum(10 ** (balance_lu[stem] / 10) for stem in stems)
    return {stem: together_lufs - 10 * math.log10(power) + balance_lu[stem] for stem in stems}


def balance_error(loudness_lufs: Mapping[str, float], balance_lu: Mapping[str, float] = BALANCE_LU) -> float:
    """Largest error, in LU, of any two stems' loudness against each other; 0 for fewer than two."""
    offsets = [loudness - balance_lu[stem] for stem, loudness in loudness_lufs.items()]
    return max(offsets) - min(offsets) if offsets else 0.0


def balance_holds(
    measures: Mapping[str, float | int | str | bool], balance_lu: Mapping[str, float] = BALANCE_LU
) -> bool:
    """Whether all stems of a mix that could be levelled are in their place, as the mix's measures tell."""
    levelled = {
        stem: float(measures[f"{stem}_loudness_lufs"])
        for stem in balance_lu
        if measures.get(f"{stem}_levelled", False)
    }
    return balance_error(levelled, balance_lu) <= TOLERANCE_LU
