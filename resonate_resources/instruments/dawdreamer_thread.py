"""The one thread of this process on which DawDreamer works.

JUCE, which it is built on, takes the first thread that makes an instrument for its message thread. In 0.9.0
a render on any other thread then waits for ever (seen; compare DawDreamer issue 157), and a run's thread is not the
same from one track to the next. So whoever uses DawDreamer does it through here.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

_Result = TypeVar("_Result")

_THREAD: Final = ThreadPoolExecutor(1, "dawdreamer")


def on_dawdreamer_thread(work: Callable[[], _Result]) -> _Result:
    """Do the work there and give back its result or raise its exception. The work itself must not call this."""
    return _THREAD.submit(work).result()
