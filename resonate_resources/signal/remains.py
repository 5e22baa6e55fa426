"""Which stems hold only what separation left of others: the hiss of a voice that plays alone, say, called drums.

Whether a stem sounds good does not belong here: `separation` judges that.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples, Stems

REMAINS_DB = -20.0
"""Against all stems together. Of 15 real recordings, what played lay at −18.8 dB (an orchestra's snare drum) or
above in its loudest window, what did not play between −20.2 and −45 dB, speech's breath (−8.6) apart."""
_HOP_S = 1.0
_WINDOW_HOPS = 3  # 3 s, as for short-term loudness (EBU Tech 3341)
_QUIET_DB = -30.0  # against the loudest window: in what is quieter nothing need be heard


def remains_of_others(stems: Stems) -> set[str]:
    """Names of the stems that are nowhere, in any 3 s, within 20 dB of what all stems sum to.

    stems: of equal rate, length and channels. Silent ones are among them, unless all are.
    """
    hop = round(_HOP_S * next(iter(stems.values())).sample_rate)
    powers: dict[str, list[float]] = {name: [] for name in (*stems, "")}
    for blocks in zip(*(stem.blocks(hop) for stem in stems.values()), strict=True):
        total: Samples = np.sum(blocks, axis=0)
        for name, block in zip((*stems, ""), (*blocks, total), strict=True):
            powers[name].append(float(np.mean(np.square(block, dtype=np.float64))))
    whole = _windows(powers.pop(""))
    loud = whole > whole.max(initial=0) * 10 ** (_QUIET_DB / 10)
    if not loud.any():
        return set()
    threshold = 10 ** (REMAINS_DB / 10)
    return {
        name for name, power in powers.items() if not (_windows(power)[loud] >= threshold * whole[loud]).any()
    }


def _windows(powers: list[float]) -> npt.NDArray[np.float64]:
    """Mean power of every window; of what is shorter, of all."""
    width = min(_WINDOW_HOPS, len(powers))
    return np.convolve(powers, np.ones(width) / width, "valid") if powers else np.zeros(0)
