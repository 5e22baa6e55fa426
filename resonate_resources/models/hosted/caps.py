"""How much a paid service may be asked for. Where it is counted is up to who asks."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from resonate_resources.recordings.recording import AudioError

_SAME = 1e-6  # minutes; sums of the same parts differ by rounding


class CapReachedError(AudioError):
    """What would pass a cap. Nothing was sent."""


@dataclass(frozen=True)
class Caps:
    """Minutes that may be spent at most, in one run and on one day (UTC). The defaults are ours."""

    service: ClassVar[str]
    variable: ClassVar[str]
    """Of the environment, to which RUN or DAY is added."""
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

        return cls(minutes(f"{cls.variable}RUN", cls.per_run), minutes(f"{cls.variable}DAY", cls.per_day))

    def check(self, what: Literal["run", "day"], spent: float, minutes: float) -> None:
        """Raises CapReachedError where `minutes` more than are `spent` would pass the cap."""
        cap = self.per_run if what == "run" else self.per_day
        if spent + minutes > cap + _SAME:
            raise CapReachedError(
                f"{self.service}: {minutes:.1f} minutes more would pass the cap of {cap:g} a {what} "
                f"({spent:.1f} are spent); raise {self.variable}{what.upper()} or choose another engine"
            )
