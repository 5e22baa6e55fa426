"""Which stem plays in which bar, and which bars repeat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from resonate_resources.analysis.likeness import Likeness

Floats = npt.NDArray[np.float64]

_OWN_DB = 24.0  # under a stem's own loud bars: it has stopped, and rings or leaks
_MIX_DB = 28.0  # under all stems together in that bar: what is left there of others
_SILENCE_DB = -70.0  # as for BS.1770's absolute gate
_REPEATED, _AS_LIKE = 0.85, 0.02


def playing(levels_db: Floats, names: Sequence[str], remains: set[str]) -> list[tuple[str, ...]]:
    """Bar by bar, the names of the stems that play. levels_db: (bars, stems). remains: stems that nowhere do."""
    if not len(levels_db):
        return []
    loud = np.percentile(levels_db, 90, axis=0)
    whole = 10 * np.log10((10 ** (levels_db / 10)).sum(axis=1, keepdims=True))
    plays = (levels_db > loud - _OWN_DB) & (levels_db > whole - _MIX_DB) & (levels_db > _SILENCE_DB)
    plays &= np.array([name not in remains for name in names])
    return [tuple(name for name, is_on in zip(names, bar, strict=True) if is_on) for bar in plays]


def repeats(likeness: Likeness) -> list[int | None]:
    """Bar by bar, the number from 0 of the earlier bar that it repeats, the first of those that it is most like;
    None of what is new."""
    found: list[int | None] = []
    for bar, row in enumerate(likeness):
        earlier = row[: min(bar, len(row))]
        most = float(earlier.max(initial=0.0))
        if most < _REPEATED:
            found.append(None)
            continue
        first = bar - 1 - int(np.flatnonzero(earlier >= max(_REPEATED, most - _AS_LIKE))[-1])
        found.append(first if found[first] is None else found[first])
    return found


def energy(levels_db: Floats) -> npt.NDArray[np.float64]:
    """(bars,): level in dB of all stems together."""
    return np.asarray(10 * np.log10((10 ** (levels_db / 10)).sum(axis=1)), np.float64)
