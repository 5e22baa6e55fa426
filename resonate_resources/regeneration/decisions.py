"""What is decided of a rebuilt track: typed and bounded, and each change of it reversible."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

StemName = Literal["vocals", "drums", "bass", "other", "piano", "guitar"]
TransitionKind = Literal["riser", "downlifter", "impact", "reverse_cymbal", "fill"]


def _one_line(text: str) -> str:
    """Without what would move a terminal's cursor."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


Reason = Annotated[str, Field(max_length=300), AfterValidator(_one_line)]

BUS = "bus"
TRANSITIONS = "transitions"
MOST_TRANSITIONS: Final = 32
SHORTEST_S, LONGEST_S = 0.2, 30.0


class DecisionError(ValueError):
    """A change that can't be made. One line."""


class Decided(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class InstrumentChoice(Decided):
    """As `Candidate` has them."""

    kind: str = Field(max_length=40)
    label: str = Field(max_length=120)


class StemDecision(Decided):
    """How a stem is played."""

    instrument: InstrumentChoice | None = Field(
        default=None, description="null: the one that lies nearest to the stem"
    )
    gate: float = Field(default=1.0, ge=0.25, le=4, description="factor of how long its notes are held")
    shift_ms: float = Field(default=0.0, ge=-50, le=50, description="it is moved by; later is positive")
    level_per: Literal["bar", "beat", "none"] = Field(
        default="bar", description="how closely its level follows"
    )
    eq_db: float = Field(
        default=12.0, ge=0, le=12, description="how far its tone is brought to the original's, either way"
    )
    width: float = Field(
        default=1.0, ge=0, le=2, description="factor of its side, once it is as wide as the original"
    )
    sidechain: bool = Field(default=False, description="it falls at each kick as the original surely does")
    sweeps: bool = Field(
        default=False, description="its tone follows the original's while filters surely move in it"
    )
    room: bool = Field(
        default=False, description="where it is dry, it gets the room that the original dies away in"
    )


class Transition(Decided):
    """What leads from one section to the next and is in no note: noise that rises (riser) or falls (downlifter), a
    low boom (impact), a cymbal played backwards; or a fill, which is strokes of the drums. A riser's last and a
    downlifter's first moment is the loudest."""

    stem: StemName
    kind: TransitionKind
    start_s: float = Field(ge=0, le=86_400)
    end_s: float = Field(ge=0, le=86_400)
    from_hz: float = Field(default=1000.0, ge=20, le=20_000, description="its noise moves from there")
    to_hz: float = Field(default=8000.0, ge=20, le=20_000)
    level_db: float = Field(
        default=-30.0, ge=-80, le=-6, description="RMS against full scale, where it is loudest; of no fill"
    )

    @model_validator(mode="after")
    def _lasts(self) -> Transition:
        if not SHORTEST_S <= self.end_s - self.start_s <= LONGEST_S:
            raise ValueError(f"lasts {SHORTEST_S:g} to {LONGEST_S:g} s")
        if self.kind == "fill" and self.stem != "drums":
            raise ValueError("only drums play a fill")
        return self

    @property
    def at_s(self) -> float:
        """Where the section begins that it belongs to."""
        return self.start_s if self.kind in ("downlifter", "impact") else self.end_s

    def __str__(self) -> str:
        minutes, seconds = divmod(int(self.start_s), 60)
        return f"{self.kind.replace('_', ' ')} at {minutes}:{seconds:02}"


def _by_start(transitions: tuple[Transition, ...]) -> tuple[Transition, ...]:
    """Each once, in one order: what is taken out and put back is as it was."""
    return tuple(sorted({*transitions}, key=lambda each: (each.start_s, each.model_dump_json())))


class Decisions(Decided):
    """Of a whole track. reasons: why what is not as usual is so, a line each. by: "rules", or the model's name:
    who decided at first."""

    stems: dict[StemName, StemDecision]
    bus_eq_db: float = Field(
        default=6.0, ge=0, le=6, description="how far the sum's tone is brought to the original's"
    )
    transitions: Annotated[tuple[Transition, ...], AfterValidator(_by_start)] = Field(
        default=(), max_length=MOST_TRANSITIONS, description="what leads from section to section"
    )
    reasons: tuple[Reason, ...] = Field(default=(), max_length=32)
    by: str = Field(default="rules", max_length=200)

    def of(self, stem: str) -> StemDecision:
        """Raises DecisionError where there is no such stem."""
        found = next((each for name, each in self.stems.items() if name == stem), None)
        if found is None:
            raise DecisionError("there is no stem of that name")
        return found


Value = bool | int | float | str | InstrumentChoice | Transition | None


class Change(Decided):
    """Of one decision. path: `bus_eq_db`, or `stems.` with a stem's name and one of `StemDecision`'s; or
    `transitions`, of which one is added (before: None) or taken out (after: None). by: "rules", or the model's
    name."""

    path: str = Field(
        pattern=rf"^(bus_eq_db|transitions|stems\.[a-z]+\.({'|'.join(StemDecision.model_fields)}))$"
    )
    before: Value
    after: Value
    reason: Reason
    by: str = Field(max_length=200)

    @model_validator(mode="after")
    def _one_transition(self) -> Change:
        of_one = isinstance(self.before, Transition) != isinstance(self.after, Transition)
        if (self.path == TRANSITIONS) != of_one or (of_one and None not in (self.before, self.after)):
            raise ValueError("transitions, and nothing else, take one transition, which is added or removed")
        return self

    def __str__(self) -> str:
        if self.path == TRANSITIONS:
            return f"{self.before or self.after} {'added' if self.before is None else 'removed'}"
        name = self.path.removeprefix("stems.").replace(".", " ").replace("_", " ")
        return f"{name} from {_told(self.before)} to {_told(self.after)}"


def value_at(decisions: Decisions, path: str) -> Value:
    """Of a change's path. Raises DecisionError where there is no such stem."""
    *stem, name = path.removeprefix("stems.").split(".")
    if not stem:
        return decisions.bus_eq_db
    try:
        found = decisions.of(stem[0])
    except DecisionError as error:
        raise DecisionError(f"{path}: {error}") from None
    value: Value = getattr(found, name)
    return value


def apply(decisions: Decisions, change: Change) -> Decisions:
    """Raises DecisionError where the decision is not what it is to be changed from, or would be out of bounds."""
    if change.path == TRANSITIONS:
        return _with_transition(decisions, change)
    if value_at(decisions, change.path) != change.before:
        raise DecisionError(f"{change.path}: is not {_told(change.before)}")
    values = decisions.model_dump()
    *way, name = change.path.split(".")
    place = values
    for step in way:
        place = place[step]
    place[name] = change.model_dump()["after"]
    try:
        return Decisions.model_validate(values)
    except ValidationError as error:
        told = told_in_one_line(error)
        raise DecisionError(told if told.startswith(change.path) else f"{change.path}: {told}") from None


def _with_transition(decisions: Decisions, change: Change) -> Decisions:
    before, after, there = change.before, change.after, decisions.transitions
    changed: tuple[Transition, ...]
    if isinstance(after, Transition):
        if after in there:
            raise DecisionError(f"{TRANSITIONS}: there is the {after} already")
        if len(there) >= MOST_TRANSITIONS:
            raise DecisionError(f"{TRANSITIONS}: {MOST_TRANSITIONS} at most")
        changed = _by_start((*there, after))
    else:
        if before not in there:
            raise DecisionError(f"{TRANSITIONS}: there is no {before}")
        changed = tuple(each for each in there if each != before)
    return decisions.model_copy(update={"transitions": changed})


def undo(decisions: Decisions, change: Change) -> Decisions:
    """What there was before the change, which must be in force. Raises DecisionError where it is not."""
    return apply(decisions, change.model_copy(update={"before": change.after, "after": change.before}))


def sets(change: Change) -> Value:
    """What a change is about: one transition, or what a decision is to be."""
    return change.after if change.before is None or change.path != TRANSITIONS else change.before


def depends(change: Change) -> frozenset[str]:
    """What is to be remade after a change: a stem, and what lies behind it, as BUS does; or BUS alone."""
    for each in (change.before, change.after):
        if isinstance(each, Transition):
            return frozenset({each.stem, BUS})
    return frozenset({BUS} if change.path == "bus_eq_db" else {change.path.split(".")[1], BUS})


def told_in_one_line(error: ValidationError) -> str:
    """What was wrong where, without the values, which may be anybody's text."""
    found = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}".lstrip(": ") for each in error.errors()[:3]]
    return " ".join("; ".join(found).split())[:300]


def _told(value: Value) -> str:
    match value:
        case Transition():
            return str(value)
        case InstrumentChoice():
            return f"{value.kind}, {value.label}"
        case None:
            return "the nearest"
        case bool():
            return "on" if value else "off"
        case float():
            return f"{value:g}"
        case _:
            return str(value)
