"""The desk: wishes of a mix, what they would sound like, and two tools that work on them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from resonate_resources.mixing.conductor.nuance import BANDS, Judgement, Nuance, Sound
from resonate_resources.mixing.holdings import Holdings
from resonate_resources.mixing.kind import Kind
from resonate_resources.mixing.plan import Move, Octaves
from resonate_resources.mixing.wishes import Wishes, bounded
from resonate_resources.signal.octaves import OCTAVES_HZ, membership

Floats = npt.NDArray[np.float64]

MIX = "mix"
MOST_MOVES = 12
MOST_DB = 6.0
"""How far any parameter of any target may be moved, all moves at it together."""

GAIN = "gain"
_LONGEST_REASON = 200
_SURELY_DB = 1e-6  # what is no rounding


class DeskError(ValueError):
    """Something that the desk doesn't have. One line."""


class Desk:
    """State: the wishes as they are now. A move counts by what `bounded` leaves of it. One that is no improvement
    is undone at once; with free, as where somebody wishes for something, one that makes nothing worse stays.

    The stems' powers need not sum to the mix's: by which part they don't is kept as it came, at every frequency.
    """

    def __init__(
        self,
        wishes: Wishes,
        holdings: Holdings,
        kind: Kind,
        bound_db: float,
        doubted: float,
        free: bool = False,
    ) -> None:
        """kind: of the stems as they came. doubted: standard deviations up to which all is a matter of taste."""
        self._start = self._wishes = wishes
        self._holdings, self._kind, self._doubted = holdings, kind, doubted
        self._bound_db, self._free = bound_db, free
        self._members = membership(holdings.hertz)
        self._came_lines, self._came_octaves = holdings.mix_lines, holdings.mix.sum(axis=0)
        self._moves: list[Move] = []

    @property
    def wishes(self) -> Wishes:
        return self._wishes

    @property
    def moves(self) -> tuple[Move, ...]:
        return tuple(self._moves)

    @property
    def closed(self) -> bool:
        """Whether it takes no more moves."""
        return len(self._moves) >= MOST_MOVES

    @property
    def targets(self) -> tuple[str, ...]:
        return (*self._start.gains_db, MIX)

    def analyze_nuance(self, target: str) -> Nuance:
        """What a stem, or the mix, sounds like now. Raises DeskError for a target that is not there."""
        self._check(target)
        made = bounded(self._wishes, self._holdings, self._bound_db)
        room = {name: self._room_db(target, name) for name in self._parameters(target)}
        if target == MIX:
            sound = self._mix(made)
            return Nuance(target, sound, room, self._judge(made, sound))
        power = _power(made, target, self._holdings.hertz)
        return Nuance(target, self._sound(power * self._holdings.lines[target], target), room)

    def adjust_mixing_parameter(self, target: str, parameter: str, value_db: float, reason: str) -> Move:
        """Move a parameter of a target by value_db, on top of where it is. What can't be is refused, what does not
        help is undone; both are told in the move, which stands in `moves`.

        Raises DeskError once the desk is closed: then nothing is moved.
        """
        if self.closed:
            raise DeskError(f"{MOST_MOVES} moves were made; there are no more")
        before = self._outside_db(self._wishes)
        told = self._refused(target, parameter, value_db)
        move = Move(
            target=_line(target),
            parameter=_line(parameter),
            value_db=_number(value_db),
            reason=_line(reason),
            before=before,
            after=before,
            outcome="refused",
            told=told,
        )
        if not told:
            move = self._try(move, value_db)
        self._moves.append(move)
        return move

    def _try(self, move: Move, value_db: float) -> Move:
        moved = _moved(self._wishes, move.target, move.parameter, value_db)
        after = self._outside_db(moved)
        outcome: Literal["kept", "undone"] = "kept"
        told = ""
        if after > move.before + _SURELY_DB:
            outcome, told = "undone", "it made the mix less usual for its kind"
        elif after > move.before - _SURELY_DB and not self._free:
            outcome, told = "undone", "it was no improvement"
        if outcome == "kept":
            self._wishes = moved
        return move.model_copy(update={"after": after, "outcome": outcome, "told": told})

    def _check(self, target: str) -> None:
        if target not in self.targets:
            raise DeskError(f"no target of that name; there are {', '.join(self.targets)}")

    def _parameters(self, target: str) -> tuple[str, ...]:
        return tuple(BANDS) if target == MIX else (GAIN, *BANDS)

    def _refused(self, target: str, parameter: str, value_db: float) -> str:
        """Why it can't be; empty: it can."""
        try:
            self._check(target)
        except DeskError as error:
            return str(error)
        if parameter not in self._parameters(target):
            return f"{target} has no parameter of that name; it has {', '.join(self._parameters(target))}"
        value = _number(value_db)
        if value is None:
            return "value_db is no number"
        down, up = self._room_db(target, parameter)
        if not down - _SURELY_DB <= value <= up + _SURELY_DB:
            return f"value_db: {parameter} of {target} may still go from {down:.1f} to {up:+.1f} dB"
        return ""

    def _room_db(self, target: str, parameter: str) -> tuple[float, float]:
        """By how much it may still go down and up."""
        gone = sum(
            move.value_db or 0.0
            for move in self._moves
            if (move.target, move.parameter, move.outcome) == (target, parameter, "kept")
        )
        return min(0.0, -MOST_DB - gone), max(0.0, MOST_DB - gone)

    def _outside_db(self, wishes: Wishes) -> float:
        made = bounded(wishes, self._holdings, self._bound_db)
        return self._judge(made, self._mix(made)).outside_db

    def _judge(self, made: Wishes, sound: Sound) -> Judgement:
        """Against its kind as it came, with what was moved by octave on top."""
        came = self._came_lines @ self._members
        now = self._mix_lines(made) @ self._members
        moved = np.where(
            (came > 0) & (now > 0), 10 * np.log10(np.maximum(now, 1e-30) / np.maximum(came, 1e-30)), 0
        )
        return Judgement(self._kind.with_tone(tuple(moved.tolist())), self._doubted, sound.centroid_hz)

    def _mix(self, made: Wishes) -> Sound:
        return self._sound(self._mix_lines(made), None)

    def _mix_lines(self, made: Wishes) -> Floats:
        hertz, lines = self._holdings.hertz, self._holdings.lines
        came = np.sum([lines[name] for name in made.gains_db], axis=0)
        now = np.sum([_power(made, name, hertz) * lines[name] for name in made.gains_db], axis=0)
        return np.asarray(
            self._came_lines * np.where(came > 0, now / np.maximum(came, 1e-30), 1.0), np.float64
        )

    def _sound(self, lines: Floats, stem: str | None) -> Sound:
        """Levels are those of the windows' sums, as far as the lines have moved."""
        energy = self._came_octaves if stem is None else self._holdings.stems[stem].sum(axis=0)
        came = (self._came_lines if stem is None else self._holdings.lines[stem]) @ self._members
        octaves = energy * (lines @ self._members) / np.maximum(came, 1e-30) / max(1, self._holdings.samples)
        return Sound.of(self._holdings.hertz, lines, octaves)


def _power(made: Wishes, stem: str, hertz: npt.NDArray[np.floating[Any]]) -> Floats:
    """(lines,): gain of a stem's power, with the tone of all."""
    curve = np.array(made.tone_of(stem)) + np.array(made.tone_db)
    tone_db = np.interp(np.log(np.maximum(hertz, 1.0)), np.log(OCTAVES_HZ), curve)
    return np.asarray(10 ** ((made.gains_db[stem] + tone_db) / 10), np.float64)


def _moved(wishes: Wishes, target: str, parameter: str, value_db: float) -> Wishes:
    if parameter == GAIN:
        return replace(wishes, gains_db={**wishes.gains_db, target: wishes.gains_db[target] + value_db})
    if target == MIX:
        return replace(wishes, tone_db=_on(wishes.tone_db, parameter, value_db))
    tone = _on(wishes.tone_of(target), parameter, value_db)
    return replace(wishes, tones_db={**wishes.tones_db, target: tone})


def _on(tone: Octaves, band: str, value_db: float) -> Octaves:
    return tuple(gain + value_db * part for gain, part in zip(tone, BANDS[band], strict=True))


def _number(value: object) -> float | None:
    """The number that it is, if it is one that a gain can have."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _line(text: object) -> str:
    """One line of what somebody said, as far as it is to be kept."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in str(text)).split())[
        :_LONGEST_REASON
    ]
