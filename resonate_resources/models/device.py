"""What a neural engine runs on: a GPU's facts, or the processor's, and what they allow."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

Fast = Literal["float16", "bfloat16 attention"]
"""Lower precision: float16 throughout with TF32 around it, or bfloat16 in the attention layers alone."""

_BYTES_PER_SEGMENT = 4e9
_LARGEST_BATCH = 32
_M_MMAP_THRESHOLD = -3  # malloc.h
_LARGE_BLOCK_BYTES = 16_000_000


@dataclass(frozen=True)
class Device:
    """batch: how many segments to begin with at once. fast: the lower precision that its hardware speeds up."""

    kind: Literal["cuda", "cpu"]
    batch: int
    fast: Fast | None


def choose_device() -> Device:
    """The GPU where CUDA has one, else the processor."""
    import torch

    if not torch.cuda.is_available():
        return processor()
    free, _ = torch.cuda.mem_get_info()
    has_tensor_cores = torch.cuda.get_device_capability() >= (7, 0)  # Volta
    return Device("cuda", batch_size(free), "float16" if has_tensor_cores else None)


def processor() -> Device:
    """Two segments side by side: each on half of the cores, they take two thirds of what they take in turn on all.

    A segment takes 0.7 GB, so that no more would fit into 3 GB beside the weights of four models.
    """
    import torch

    units = torch.cpu.get_capabilities()
    # Without such units bfloat16 is emulated, slower than float32.
    fast: Fast | None = "bfloat16 attention" if units.get("avx512_bf16") or units.get("amx_bf16") else None
    return Device("cpu", min(2, os.cpu_count() or 1), fast)


def tame_allocator() -> None:
    """Large blocks go back to the system at once and come in huge pages, before torch has allocated any.

    With glibc's own moving threshold a process of two segments at once grows by up to 1 GB more, and takes no less
    time, as there are more page faults. Other C libraries are left alone.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # read by torch at its first allocation
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK_BYTES)


def batch_size(free_bytes: float) -> int:
    """Segments at once by free GPU memory: one under 8 GB, four at 16 GB, and so on in proportion."""
    return max(1, min(_LARGEST_BATCH, int(free_bytes // _BYTES_PER_SEGMENT)))


@contextmanager
def tensor_float_32() -> Iterator[None]:
    """TF32 for what stays float32, on GPUs that have it (Ampere and later; others take no notice)."""
    with _tensor_float_32(True):
        yield


@contextmanager
def full_float_32() -> Iterator[None]:
    """float32 with all of its bits: torch by itself has a GPU's convolutions in TF32."""
    with _tensor_float_32(False):
        yield


@contextmanager
def _tensor_float_32(allowed: bool) -> Iterator[None]:
    import torch

    matmul, convolution = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = allowed
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = matmul, convolution
