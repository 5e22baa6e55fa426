"""Work on several cores at once, in threads: numpy, scipy, ONNX and the codecs let go of the interpreter's lock."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
AT_ONCE = min(2, CORES)
"""Files that are looked at at once: one on one core, where two would only take each other's cache."""
_MOST_THREADS = 4
"""For one track: each piece worked on takes memory, and reading and writing stay in one thread."""
_tracks = 1


def share_with(tracks: int) -> None:
    """So many tracks are worked on on this machine, this process's included: what it begins from here on takes
    its part of the cores."""
    global _tracks  # noqa: PLW0603 — of the process, as its cores are
    _tracks = max(1, tracks)


def threads() -> int:
    """Pieces of one track that are worked on at once: RESONATE_THREADS, else the cores over the tracks at work.

    No result depends on it.
    """
    set_to = os.environ.get("RESONATE_THREADS", "")
    if set_to.isdecimal():
        return max(1, int(set_to))
    return max(1, min(CORES // _tracks, _MOST_THREADS))


def in_parallel(
    work: Callable[[_Item], _Result], items: Iterable[_Item], at_once: int | None = None
) -> Iterator[_Result]:
    """`work` of each item, in the order of the items, `at_once` of them (by default `threads()`) at a time.

    Items are taken as they are needed, and at most `at_once` results wait, so a long stream takes no more memory
    than a short one. The first exception is raised in its place; what was begun is then waited for.
    """
    at_once = at_once or threads()
    with ThreadPoolExecutor(at_once) as pool:
        begun: deque[Future[_Result]] = deque()
        for item in items:
            begun.append(pool.submit(work, item))
            if len(begun) > at_once:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()


def ahead(items: Iterator[_Item], depth: int = 1) -> Iterator[_Item]:
    """The same items, up to `depth` of them made before they are asked for, in a thread of their own."""
    with ThreadPoolExecutor(1) as maker:
        making = deque(maker.submit(lambda: [*islice(items, 1)]) for _ in range(depth))
        while made := making.popleft().result():
            making.append(maker.submit(lambda: [*islice(items, 1)]))
            yield made[0]
