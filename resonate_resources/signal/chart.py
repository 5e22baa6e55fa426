"""Pictures of what is no recording: notes, scores, balances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from resonate_resources.signal.ink import (
    FAINT,
    GROUND,
    LINE,
    RULE,
    TEXT,
    clock,
    paragraphs,
    png,
    ticks,
    write,
    write_lines,
)

if TYPE_CHECKING:
    from PIL import ImageDraw

_LEFT, _PLOT_WIDTH, _RIGHT = 44, 540, 12
_TITLE, _ROLL, _GAP, _AXIS = 22, 96, 10, 24
_BAR, _NAMES = 16, 210
_NOTES = np.linspace((44, 122, 140), (112, 214, 220), 8)
"""Colours of notes, softest to loudest."""
_CURVES, _DEEPEST_DB, _FARTHEST_DB = 110, 60.0, 6.0
_LINES = ((249, 201, 50), (112, 214, 220), (227, 89, 51))
_GOOD, _FAIR, _POOR = (112, 214, 160), (249, 201, 50), (227, 89, 51)


def piano_roll(parts: Mapping[str, Sequence[tuple[float, float, int, int]]], duration: float) -> bytes:
    """A PNG with a row of notes for each part, to one scale of time.

    parts: name → notes as onset and offset in seconds, MIDI note number, velocity 1…127. duration in seconds.
    """
    from PIL import Image, ImageDraw

    row = _TITLE + _ROLL + _GAP
    image = Image.new("RGB", (_LEFT + _PLOT_WIDTH + _RIGHT, len(parts) * row + _AXIS), GROUND)
    pen = ImageDraw.Draw(image)
    for number, (name, notes) in enumerate(parts.items()):
        top = number * row + _TITLE
        write(pen, (_LEFT, top - 5), name, "ls", colour=TEXT, size=13)
        write(pen, (_LEFT + _PLOT_WIDTH, top - 5), f"{len(notes)} notes", "rs", size=11)
        pen.rectangle((_LEFT, top, _LEFT + _PLOT_WIDTH, top + _ROLL), outline=RULE)
        if notes:
            _draw_notes(pen, top, notes, duration)
    for seconds in ticks(duration):
        x = _LEFT + round(seconds / duration * _PLOT_WIDTH)
        write(pen, (x, len(parts) * row + 6), clock(float(seconds)), "mm")
    return png(image, _NOTES)


def _draw_notes(
    pen: ImageDraw.ImageDraw, top: int, notes: Sequence[tuple[float, float, int, int]], duration: float
) -> None:
    lowest = min(pitch for _, _, pitch, _ in notes) - 2
    highest = max(pitch for _, _, pitch, _ in notes) + 2
    step = _ROLL / (highest - lowest)
    for pitch in range(-(-lowest // 12) * 12, highest, 12):
        y = top + round((highest - pitch) * step)
        pen.line((_LEFT, y, _LEFT + _PLOT_WIDTH, y), fill=RULE)
        write(pen, (_LEFT - 6, y), f"C{pitch // 12 - 1}", "rm")
    for onset, offset, pitch, velocity in notes:
        start = _LEFT + onset / duration * _PLOT_WIDTH
        end = max(start + 1, _LEFT + min(offset / duration, 1.0) * _PLOT_WIDTH)
        centre = top + (highest - pitch) * step
        red, green, blue = _NOTES[velocity * len(_NOTES) // 128].astype(int)
        pen.rectangle(
            (start, centre - max(step / 2, 1), end, centre + max(step / 2, 1)), fill=(red, green, blue)
        )


def bars(groups: Mapping[str, Mapping[str, float]]) -> bytes:
    """A PNG with a bar from 0 to 100 for each score, group by group."""
    from PIL import Image, ImageDraw

    height = sum(_TITLE + _BAR * len(scores) + _GAP for scores in groups.values())
    image = Image.new("RGB", (_NAMES + 330 + 50, height), GROUND)
    pen = ImageDraw.Draw(image)
    top = 0
    for group, scores in groups.items():
        write(pen, (12, top + _TITLE - 5), group, "ls", colour=TEXT, size=13)
        top += _TITLE
        for name, score in scores.items():
            middle = top + _BAR // 2
            write(pen, (_NAMES - 8, middle), name.replace("_", " "), "rm", size=11)
            colour = _GOOD if score >= 85 else _FAIR if score >= 60 else _POOR
            pen.rectangle((_NAMES, top + 3, _NAMES + 330, top + _BAR - 3), outline=RULE)
            pen.rectangle((_NAMES, top + 3, _NAMES + round(3.3 * score), top + _BAR - 3), fill=colour)
            write(pen, (_NAMES + 338, middle), f"{score:.0f}", "lm", colour=FAINT, size=11)
            top += _BAR
        top += _GAP
    return png(image, [_GOOD, _FAIR, _POOR])


def balances(
    hertz: Sequence[float],
    levels_db: Mapping[str, Sequence[float]],
    numbers: Mapping[str, Mapping[str, str]],
    reasons: Sequence[str] = (),
) -> bytes:
    """A PNG of what was made of a recording, beside it: its levels by band; how far the others are off it; a table;
    what was moved, and why.

    hertz: centres of the bands. levels_db: name → level in each band, the original first. numbers: what is told →
    name → text.
    """
    from PIL import Image, ImageDraw

    names = list(levels_db)
    table = _TITLE + _BAR * (1 + len(numbers)) + _GAP
    lines = paragraphs(reasons)
    height = 2 * (_TITLE + _CURVES + _GAP) + _AXIS + table + LINE * len(lines) + (_GAP if lines else 0)
    image = Image.new("RGB", (_LEFT + _PLOT_WIDTH + _RIGHT, height), GROUND)
    pen = ImageDraw.Draw(image)
    across = np.linspace(_LEFT + 24, _LEFT + _PLOT_WIDTH - 24, len(hertz))
    original = np.asarray(levels_db[names[0]], np.float64)
    top = _TITLE
    strongest = float(original[np.isfinite(original)].max(initial=-np.inf))
    write(pen, (_LEFT, top - 5), f"{names[0]}, dB under its strongest octave", "ls", colour=TEXT, size=13)
    _curve(
        pen,
        top,
        across,
        original - strongest if np.isfinite(strongest) else original,
        (-_DEEPEST_DB, 0.0),
        FAINT,
    )
    top += _CURVES + _GAP + _TITLE
    write(pen, (_LEFT, top - 5), f"off the {names[0]} at equal loudness, dB", "ls", colour=TEXT, size=13)
    right = _LEFT + _PLOT_WIDTH
    off = {name: _off(np.asarray(levels_db[name], np.float64), original) for name in names[1:]}
    farthest = _FARTHEST_DB
    while farthest < max((np.abs(each).max(initial=0.0) for each in off.values()), default=0.0):
        farthest *= 2
    for name, colour in reversed(list(zip(names[1:], _LINES, strict=False))):
        write(pen, (right, top - 5), name, "rs", colour=colour, size=11)
        right -= 60
        _curve(pen, top, across, off[name], (-farthest, farthest), colour)
    for x, centre in zip(across, hertz, strict=True):
        label = f"{centre:g}" if centre < 1000 else f"{centre / 1000:g}k"
        write(pen, (int(x), top + _CURVES + _AXIS // 2), label, "mm")
    top += _CURVES + _AXIS + _GAP
    columns = [_LEFT + 200 + 110 * number for number in range(len(names))]
    for x, name in zip(columns, names, strict=True):
        write(pen, (x, top + _BAR // 2), name, "rm", colour=TEXT, size=11)
    for what, told in numbers.items():
        top += _BAR
        write(pen, (_LEFT, top + _BAR // 2), what, "lm", size=11)
        for x, name in zip(columns, names, strict=True):
            write(pen, (x, top + _BAR // 2), told[name], "rm", size=11)
    write_lines(pen, _LEFT, top + _BAR + _GAP, lines)
    return png(image, _LINES)


def _off(levels_db: npt.NDArray[np.float64], original_db: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """How far each band is off the original's, in dB; 0 where either has nothing."""
    heard = np.isfinite(levels_db) & np.isfinite(original_db)
    return np.subtract(levels_db, original_db, out=np.zeros(len(levels_db)), where=heard)


def _curve(
    pen: ImageDraw.ImageDraw,
    top: int,
    across: npt.NDArray[np.float64],
    values: npt.NDArray[np.float64],
    between: tuple[float, float],
    colour: tuple[int, int, int],
) -> None:
    low, high = between
    for mark in np.linspace(low, high, 5):
        y = top + round((high - mark) / (high - low) * _CURVES)
        pen.line((_LEFT, y, _LEFT + _PLOT_WIDTH, y), fill=RULE)
        write(pen, (_LEFT - 6, y), f"{mark:g}", "rm")
    down = top + (high - np.clip(np.nan_to_num(values, nan=low), low, high)) / (high - low) * _CURVES
    points = [(float(x), float(y)) for x, y in zip(across, down, strict=True)]
    pen.line(points, fill=colour, width=2)
    for x, y in points:
        pen.ellipse((x - 2, y - 2, x + 2, y + 2), fill=colour)
