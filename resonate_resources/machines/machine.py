"""A machine that can be started and stopped, and what is set of the one for GPU runs."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

State = Literal["stopped", "starting", "running", "stopping", "gone"]
"""gone: terminated, or nowhere to be found; it can't be started any more."""

_KINDS = ("ec2",)
_VARIABLES = {part: f"RESONATE_GPU_{part.upper()}" for part in ("price", "day_cap", "region", "endpoint")}


class MachineError(OSError):
    """Whoever has the machine did not do what was asked. One line."""


class Machine(Protocol):
    """One machine, made by somebody else: it is started and stopped, never created."""

    @property
    def name(self) -> str: ...

    @property
    def price(self) -> float:
        """Of an hour, in the currency of whoever set it."""
        ...

    def state(self) -> State:
        """As it is now. Raises MachineError."""
        ...

    def start(self) -> None:
        """Have it start, without waiting for it. Raises MachineError."""
        ...

    def stop(self) -> None:
        """Have it stop, without waiting for it. Raises MachineError."""
        ...


@dataclass(frozen=True)
class GpuMachine:
    """name: `ec2:i-…` or `ec2:TAG=VALUE`. price: of an hour. day_cap: of a day (UTC), in the same currency.

    Raises ValueError, with one line, for what can't be meant.
    """

    name: str
    price: float
    day_cap: float
    region: str = ""
    endpoint: str = ""

    def __post_init__(self) -> None:
        kind, _, which = self.name.partition(":")
        if kind not in _KINDS or not re.fullmatch(r"i-[0-9a-f]+|[^=]+=.+", which):
            raise ValueError(
                f"RESONATE_GPU_MACHINE={self.name}: names no machine; give ec2:i-0123456789abcdef0, or "
                "ec2:TAG=VALUE for the one instance that carries this tag"
            )
        for part, told in (("price", "an hour costs"), ("day_cap", "a day may cost at most")):
            value = getattr(self, part)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{_VARIABLES[part]}: is not set to a number over 0; tell what {told}")
        if self.endpoint and not re.match(r"https?://[^/]", self.endpoint):
            raise ValueError(
                f"{_VARIABLES['endpoint']}={self.endpoint}: is no address; begin with https:// or http://"
            )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> GpuMachine | None:
        """None where no machine is named. Raises ValueError, with one line."""
        name = environment.get("RESONATE_GPU_MACHINE", "")
        told = {part: environment.get(variable, "") for part, variable in _VARIABLES.items()}
        if not name:
            if any(told.values()):
                raise ValueError("RESONATE_GPU_MACHINE: names no machine, but something is set for it")
            return None
        price, day_cap = (_number(told[part]) for part in ("price", "day_cap"))
        return cls(name, price, day_cap, told["region"], told["endpoint"])


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
