"""Pools: how many stages work at once on a host, and how many jobs at a paid service.

    gpu      what runs a large model, one a host: two would not fit into the memory of one GPU
    cores    everything else that computes, so many that each has two cores and 2 GB
    cloud    what waits for a service, two over all hosts; it holds no place of the others meanwhile

Of our own, as Dagster's pools are sizes in its database that know neither hosts nor deaths: a place there is held
until somebody frees it, and an asset's pool is chosen before anybody knows which engine will run.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Literal

from resonate_resources.parallel import CORES, share_with
from resonate_resources.storage.heartbeats import HOST, Heartbeat, holding
from resonate_resources.watching.tracing import waited

Pool = Literal["gpu", "cores", "cloud"]

_KIND = "pool"
_CORES_A_TRACK = 2
_BYTES_A_TRACK = 2e9
_JOBS_AT_A_SERVICE = 2
"""LALAL.AI takes 30 questions a minute, and a job asks 12."""
_BYTES_KNOWN_TO_CGROUPS = Path("/sys/fs/cgroup/memory.max")


def places(pool: Pool) -> int:
    """How many there are: RESONATE_POOL_GPU, _CORES or _CLOUD, else by this machine. At least one."""
    set_to = os.environ.get(f"RESONATE_POOL_{pool.upper()}", "")
    if set_to.isdecimal():
        return max(1, int(set_to))
    if pool == "cores":
        return max(1, min(CORES // _CORES_A_TRACK, int(_memory_bytes() / _BYTES_A_TRACK)))
    return _JOBS_AT_A_SERVICE if pool == "cloud" else 1


def runs_at_once() -> int:
    """Runs that keep every pool busy."""
    return places("gpu") + places("cores") + places("cloud")


_waits: ContextVar[list[float] | None] = ContextVar("waits", default=None)


@contextmanager
def waits() -> Iterator[list[float]]:
    """Gives the seconds of each wait of `in_pool` in the block, by the thread of the block, as they come."""
    found: list[float] = []
    reset = _waits.set(found)
    try:
        yield found
    finally:
        _waits.reset(reset)


@contextmanager
def in_pool(
    url: str, pool: Pool, track: str | None = None, tell: Callable[[str], None] = lambda _: None
) -> Iterator[None]:
    """Work in a pool for as long as the block lasts, after waiting for a place. Nobody waits for two at a time.

    tell: takes a line, once, where there is none yet. Without a database (url "") nobody shares the machine.
    """
    if not url:
        yield
        return
    told = False

    def full(holders: list[Heartbeat]) -> None:
        nonlocal told
        if not told:
            told = True
            tell(f"waits for a place in the pool {pool}, held by {', '.join(map(_named, holders))}")

    name = pool if pool == "cloud" else f"{pool}@{HOST}"
    began = time.monotonic()
    with holding(url, _KIND, name, places(pool), track=track, full=full) as held:
        wait = time.monotonic() - began
        waited(wait)
        if (found := _waits.get()) is not None:
            found.append(wait)
        if pool == "cores":
            share_with(held)
        yield


def _named(holder: Heartbeat) -> str:
    return f"{holder.track or 'a file'} ({holder.host}, process {holder.pid})"


def _memory_bytes() -> float:
    """Of the machine, or of the container."""
    machine = float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    try:
        return min(machine, float(_BYTES_KNOWN_TO_CGROUPS.read_text()))
    except (OSError, ValueError):  # no cgroups, or "max"
        return machine
