"""From noise to latents along a flow, by Dormand and Prince's Runge-Kutta pair of orders 5 and 4.

What is known already is kept: it flows along the straight line from its noise, which is what the network was
trained to follow, and what is not known flows beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from resonate_resources.models.weights import ModelError

Latents = npt.NDArray[np.float32]
"""(frames, numbers a frame)"""

_END: Final = 1 - 1e-5
_TOLERANCE: Final = 1e-5
"""Absolute and relative: both are its authors'."""


def solved(
    flow: Callable[[float, Latents], Latents], noise: Latents, known: Latents | None = None
) -> Latents:
    """What noise has become when it has flown to the end. known: what it is to begin with. Raises ModelError."""
    from scipy.integrate import solve_ivp

    count = 0 if known is None else len(known)
    straight = None if known is None else known - noise[:count]

    def slope(time: float, flat: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        slopes = flow(time, flat.reshape(noise.shape).astype(np.float32))
        if straight is not None:
            slopes = np.concatenate([straight, slopes[count:]])
        if not np.isfinite(slopes).all():
            raise ModelError("the model made no numbers: is it whole?")
        return slopes.ravel().astype(np.float64)

    found = solve_ivp(
        slope, (0.0, _END), noise.ravel(), "RK45", t_eval=(_END,), rtol=_TOLERANCE, atol=_TOLERANCE
    )
    if not found.success:
        raise ModelError(f"the model's flow can't be followed ({found.message})")
    made: Latents = found.y[:, -1].reshape(noise.shape).astype(np.float32)
    if known is not None:
        made[:count] = known
    return made
