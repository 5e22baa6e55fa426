"""Lower precision on a GPU, where it is shown to come near enough to float32."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples

Outputs = npt.NDArray[np.float32]
"""Shaped (batch, sources, channels, frames)."""

WORST_ERROR_DB = -45.0
"""Lower precision is used only where no stem differs by more from what float32 gives."""
_FAINT = 1e-4
"""Stems 40 dB under the loudest are held to its error: their own is not heard."""

Separate = Callable[[Samples, float], dict[str, Samples]]
"""(2, frames) of a track of that level → stem name → (2, frames)."""


class MixedPrecision:
    """One track's chunks in float16 from the second one on, where the first that has a sound allows it.

    `notes` tells, in one line, how far off it is, or why it is not used. kind: "cuda" where the GPU has units for
    it, None where nothing has.
    """

    def __init__(self, kind: Literal["cuda", "cpu"] | None) -> None:
        self._kind = kind
        # None: possible, and not yet proven.
        self._fast: bool | None = None if kind else False
        self.notes: tuple[str, ...] = ()

    def __call__(self, separate: Separate, mix: Samples, level: float) -> dict[str, Samples]:
        """What `separate` gives. Raises what it raises in float32, and torch.OutOfMemoryError."""
        if self._fast:
            stems = self._lowered(separate, mix, level)
            if all(np.isfinite(stem).all() for stem in stems.values()):
                return stems
        exact = separate(mix, level)
        if self._fast is None:
            self._prove(separate, mix, level, exact)
        return exact

    def _prove(self, separate: Separate, mix: Samples, level: float, exact: dict[str, Samples]) -> None:
        import torch

        try:
            stems = self._lowered(separate, mix, level)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:  # a layer that float16 has no kernel for
            self._fast = False
            self.notes = (f"separated in float32: the model does not run in float16 ({error})"[:200],)
            return
        error_db = largest_error_db(*(np.stack(list(each.values()))[None] for each in (stems, exact)))
        if error_db is not None:
            self._fast = error_db <= WORST_ERROR_DB
            self.notes = (
                (f"separated in float16, {error_db:.0f} dB from float32",)
                if self._fast
                else (f"separated in float32: float16 would have been off by {error_db:.0f} dB",)
            )

    def _lowered(self, separate: Separate, mix: Samples, level: float) -> dict[str, Samples]:
        import torch

        with torch.autocast(self._kind or "cuda", torch.float16):
            return {name: stem.astype(np.float32) for name, stem in separate(mix, level).items()}


def lower_precision(device: str) -> Literal["cuda"] | None:
    """Where audio-separator would put a model, "best" or "cpu": a GPU with units for float16 (Volta and later)?"""
    import torch

    has_units = torch.cuda.is_available() and torch.cuda.get_device_capability() >= (7, 0)
    return "cuda" if device == "best" and has_units else None


def largest_error_db(approximate: Outputs, exact: Outputs) -> float | None:
    """Energy of the difference over that of the stem, of the worst stem; None where all is silent."""
    energy = np.square(exact, dtype=np.float64).sum(axis=(0, 2, 3))
    if not energy.max() > 0:
        return None
    difference = np.square(approximate.astype(np.float64) - exact).sum(axis=(0, 2, 3))
    worst = float((difference / np.maximum(energy, _FAINT * energy.max())).max())
    if math.isnan(worst):
        return math.inf
    return 10 * math.log10(worst) if worst > 0 else -math.inf
