"""What a paid service is asked for: caps over all processes of this machine, counted before anything is sent.

Compositions are made beside the graph, without its database, so the count is a file beside the models. Days are
UTC.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from resonate_resources.recordings.recording import AudioError

PER_RUN, PER_DAY = "RESONATE_REPLICATE_MINUTES_PER_RUN", "RESONATE_REPLICATE_MINUTES_PER_DAY"
_SAME = 1e-6  # minutes; sums of the same parts differ by rounding


class CapReachedError(AudioError):
    """What would pass a cap. Nothing was sent."""


@dataclass(frozen=True)
class Caps:
    """Minutes of music that may be asked for at most, all stems counted. The defaults are ours: a track of three
    minutes in five stems with its two retries, and twice as much."""

    per_run: float = 60.0
    per_day: float = 120.0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Raises AudioError where a variable holds no number of minutes."""

        def minutes(name: str, default: float) -> float:
            text = environment.get(name, "")
            try:
                value = float(text) if text else default
            except ValueError:
                value = -1.0
            if not 0 <= value < math.inf:
                raise AudioError(f"{name}: {text!r} is not a number of minutes")
            return value

        return cls(minutes(PER_RUN, cls.per_run), minutes(PER_DAY, cls.per_day))


class Spending:
    """What one run asks for, and with it all others of this day. clock: in place of the machine's."""

    def __init__(self, file: Path, caps: Caps, clock: Callable[[], datetime] | None = None) -> None:
        self._file, self._caps = file, caps
        self._clock = clock or (lambda: datetime.now(UTC))
        self.in_run = 0.0

    def count(self, minutes: float) -> None:
        """Before they are asked for. Raises CapReachedError, and AudioError where the count can't be kept."""
        self._check("run", self.in_run, minutes, self._caps.per_run, PER_RUN)
        self._change(minutes)
        self.in_run += minutes

    def give_back(self, minutes: float) -> None:
        """The service began nothing."""
        self._change(-minutes)
        self.in_run -= minutes

    def _change(self, minutes: float) -> None:
        day = self._clock().date().isoformat()
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a+", encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.seek(0)
                text = file.read()
                kept = json.loads(text) if text else {}
                spent = float(kept.get(day, 0.0))
                if minutes > 0:
                    self._check("day", spent, minutes, self._caps.per_day, PER_DAY)
                file.truncate(0)
                file.write(json.dumps({day: max(0.0, spent + minutes)}))
        except (OSError, ValueError, TypeError, AttributeError) as error:
            told = " ".join(str(error).split())
            raise AudioError(
                f"{self._file}: what was spent can't be kept there ({told}); nothing is sent without that"
            ) from error

    def _check(self, what: str, spent: float, minutes: float, cap: float, variable: str) -> None:
        if spent + minutes > cap + _SAME:
            raise CapReachedError(
                f"Replicate: {minutes:.1f} minutes more would pass the cap of {cap:g} a {what} "
                f"({spent:.1f} are spent); raise {variable} or choose another engine"
            )
