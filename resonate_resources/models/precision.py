"""Lower precision on a GPU, where it is shown to come near enough to float32."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from resonate_resources.models.device import full_float_32, tensor_float_32
from resonate_resources.recordings.recording import Samples

Outputs = npt.NDArray[np.float32]
"""Shaped (batch, sources, channels, frames)."""

WORST_ERROR_DB = -45.0
"""Lower precision is used only where no stem differs by more from what float32 gives."""
_FAINT = 1e-4
"""Stems 40 dB under the loudest are held to its error: their own is not heard."""

Separate = Callable[[Samples, float], dict[str, Samples]]
"""(2, frames) of a track of that level → stem name → (2, frames)."""


Lower = Literal["float16", "TF32"]
"""float16 where autocast has it, with TF32 for the rest, or TF32 alone."""


class MixedPrecision:
    """One track's chunks in lower precision from the second one on, where the first that has a sound allows it.

    float16 is tried first, then TF32. `notes` tells, in one line, how far off it is, or why it is not used. kind:
    "cuda" where the GPU has units for it, None where nothing has.
    """

    def __init__(self, kind: Literal["cuda", "cpu"] | None) -> None:
        self._kind = kind
        self._proven = kind is None
        self._lower: Lower | None = None
        self.notes: tuple[str, ...] = ()

    def __call__(self, separate: Separate, mix: Samples, level: float) -> dict[str, Samples]:
        """What `separate` gives. Raises what it raises in float32, and torch.OutOfMemoryError."""
        if self._lower:
            stems = self._lowered(self._lower, separate, mix, level)
            if all(np.isfinite(stem).all() for stem in stems.values()):
                return stems
        with full_float_32():
            exact = separate(mix, level)
        if not self._proven:
            self._prove(separate, mix, level, exact)
        return exact

    def _prove(self, separate: Separate, mix: Samples, level: float, exact: dict[str, Samples]) -> None:
        import torch

        if not any(stem.any() for stem in exact.values()):
            return
        self._proven = True
        told: list[str] = []
        for lower in get_args(Lower):
            try:
                stems = self._lowered(lower, separate, mix, level)
            except torch.OutOfMemoryError:
                raise
            except RuntimeError as error:  # a layer that float16 has no kernel for
                told.append(f"the model does not run in {lower} ({error})")
                continue
            error_db = largest_error_db(*(np.stack(list(each.values()))[None] for each in (stems, exact)))
            if (
                error_db is None or error_db == -math.inf
            ):  # the same arithmetic: no TF32 there, or another's network
                continue
            if error_db <= WORST_ERROR_DB:
                self._lower = lower
                told.insert(0, f"separated in {lower}, {error_db:.0f} dB from float32")
                break
            told.append(f"{lower} would have been off by {error_db:.0f} dB")
        if told and not self._lower:
            told.insert(0, "separated in float32")
        if told:
            first, *rest = told
            self.notes = (": ".join([first, "; ".join(rest)] if rest else [first])[:200],)

    def _lowered(self, lower: Lower, separate: Separate, mix: Samples, level: float) -> dict[str, Samples]:
        import torch

        halved = torch.autocast(self._kind or "cuda", torch.float16) if lower == "float16" else nullcontext()
        with tensor_float_32(), halved:
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
