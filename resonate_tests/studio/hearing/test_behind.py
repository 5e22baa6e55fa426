"""Work behind what is answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from resonate_studio.hearing.behind import Behind


def test_what_is_asked_for_last_is_done_first_and_each_once() -> None:
    done: list[str] = []
    begun, going, over = threading.Event(), threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        going.wait(30)

    behind = Behind("test")
    behind.add("hold", hold)
    assert begun.wait(30)
    behind.add("over", over.set)
    for name in ("a", "b", "a"):
        behind.add(name, lambda name=name: done.append(name))  # type: ignore[misc]
    going.set()
    assert over.wait(30)
    assert done == ["b", "a"]


def test_what_could_not_be_done_is_not_tried_again_and_keeps_nothing_else_from_being_done() -> None:
    tried: list[int] = []

    def fail() -> None:
        tried.append(1)
        raise OSError("gone")

    behind = Behind("test")
    for _ in range(2):
        done = threading.Event()
        behind.add("good", done.set)
        behind.add("bad", fail)
        assert done.wait(30)
        _until(lambda: behind.has_failed("bad"))
    assert tried == [1]


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)
