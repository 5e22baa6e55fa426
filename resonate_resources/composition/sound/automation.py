"""What moves in a mix: the energy of sections, the fall at each kick, the fade at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from resonate_resources.composition.plan import BEATS_A_BAR, Plan
from resonate_resources.recordings.recording import Samples

Floats = npt.NDArray[np.float64]

STEP: Final = 48
"""Frames between the values of a gain; straight lines lie between."""
_ENERGY_DB: Final = 1.5
_RAMP_S: Final = 0.06
_DOWN_S: Final = 0.008  # before the kick, along half a cosine, so that nothing clicks
_BACK_QUARTERS: Final = 0.75
_KICKS: Final = frozenset({35, 36})
_BAR_OF_TAIL: Final = 0.9
_LONGEST_TAIL_S: Final = 6.0
_SILENT_S: Final = 0.05


def kicks_s(plan: Plan) -> Floats:
    """When the kicks of all drum parts are struck, rising."""
    quarters = {
        note[0] for part in plan.parts if part.role == "drums" for note in part.notes if note[2] in _KICKS
    }
    return np.array(sorted(quarters)) * 60 / plan.bpm


def total_s(plan: Plan) -> float:
    """The plan's duration with its tail, which is shorter than a bar."""
    bar_s = BEATS_A_BAR[plan.metre] * 60 / plan.bpm
    return plan.duration_s + min(_BAR_OF_TAIL * bar_s, _LONGEST_TAIL_S)


@dataclass(frozen=True)
class Gain:
    """seconds → factor, by straight lines between; held before the first and behind the last."""

    seconds: Floats
    values: Floats

    def over(self, start: int, frames: int, rate: int) -> Samples:
        """(frames,) from that frame on."""
        at = np.arange(start, start + frames) / rate
        return np.interp(at, self.seconds, self.values).astype(np.float32)


def energy(plan: Plan) -> Gain:
    """±1.5 dB by the energy of the section."""
    bar_s = BEATS_A_BAR[plan.metre] * 60 / plan.bpm
    seconds, values = [], []
    for section in plan.sections:
        gain = 10 ** (_ENERGY_DB * (2 * section.energy - 1) / 20)
        begins, ends = section.first_bar * bar_s, (section.first_bar + section.bars) * bar_s
        seconds += [begins, max(begins, ends - _RAMP_S)]
        values += [gain, gain]
    return Gain(np.array(seconds), np.array(values))


def ducked(struck_s: Floats, depth_db: float, bpm: float) -> Gain:
    """Down by depth_db when a kick is struck, and back within three quarters of a beat, or as far as it comes."""
    if not struck_s.size or not depth_db:
        return Gain(np.zeros(1), np.ones(1))
    back_s = _BACK_QUARTERS * 60 / bpm
    course = np.linspace(0, 1, 12)
    law = (1 - course**0.8) ** 1.5  # soon up half-way, then slowly
    going = np.linspace(0, 1, 8, endpoint=False)
    seconds: list[Floats] = []
    values: list[Floats] = []
    for place, at in enumerate(struck_s):
        until = struck_s[place + 1] - _DOWN_S if place + 1 < struck_s.size else np.inf
        points = at + course * back_s
        kept = points < until
        seconds += [at - _DOWN_S + going * _DOWN_S, points[kept]]
        # The fall begins from where the gain then is.
        before = (
            0.0 if not place else float(np.interp(at - _DOWN_S - struck_s[place - 1], course * back_s, law))
        )
        values += [before + (1 - before) * (0.5 - 0.5 * np.cos(np.pi * going)), law[kept]]
    return Gain(np.concatenate(seconds), 10 ** (-depth_db * np.concatenate(values) / 20))


def ending(plan: Plan) -> Gain:
    """1 until the plan is over, then along half a cosine to silence."""
    ends = total_s(plan) - _SILENT_S
    course = np.linspace(0, 1, 65)
    seconds = plan.duration_s + course * (ends - plan.duration_s)
    return Gain(seconds, 0.5 + 0.5 * np.cos(np.pi * course))


def multiplied(gains: Sequence[Gain], start: int, frames: int, rate: int) -> Samples:
    """(frames,): all of them together."""
    product = np.ones(frames, np.float32)
    for gain in gains:
        product *= gain.over(start, frames, rate)
    return product
