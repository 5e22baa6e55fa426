"""What to do where a GPU's memory does not suffice: smaller batches, then the processor."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Literal, TypeVar

Device = Literal["best", "cpu"]
"""What audio-separator chooses (a GPU, if there is one), or the processor."""

Made = TypeVar("Made")


def with_room(
    work: Callable[[int, Device], Made], batch: int, device: Device
) -> tuple[Made, tuple[str, ...]]:
    """What `work(batch, device)` makes, and a line on what went otherwise than planned.

    Where torch.OutOfMemoryError is raised, `work` begins anew: with half the batch, down to one, then on the
    processor, where the error is passed on.
    """
    import torch

    notes: tuple[str, ...] = ()
    while True:
        try:
            return work(batch, device), notes
        except torch.OutOfMemoryError:
            if device == "cpu":
                raise
        # After the except clause: until here the error holds the frames, and they the tensors, that take the room.
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if batch > 1:
            batch //= 2
        else:
            device = "cpu"
            notes = ("the GPU's memory did not suffice: separated on the processor",)
