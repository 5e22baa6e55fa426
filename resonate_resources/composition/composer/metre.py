"""Bars: their beats, and patterns written in one metre played in another."""

from __future__ import annotations

from typing import Final

from resonate_resources.composition.plan import BEATS_A_BAR
from resonate_resources.composition.request import Metre

COMPOUND: Final = ("6/8", "9/8", "12/8")
SIMPLE: Final = ("2/4", "3/4", "4/4", "5/4")
_CHOSEN_BEATS: Final = {2: (0, 1), 3: (0, 1, 3), 4: (0, 1, 2, 3), 5: (0, 1, 3, 2, 3)}
"""Which beats of four make a bar of two, three or five: the first stays the first, and a back beat closes."""


def beats_of(metre: Metre) -> int:
    """Beats that are counted, by which grids are divided: of 7/8 seven, of 6/8 two."""
    upper = int(metre.split("/")[0])
    return upper // 3 if metre in COMPOUND else upper


def beat_quarters(metre: Metre) -> float:
    """The length of a counted beat."""
    return BEATS_A_BAR[metre] / beats_of(metre)


def quarters_per_minute(bpm: float, metre: Metre) -> float:
    """From the tempo of the beat that is counted."""
    return bpm * beat_quarters(metre)


def strong_beats(metre: Metre) -> tuple[float, ...]:
    """Where in a bar the metrical accents lie, in quarters: 1 and 3 of four, 1 and 4 of five, 1, 3 and 5 of 7/8."""
    middle = {
        "4/4": (2.0,),
        "5/4": (3.0,),
        "6/8": (1.5,),
        "7/8": (1.0, 2.0),
        "9/8": (1.5, 3.0),
        "12/8": (3.0,),
    }
    return (0.0, *middle.get(metre, ()))


def in_metre(bar: str, written: Metre, played: Metre) -> str:
    """The bar of a grid that is written in one metre, as it is played in another.

    Beats are chosen or repeated; cells of straight beats go to the thirds of compound ones as swing has them.
    """
    if written == played:
        return bar
    count = beats_of(written)
    cells = len(bar) // count
    beats = [bar[n * cells : (n + 1) * cells] for n in range(count)]
    if written == "7/8":
        beats = [beats[0] + beats[1], beats[2] + beats[3], beats[4] + beats[5]]
    if (written in COMPOUND) != (played in COMPOUND):
        beats = [_compound(beat) if played in COMPOUND else _straight(beat) for beat in beats]
    if played == "7/8":  # 2 + 2 + 3 eighths
        chosen = [_even(beats[n % len(beats)]) for n in _chosen(len(beats), 3)]
        half = len(chosen[0]) // 2
        return "".join(chosen) + chosen[1][:half].replace("-", ".")
    return "".join(beats[n % len(beats)] for n in _chosen(len(beats), beats_of(played)))


def _chosen(there: int, wanted: int) -> tuple[int, ...]:
    return _CHOSEN_BEATS[wanted] if there == 4 and wanted in _CHOSEN_BEATS else tuple(range(wanted))


def _even(beat: str) -> str:
    return f"{beat}." if len(beat) == 1 else _straight(beat) if len(beat) == 3 else beat


def _compound(beat: str) -> str:
    """Of 1, 2, 4 or 8 cells as six: an off-beat comes on the last third."""
    if len(beat) in (3, 6):
        return beat
    beat = beat[::2] if len(beat) == 8 else beat
    places = {1: (0,), 2: (0, 4), 4: (0, 2, 4, 5)}[len(beat)]
    return _spread(beat, places, 6)


def _straight(beat: str) -> str:
    """Of 3 or 6 cells as four: the last third comes on the off-beat."""
    if len(beat) not in (3, 6):
        return beat
    chosen = [beat[n * len(beat) // 3] for n in range(3)]
    return _spread("".join(chosen), (0, 1, 2), 4)


def _spread(beat: str, places: tuple[int, ...], size: int) -> str:
    cells = ["."] * size
    for letter, place in zip(beat, places, strict=True):
        cells[place] = letter
    for place in range(1, size):  # what is held goes on through the cells between
        if cells[place] == "." and place not in places:
            following = next((cells[p] for p in places if p > place), "-" if cells[place - 1] != "." else ".")
            if following == "-" or (following != "." and cells[place - 1] == "-"):
                cells[place] = "-"
    return "".join(cells)
