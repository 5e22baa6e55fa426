"""What was measured, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from statistics import mean

from resonate_tests.benchmarks.defects.defect import DIMENSIONS, GRADES
from resonate_tests.benchmarks.defects.measuring import Measured

_SAME = 0.5  # points: rounding, chance of the excerpt
_BLIND = 5.0


def by_kind(measured: Sequence[Measured]) -> str:
    """A row per kind and grade: means over songs, and the share of songs where that holds."""
    rows = [
        "| kind | grade | heard | songs | total | highest | own | own score | own first | fell most | accepted |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for (kind, grade), ones in _grouped(measured):
        own = [one.own_score for one in ones if one.own_score is not None]
        rows.append(
            f"| {kind} | {grade} | {ones[0].audible} | {len(ones)} | {mean(o.total for o in ones):.1f} "
            f"| {max(o.total for o in ones):.1f} | {ones[0].own or '–'} | {f'{mean(own):.0f}' if own else '–'} "
            f"| {_share([o.own_first for o in ones]) if own else '–'} | {_fell_most(ones)} "
            f"| {_share([o.accepted for o in ones])} |"
        )
    return "\n".join(rows)


def by_order(measured: Sequence[Measured]) -> str:
    """Per kind of several grades the share of songs on which the worse is never better, and is worse in the end."""
    rows = ["| kind | own | total falls | own falls |", "|---|---|---|---|"]
    for kind in dict.fromkeys(one.kind for one in measured):
        totals, owns = [], []
        of_kind = [one for one in measured if one.kind == kind]
        for song in dict.fromkeys(one.song for one in of_kind):
            graded = sorted((o for o in of_kind if o.song == song), key=lambda o: GRADES.index(o.grade))
            if len(graded) < 2:
                continue
            totals.append(falls([o.total for o in graded]))
            own = [o.own_score for o in graded if o.own_score is not None]
            if own:
                owns.append(falls(own))
        if totals:
            rows.append(f"| {kind} | {of_kind[0].own} | {_share(totals)} | {_share(owns) if owns else '–'} |")
    return "\n".join(rows)


def falls(scores: Sequence[float]) -> bool:
    """Never higher than before by more than half a point, and lower at the end than at the start."""
    return all(b <= a + _SAME for a, b in pairwise(scores)) and scores[-1] < scores[0]


def by_dimension(measured: Sequence[Measured]) -> str:
    """Points lost, kinds × dimensions, at each kind's worst grade; nothing where under 5 are lost."""
    names = _dimensions(measured)
    rows = [f"| kind | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for kind, ones in _worst(measured):
        lost = [100 - mean(one.scores[name] for one in ones) for name in names]
        cells = [
            f"**{value:.0f}**" if name == ones[0].own else f"{value:.0f}" if value >= _BLIND else ""
            for name, value in zip(names, lost, strict=True)
        ]
        rows.append(f"| {kind} | {' | '.join(cells)} |")
    return "\n".join(rows)


def by_own(measured: Sequence[Measured]) -> str:
    """Per dimension of its own defects: how many are heard and refused, on how many songs and kinds the worse is
    never better by it, and how often it is the lowest of what is heard."""
    rows = ["| dimension | kinds | heard | refused | own falls | own first |", "|---|---|---|---|---|---|"]
    for name in DIMENSIONS:
        ones = [one for one in measured if one.own == name]
        heard = [one for one in ones if one.audible == "yes"]
        if not heard:
            continue
        graded: dict[tuple[str, str], list[Measured]] = {}
        for one in sorted(ones, key=lambda one: GRADES.index(one.grade)):
            graded.setdefault((one.song, one.kind), []).append(one)
        owns = [[each.scores[name] for each in part if name in each.scores] for part in graded.values()]
        order = [falls(own) for own in owns if len(own) > 1]
        refused = sum(not one.accepted for one in heard)
        rows.append(
            f"| {name} | {len({one.kind for one in ones})} | {len(heard)} | {refused} "
            f"| {_share(order) if order else '–'} | {_share([one.own_first for one in heard])} |"
        )
    return "\n".join(rows)


def blindness(measured: Sequence[Measured]) -> str:
    """Per dimension the kinds of its own of which it loses under 5 points at worst, and the kinds that nothing
    hears."""
    lines = []
    names = _dimensions(measured)
    for name in dict.fromkeys([*DIMENSIONS, *names]):
        own = [(kind, ones) for kind, ones in _worst(measured) if ones[0].own == name]
        if name not in names:
            lines.append(f"- {name}: is not judged ({', '.join(kind for kind, _ in own)})")
            continue
        missed = [kind for kind, ones in own if 100 - mean(one.scores[name] for one in ones) < _BLIND]
        if missed:
            lines.append(f"- {name}: blind to {', '.join(missed)}")
    return "\n".join(lines)


def summary(measured: Sequence[Measured]) -> str:
    """What the acceptance is worth."""
    heard = [one for one in measured if one.audible == "yes"]
    passed = [one for one in heard if one.accepted]
    kinds = {(one.kind, one.grade) for one in heard}
    let_through = [
        f"{kind} ({grade})"
        for (kind, grade), ones in _grouped(heard)
        if mean(one.accepted for one in ones) >= 0.5
    ]
    unheard = [one for one in measured if one.audible == "no"]
    harmless = [one for one in measured if one.own is None]
    lines = [
        f"heard: {len(passed)} of {len(heard)} accepted; "
        f"{len(let_through)} of {len(kinds)} kinds and grades by half of the songs",
        f"let through: {', '.join(let_through) or 'none'}",
        f"not heard: {sum(one.accepted for one in unheard)} of {len(unheard)} accepted",
    ]
    if harmless:
        worst = min(harmless, key=lambda one: one.total)
        lines.append(f"harmless: least total {worst.total:.1f} ({worst.kind}, {worst.song})")
    judged = [one for one in heard if one.own_score is not None]
    if judged:
        lines.append(f"own dimension lowest: {_share([one.own_first for one in judged])} of what is heard")
    return "\n".join(lines)


def _grouped(measured: Iterable[Measured]) -> list[tuple[tuple[str, str], list[Measured]]]:
    """By kind in the order of the catalogue, then grade."""
    order: dict[str, int] = {}
    ones = list(measured)
    for one in ones:
        order.setdefault(one.kind, len(order))

    def key(one: Measured) -> tuple[int, int]:
        return order[one.kind], GRADES.index(one.grade)

    return [
        ((group[0].kind, group[0].grade), group)
        for _, found in groupby(sorted(ones, key=key), key)
        for group in [list(found)]
    ]


def _worst(measured: Sequence[Measured]) -> list[tuple[str, list[Measured]]]:
    """Each kind at its last grade."""
    return [(kind, ones) for kind, ones in {kind: ones for (kind, _), ones in _grouped(measured)}.items()]


def _dimensions(measured: Sequence[Measured]) -> list[str]:
    known = {name for one in measured for name in one.scores}
    return [name for name in DIMENSIONS if name in known] + sorted(known - set(DIMENSIONS))


def _fell_most(ones: Sequence[Measured]) -> str:
    means = {name: mean(one.scores[name] for one in ones) for name in ones[0].scores}
    lowest = min(means, key=lambda name: means[name])
    return f"{lowest} {means[lowest]:.0f}" if means[lowest] < 99.5 else "–"


def _share(holds: Sequence[bool]) -> str:
    return f"{100 * mean(holds):.0f} %"
