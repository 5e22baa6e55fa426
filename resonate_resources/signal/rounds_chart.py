"""The picture of a loop: the total of each round, and what was changed in it."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor

from resonate_resources.signal.ink import FAINT, GROUND, LINE, RULE, TEXT, paragraphs, png, write, write_lines

_LEFT, _PLOT_WIDTH, _RIGHT = 44, 540, 12
_TITLE, _PLOT, _AXIS, _GAP = 24, 150, 20, 10
_KEPT, _UNDONE = (112, 214, 160), (227, 89, 51)
_LEAST = 5.0  # the scale spans at least so many points


def rounds(
    totals: Sequence[float | None], kept: Sequence[bool], changes: Sequence[str], matched: float | None = None
) -> bytes:
    """A PNG: a dot for each round's total, filled where it was kept, along a line of the best so far; below,
    what was changed in each.

    totals: 0…100, None of a round that failed; the first is of no change, and is kept. What was undone and lies
    over 5 under all that was kept stands at the bottom. matched: the total to be reached, a line.
    """
    from PIL import Image, ImageDraw

    lines = paragraphs([f"{number}  {change}" for number, change in enumerate(changes)])
    height = _TITLE + _PLOT + _AXIS + _GAP + LINE * len(lines) + _GAP
    image = Image.new("RGB", (_LEFT + _PLOT_WIDTH + _RIGHT, height), GROUND)
    pen = ImageDraw.Draw(image)
    told = [total for total in [*totals, matched] if total is not None]
    worst = min(total for total, is_kept in zip(totals, kept, strict=True) if is_kept and total is not None)
    low = floor(min(max(min(told), worst - _LEAST), max(told) - _LEAST))
    high = ceil(max(told))
    last = max(1, len(totals) - 1)

    def place(number: int, total: float) -> tuple[float, float]:
        x = _LEFT + _GAP + number / last * (_PLOT_WIDTH - 2 * _GAP)
        return x, _TITLE + (high - total) / (high - low) * _PLOT

    best = [total for total, is_kept in zip(totals, kept, strict=True) if is_kept and total is not None]
    write(pen, (_LEFT, _TITLE - 9), "total by round", "ls", colour=TEXT, size=13)
    right = f"{best[0]:.1f} to {best[-1]:.1f}"
    write(pen, (_LEFT + _PLOT_WIDTH, _TITLE - 9), right, "rs", colour=TEXT, size=13)
    step = ceil((high - low) / 6)
    for mark in range(ceil(low / step) * step, high + 1, step):
        _, y = place(0, mark)
        pen.line((_LEFT, y, _LEFT + _PLOT_WIDTH, y), fill=RULE)
        write(pen, (_LEFT - 6, int(y)), f"{mark}", "rm")
    if matched is not None:
        _, y = place(0, matched)
        pen.line((_LEFT, y, _LEFT + _PLOT_WIDTH, y), fill=FAINT)
        write(pen, (_LEFT + 4, int(y) + 3), "matched", "lt")
    reached = totals[0]
    for number, (total, is_kept) in enumerate(zip(totals, kept, strict=True)):
        assert reached is not None  # the first has a total
        before = place(max(0, number - 1), reached)
        if is_kept and total is not None:
            reached = total
        x, y = place(number, reached)
        pen.line((before, (x, before[1]), (x, y)), fill=_KEPT, width=2)
        write(pen, (int(x), _TITLE + _PLOT + _AXIS // 2), str(number), "mm")
    for number, (total, is_kept) in enumerate(zip(totals, kept, strict=True)):
        if total is None:
            write(pen, (int(place(number, low)[0]), _TITLE + _PLOT - 3), "failed", "ms", colour=_UNDONE)
            continue
        x, y = place(number, max(total, low))
        around = (x - 4, y - 4, x + 4, y + 4)
        if is_kept:
            pen.ellipse(around, fill=_KEPT)
        else:
            pen.ellipse(around, fill=GROUND, outline=_UNDONE, width=2)
    write_lines(pen, _LEFT, _TITLE + _PLOT + _AXIS + _GAP, lines)
    return png(image, [_KEPT, _UNDONE])
