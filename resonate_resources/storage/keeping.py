"""For how long what counts no longer is kept: old runs, results that others took the place of, light copies."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from resonate_resources.storage.compute_cache import Cleared, clear
from resonate_resources.storage.store import Store

SETTING = "RESONATE_KEEP"
ALWAYS = "always"
_PART = re.compile(r"(events|results|light)=(?:([0-9]{1,5})d|always)")


@dataclass(frozen=True)
class Kept:
    """Days, None for ever. events: of runs of which nothing counts any more; results: that count no longer; light:
    copies, waveforms and spectrograms that nobody asked for since."""

    events: int | None = 30
    results: int | None = None
    light: int | None = None

    @classmethod
    def read(cls, told: str) -> Kept:
        """`events=30d,results=90d,light=always`: what is not named stays as it is by itself. Raises ValueError."""
        days: dict[str, int | None] = {}
        for part in filter(None, (each.strip() for each in told.split(","))):
            found = _PART.fullmatch(part)
            if found is None or found[1] in days:
                raise ValueError(
                    f"{SETTING}={told}: {part} is not understood; give events, results and light as days or "
                    f"{ALWAYS}, such as events=30d,results=90d,light={ALWAYS}"
                )
            days[found[1]] = int(found[2]) if found[2] else None
        return cls(**days)

    def told(self) -> str:
        """For people."""
        named = {
            "events of old runs": self.events,
            "superseded results": self.results,
            "light copies": self.light,
        }
        return ", ".join(
            f"{name} {ALWAYS}" if days is None else f"{name} {days} days" for name, days in named.items()
        )


class KeepingResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """What `Kept` says; light: the folder of light copies on this machine."""

    events: int | None = 30
    results: int | None = None
    light_days: int | None = None
    light: str

    def clear_results(self, store: Store, tracks_in_use: Callable[[], Collection[str]]) -> Cleared:
        """Raises OSError."""
        if self.results is None:
            return Cleared()
        return clear(store, self.results * 86_400.0, tracks_in_use)

    def clear_light(self) -> int:
        """Remove light copies that were not asked for since so long. Returns how many."""
        if self.light_days is None:
            return 0
        before, removed = time.time() - self.light_days * 86_400.0, 0
        for file in Path(self.light).glob("*/*"):
            with suppress(OSError):  # made room for another since
                if file.stat().st_mtime < before:  # who reads one touches it
                    file.unlink()
                    removed += 1
        return removed
