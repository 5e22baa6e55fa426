"""Where stems sit in a mix: as they came, or towards a standard balance."""

from __future__ import annotations

import math
from collections.abc import Mapping

from resonate_resources.signal.smoothly import smoothly

BALANCE_LU = {"vocals": 0.0, "drums": -3.0, "bass": -6.0, "other": -8.0, "piano": -8.0, "guitar": -8.0}
"""Integrated loudness of each stem against the vocals'; piano and guitar sit where `other` does."""

_GONE_DB, _THERE_DB = -36.0, -24.0


def presence(own_db: float) -> float:
    """How far a stem counts as part of the music, 0 to 1, by the level of what is its own against the mix in dB.

    What is far below is leakage and noise, which has no place in a balance.
    """
    return smoothly(own_db, _GONE_DB, _THERE_DB)


def gains_towards(
    balance_lu: Mapping[str, float], loudness_lufs: Mapping[str, float], present: Mapping[str, float]
) -> dict[str, float]:
    """Gain in dB of each stem into the balance, together as loud as before; as far as it is present, none else.

    present: stem → 0 to 1.
    """
    sounding = {name: present[name] for name, loudness in loudness_lufs.items() if math.isfinite(loudness)}
    before = sum(part * 10 ** (loudness_lufs[name] / 10) for name, part in sounding.items())
    after = sum(part * 10 ** (balance_lu[name] / 10) for name, part in sounding.items())
    if before <= 0 or after <= 0:
        return dict.fromkeys(loudness_lufs, 0.0)
    level = 10 * math.log10(before / after)
    return {
        name: sounding[name] * (level + balance_lu[name] - loudness) if name in sounding else 0.0
        for name, loudness in loudness_lufs.items()
    }
