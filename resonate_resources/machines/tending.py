"""One look at a machine for GPU runs: it is started where a run needs it, and stopped where none does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from resonate_resources.machines.deciding import Need
from resonate_resources.machines.ledger import note, settle
from resonate_resources.machines.machine import Machine, MachineError


@dataclass(frozen=True)
class Told:
    """line: what was done, and why. new_trouble: somebody should hear of it, and has not yet."""

    line: str
    new_trouble: bool


def tend(url: str, machine: Machine, need: Callable[[], Need], day_cap: float) -> Told:
    """Look, decide, and do it. need is asked for once more right before a stop. Raises SQLAlchemyError."""
    try:
        seen = machine.state()
    except MachineError as error:
        return Told(str(error), note(url, machine.name, str(error)))
    decision, new = settle(url, machine.name, machine.price, seen, need(), day_cap)
    line = f"{machine.name}: {decision.reason}"
    if decision.action == "start":
        try:
            machine.start()
        except MachineError as error:
            return Told(str(error), note(url, machine.name, str(error), start_failed=True))
    elif decision.action == "stop":
        now = need()
        if now.working or (now.waiting and not decision.though_waiting):
            reason = "not stopped, as a run came just before"
            note(url, machine.name, reason)
            return Told(f"{machine.name}: {reason}", new_trouble=False)
        try:
            machine.stop()
        except MachineError as error:
            return Told(str(error), note(url, machine.name, str(error)))
    return Told(line, decision.trouble and new)
