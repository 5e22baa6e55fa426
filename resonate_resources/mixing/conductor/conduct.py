"""Who conducts, as the brief asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from resonate_resources.mixing.brief import MixingBrief
from resonate_resources.mixing.conductor.desk import Desk
from resonate_resources.mixing.conductor.rules import conduct_by_rules
from resonate_resources.mixing.holdings import Holdings
from resonate_resources.mixing.kind import DOUBTED, Kind
from resonate_resources.mixing.plan import Move
from resonate_resources.mixing.wishes import Wishes
from resonate_resources.recordings.recording import AudioError


class Agent(Protocol):
    """A language model at the desk."""

    name: str

    def conduct(self, desk: Desk, wish: str) -> str:
        """What is to be known of how it ended, on one line; empty: as it should.

        Raises AudioError where it can't be had, or does not do what it is there for.
        """


@dataclass(frozen=True)
class Conducted:
    """by: "rules", "none" or the model's name. note: how it ended, if not as it should."""

    wishes: Wishes
    moves: tuple[Move, ...]
    by: str
    note: str = ""

    @property
    def reasons(self) -> tuple[str, ...]:
        """One line each move that was kept, and the note."""
        kept = [
            f"{move.target}: {move.parameter} {move.value_db:+.1f} dB ({self.by}: {move.reason})"
            for move in self.moves
            if move.outcome == "kept"
        ]
        return (*kept, *filter(None, (self.note,)))


def conduct(
    wishes: Wishes, holdings: Holdings, kind: Kind, bound_db: float, brief: MixingBrief, agent: Agent | None
) -> Conducted:
    """Better wishes. kind: of the stems as they came. Rules don't judge what a reference decides.

    Raises AudioError where a model is asked for and does not conduct: nothing takes its place in silence.
    """
    if brief.conductor == "none" or (brief.conductor == "rules" and brief.balance == "reference"):
        return Conducted(wishes, (), "none")
    free = brief.conductor == "model" and bool(brief.wish.strip())
    desk = Desk(wishes, holdings, kind, bound_db, DOUBTED[brief.preset], free)
    if brief.conductor == "rules":
        conduct_by_rules(desk)
        return Conducted(desk.wishes, desk.moves, "rules")
    if agent is None:
        raise AudioError(
            "mixing.conductor=model: no model is set; give RESONATE_CONDUCTOR_MODEL, or ask for the rules"
        )
    note = agent.conduct(desk, brief.wish)
    return Conducted(desk.wishes, desk.moves, agent.name, note)
