"""Who is served when: as much at once as there are processors, and no client before all others."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from resonate_studio.api.problems import ProblemError

_Made = TypeVar("_Made")

_LOOK_SECONDS = 0.1
"""How often it is looked whether somebody still waits for what is next."""


class Turns:
    """Work for requests, in threads. waiting: how many may stand in line in all; of_one: of one client's."""

    def __init__(self, places: int | None = None, waiting: int = 128, of_one: int = 64) -> None:
        self._threads = ThreadPoolExecutor(places or os.cpu_count() or 1, "light")
        self._waiting, self._of_one = waiting, of_one
        self._counting = threading.Lock()
        self._clients: Counter[str] = Counter()

    async def take(
        self, request: Request, kept: Callable[[], _Made | None], make: Callable[[], _Made]
    ) -> _Made:
        """What is kept, at once; else what is made when it is its turn. Work that nobody waits for any longer is
        not begun. Raises ProblemError, 429, where too much stands in line."""
        found = await run_in_threadpool(kept)
        if found is not None:
            return found
        client = request.client.host if request.client else ""
        self._stand_in_line(client)
        try:
            job = self._threads.submit(make)
            waiting = asyncio.wrap_future(job)
            while not waiting.done():
                await asyncio.wait([waiting], timeout=_LOOK_SECONDS)
                if not waiting.done() and await request.is_disconnected():
                    job.cancel()
                    raise _too_much()
            return waiting.result()
        finally:
            with self._counting:
                self._clients[client] -= 1
                if not self._clients[client]:
                    del self._clients[client]

    def _stand_in_line(self, client: str) -> None:
        with self._counting:
            if self._clients.total() >= self._waiting or self._clients[client] >= self._of_one:
                raise _too_much()
            self._clients[client] += 1


def _too_much() -> ProblemError:
    return ProblemError(429, "too much is asked for at once; try again in a second", {"Retry-After": "1"})
