"""A request made like a reference in what words say nothing of: its swing, balance, and how densely it is played.

As dense by the sections' energies, by which parts enter and grooves thicken.
"""

from __future__ import annotations

from typing import Any, Final

from resonate_resources.composition.composer.compose import compose
from resonate_resources.composition.composer.metre import SIMPLE
from resonate_resources.composition.genre import genre_data
from resonate_resources.composition.plan import Plan
from resonate_resources.composition.reference import Reference
from resonate_resources.composition.request import Asked, Reading, Request

MOST_MOVED: Final = 0.3
"""Of the energy, 0…1."""
_STEPS: Final = (0.0, 0.1, -0.1, 0.2, -0.2, MOST_MOVED, -MOST_MOVED)
_TOGETHER_S: Final = 0.05  # strokes so near are one onset, for who hears them
_LOWEST: Final = 0.05


def like(
    reference: Reference, request: Request, asked: Asked, seed: int
) -> tuple[Request, tuple[Reading, ...]]:
    """The request, and what of it is from the reference. Swing of sixteenths isn't heard, and stays the genre's."""
    readings = []
    found: dict[str, Any] = {}
    eighths = genre_data(request.genre).swing_unit == "eighth" and request.metre in SIMPLE
    if asked.swing is None and reference.swing is not None and eighths:
        found["swing"] = reference.swing
        readings.append(reference.reading("swing", reference.swing))
    if reference.balance:
        found["balance"] = reference.balance
        readings.append(reference.reading("balance", reference.balance.told))
    request = request.model_copy(update=found)
    if reference.onsets_a_second and asked.energy is None and not asked.sections:
        request, density = as_dense(request, seed, reference.onsets_a_second)
        told = f"{reference.onsets_a_second:.1f} onsets a second, {density:.1f} planned"
        readings.append(reference.reading("density", told))
    return request, tuple(readings)


def as_dense(request: Request, seed: int, onsets_a_second: float) -> tuple[Request, float]:
    """The request with all energies moved by up to 0.3, so that the piece comes next to that many onsets a second,
    and how many it has."""
    tries = [_moved(request, by) for by in _STEPS]
    found = [(each, onsets_of(compose(each, seed))) for each in tries]
    return min(found, key=lambda pair: abs(pair[1] - onsets_a_second))


def onsets_of(plan: Plan) -> float:
    """Onsets a second, strokes within 50 ms counted once."""
    last, count = -1.0, 0
    for onset in sorted(note[0] * 60 / plan.bpm for part in plan.parts for note in part.notes):
        if onset - last > _TOGETHER_S:
            last, count = onset, count + 1
    return count / plan.duration_s


def _moved(request: Request, by: float) -> Request:
    structure = tuple(
        section.model_copy(update={"energy": round(min(1.0, max(_LOWEST, section.energy + by)), 3)})
        for section in request.structure
    )
    return request.model_copy(update={"structure": structure})
