"""Chords as pitches: each voice moves as little as it can, and strict styles without parallel fifths or octaves."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import combinations, product
from typing import Final

from resonate_resources.composition.composer.numerals import Harmony

Pitches = tuple[int, ...]

_MOST_VOICES: Final = 4
_PARALLEL: Final = 1000.0
"""More than any motion: only where no other voicing exists do fifths or octaves run in parallel."""
_FROM_MIDDLE: Final = (
    0.3  # of a semitone of motion, for each semitone that a chord lies off its register's middle
)


def voiced(harmonies: Sequence[Harmony], register: tuple[int, int], voicing: str) -> tuple[Pitches, ...]:
    """Ascending pitches of each chord, those of least motion over all (dynamic programming).

    voicing: "close"; "open", with the second voice from above an octave lower; "shell", third, seventh and colour
    without a root; "power", root, fifth and octave; "four_part", bass, tenor, alto and soprano.
    """
    if not harmonies:
        return ()
    totals: list[dict[Pitches, tuple[float, Pitches | None]]] = []
    strict = voicing == "four_part"
    for number, harmony in enumerate(harmonies):
        choices = _candidates(harmony.root, harmony.bass, harmony.tones, register, voicing)
        reached: dict[Pitches, tuple[float, Pitches | None]] = {}
        for choice in choices:
            own = _FROM_MIDDLE * abs(sum(choice) / len(choice) - sum(register) / 2)
            if number == 0:
                reached[choice] = (own, None)
                continue
            cost, before = min(
                (total + _motion(other, choice, strict), other) for other, (total, _) in totals[-1].items()
            )
            reached[choice] = (cost + own, before)
        totals.append(reached)
    best: Pitches | None = min(totals[-1], key=lambda choice: (totals[-1][choice][0], choice))
    chosen: list[Pitches] = []
    for reached in reversed(totals):
        assert best is not None
        chosen.append(best)
        best = reached[best][1]
    return tuple(reversed(chosen))


@cache
def _candidates(
    root: int, bass: int, tones: tuple[int, ...], register: tuple[int, int], voicing: str
) -> tuple[Pitches, ...]:
    low, high = register
    if voicing == "power":
        lowest = low + (root - low) % 12
        return tuple((p, p + 7, p + 12) for p in range(lowest, high - 11, 12)) or ((lowest, lowest + 7),)
    if voicing == "four_part":
        return _four_parts(root, bass, tones, register)
    classes = [(root + tone) % 12 for tone in _chosen_tones(tones, voicing == "shell")]
    found = set()
    for start in range(len(classes)):
        for lowest in range(low + (classes[start] - low) % 12, high, 12):
            others = (classes[n] for n in range(len(classes)) if n != start)
            chord = [lowest, *sorted(lowest + (c - lowest) % 12 for c in others)]
            if voicing == "open" and len(chord) > 2:
                chord[-2] -= 12
            chord.sort()
            if chord[0] >= low and chord[-1] <= high:
                found.add(tuple(chord))
    if not found:  # a register of less than an octave and a half
        found.add(tuple(sorted(low + (c - low) % 12 for c in classes)))
    return tuple(sorted(found))


def _chosen_tones(tones: tuple[int, ...], shell: bool) -> tuple[int, ...]:
    """At most four: the fifth goes first, then the ninth, then the root, which a bass has. A shell has no root."""
    chosen = list(tones)
    if shell and len(chosen) > 3:
        chosen.remove(0)
    for droppable in (7, 14, 0, 6, 8):
        if len(chosen) > _MOST_VOICES - shell and droppable in chosen:
            chosen.remove(droppable)
    return tuple(chosen)


def _four_parts(
    root: int, bass: int, tones: tuple[int, ...], register: tuple[int, int]
) -> tuple[Pitches, ...]:
    """Bass, tenor, alto and soprano with every tone of the chord (of sevenths, the fifth may go), upper voices
    within an octave of each other; thirds of dominants, as leading tones, once."""
    low, high = register
    classes = {(root + tone) % 12 for tone in tones[:4]}
    needed = classes - ({(root + 7) % 12} if len(classes) > 3 else set())
    third = (root + tones[1]) % 12 if tones[1] == 4 else None
    upper = [pitch for pitch in range(low + 8, high + 1) if pitch % 12 in classes]
    found = [
        (lowest, *above)
        for lowest, above in product(
            [pitch for pitch in range(low, low + 15) if pitch % 12 == bass], combinations(upper, 3)
        )
        if lowest < above[0]
        and above[1] - above[0] <= 12
        and above[2] - above[1] <= 12
        and needed <= {pitch % 12 for pitch in (lowest, *above)}
        and (third is None or sum(pitch % 12 == third for pitch in (lowest, *above)) == 1)
    ]
    return tuple(found)


@cache
def _motion(before: Pitches, after: Pitches, strict: bool) -> float:
    """Semitones that all voices move together; where their numbers differ, each from the nearest."""
    if len(before) != len(after):
        return float(sum(min(abs(pitch - other) for other in before) for pitch in after))
    moved = float(sum(abs(pitch - other) for pitch, other in zip(before, after, strict=True)))
    if strict and before != after:
        moved += _PARALLEL * parallels(before, after)
    return moved


def parallels(before: Pitches, after: Pitches) -> int:
    """Pairs of voices that move in parallel fifths, octaves or unisons."""
    return sum(
        before[high] - before[low] in (7, 12, 19, 24, 31, 36, 0)
        and (before[high] - before[low]) % 12 == (after[high] - after[low]) % 12
        and before[low] != after[low]
        for low, high in combinations(range(len(before)), 2)
    )
