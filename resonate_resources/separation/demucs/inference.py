"""A network over a stream of segments: in batches that fit, as exact as asked for, on what device is left."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Protocol

import numpy as np

from resonate_resources.models.device import Device, full_float_32, processor, tensor_float_32
from resonate_resources.models.precision import WORST_ERROR_DB, Outputs, largest_error_db
from resonate_resources.recordings.recording import Samples

if TYPE_CHECKING:
    from torch import Tensor


class Network(Protocol):
    """What turns segments into sources."""

    def to(self, kind: str) -> None:
        """Move to "cpu" or "cuda"."""
        ...

    def __call__(self, segments: Tensor, fast: bool) -> Tensor:
        """(batch, channels, frames) → (batch, sources, channels, frames), float32, wherever it is now.

        fast: in lower precision.
        """
        ...


class Inference:
    """One track through one network. Afterwards `notes` tells in which precision it went, where there was a choice,
    and what went otherwise than planned, one line each; `error_db` how far lower precision was from float32 where
    both were tried."""

    def __init__(self, network: Network, device: Device) -> None:
        self._network = network
        self._device = device
        self._batch = device.batch
        # None: lower precision is possible and has yet to be proven, on a segment that has a sound.
        self._fast: bool | None = None if device.fast else False
        self.notes: list[str] = []
        self.error_db: float | None = None

    def run(self, segments: Iterator[Samples]) -> Iterator[Samples]:
        """(channels, frames), all of one shape, → (sources, channels, frames) of each in turn."""
        self._move()
        with _same_threads_after(), ThreadPoolExecutor(processor().batch) as pool:
            while batch := list(islice(segments, self._batch)):
                while batch:
                    outputs = self._attempt(np.stack(batch[: self._batch]), pool)
                    if outputs is None:
                        self._make_room()
                        continue
                    batch = batch[len(outputs) :]
                    yield from outputs

    def _move(self) -> None:
        import torch

        try:
            self._network.to(self._device.kind)
        except torch.OutOfMemoryError:
            exhausted = True
        else:
            exhausted = False
        if exhausted:  # after the except clause: until there the error holds what was moved so far
            self._to_processor()

    def _attempt(self, segments: Samples, pool: ThreadPoolExecutor) -> Outputs | None:
        """None when the GPU's memory does not suffice."""
        import torch

        try:
            if self._fast is None:
                return self._prove(segments, pool)
            outputs = self._outputs(segments, self._fast, pool)
            if self._fast and not torch.isfinite(outputs).all():
                outputs = self._outputs(segments, False, pool)  # beyond what float16 can hold
            return outputs.cpu().numpy()
        except torch.OutOfMemoryError:
            return None

    def _prove(self, segments: Samples, pool: ThreadPoolExecutor) -> Outputs:
        """All in lower precision where the first of them comes near enough to float32, else that one in float32."""
        import torch

        exact = self._outputs(segments[:1], False, pool).cpu().numpy()
        fast = self._outputs(segments, True, pool)
        error = largest_error_db(fast[:1].cpu().numpy(), exact)
        if error is None:
            return exact
        self.error_db = error
        self._fast = error <= WORST_ERROR_DB
        self.notes.append(
            f"separated in {self._device.fast}, {error:.0f} dB from float32"
            if self._fast
            else f"separated in float32: {self._device.fast} would have been off by {error:.0f} dB"
        )
        return fast.cpu().numpy() if self._fast and torch.isfinite(fast).all() else exact

    def _outputs(self, segments: Samples, fast: bool, pool: ThreadPoolExecutor) -> Tensor:
        import torch

        whole = torch.from_numpy(segments)
        if self._device.kind == "cpu":
            threads = max(1, (os.cpu_count() or 1) // len(whole))

            def output(segment: Tensor) -> Tensor:
                torch.set_num_threads(threads)
                return self._network(segment[None], fast)

            return torch.cat(list(pool.map(output, whole)))
        with tensor_float_32() if fast else full_float_32():
            return self._network(whole, fast)

    def _make_room(self) -> None:
        import torch

        if self._batch > 1:
            self._batch //= 2
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
        else:
            self._to_processor()

    def _to_processor(self) -> None:
        import torch

        self._network.to("cpu")
        self._device = processor()
        self._batch = self._device.batch
        self._fast = None if self._device.fast else False
        self.notes.append("the GPU's memory did not suffice: separated on the processor")
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


@contextmanager
def _same_threads_after() -> Iterator[None]:
    """The number of threads is set for the thread that asks, but parts of torch keep it for the process."""
    import torch

    threads = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
