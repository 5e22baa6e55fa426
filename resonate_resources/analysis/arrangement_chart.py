"""The picture of an analysis: who plays when, under chords and sections; pitch classes over time; which bars are
like which; and where each stem's sound lies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from resonate_resources.analysis.analysis import Analysis
from resonate_resources.analysis.likeness import Likeness
from resonate_resources.harmony.chords import Harmony
from resonate_resources.signal.ink import FAINT, GROUND, RULE, TEXT, clock, png, ticks, write

if TYPE_CHECKING:
    from PIL import ImageDraw
    from PIL.Image import Image

_LEFT, _PLOT, _RIGHT = 60, 540, 12
_SECTIONS, _CHORDS, _ROW, _AXIS, _TOP, _TITLE = 26, 22, 20, 22, 8, 20
_HUES = ((86, 156, 214), (112, 214, 160), (249, 201, 50), (227, 89, 51), (184, 134, 224), (112, 214, 220))
_SHADES = 24
_PITCH_CLASS = 8
_MAP = 252
_CURVES_LEFT = _LEFT + _MAP + 56
_LOWEST_DB, _HIGHEST_DB = -60.0, 0.0
_NAMES = ("C", "", "D", "", "E", "F", "", "G", "", "A", "", "B")
_COLOURS = np.linspace(GROUND, (112, 214, 220), _SHADES)


def analysis_picture(
    analysis: Analysis, likeness: Likeness, harmony: Harmony, names: Sequence[str], duration_s: float
) -> bytes:
    """A PNG. Of the arrangement: sections with letter and what they may be called, chords where there is room for
    them, and a row for each stem, as strong as the bar is loud. Of the bars: their likeness, with the sections'
    edges and letters."""
    from PIL import Image, ImageDraw

    chroma_top = _TOP + _SECTIONS + _CHORDS + _ROW * len(names)
    axis_top = chroma_top + _PITCH_CLASS * 12 + 6
    map_top = axis_top + _AXIS + _TITLE
    image = Image.new("RGB", (_LEFT + _PLOT + _RIGHT, map_top + _MAP + _AXIS), GROUND)
    pen = ImageDraw.Draw(image)
    _draw_arrangement(pen, analysis, names, duration_s)
    _draw_chroma(image, pen, chroma_top, harmony, duration_s)
    for seconds in ticks(duration_s):
        write(pen, (_across(float(seconds), duration_s), axis_top + _AXIS // 2), clock(float(seconds)), "mm")
    _draw_likeness(image, pen, map_top, likeness, analysis)
    _draw_equalisation(pen, map_top, analysis, names)
    palette = [_dark(hue, shade) for hue in _HUES for shade in (0.25, 0.5, 0.55, 0.75, 1.0)]
    return png(image, np.concatenate([palette, _COLOURS]))


def _across(seconds: float, duration_s: float) -> int:
    return _LEFT + round(seconds / max(duration_s, 1e-9) * _PLOT)


def _draw_arrangement(
    pen: ImageDraw.ImageDraw, analysis: Analysis, names: Sequence[str], duration_s: float
) -> None:
    def across(seconds: float) -> int:
        return _across(seconds, duration_s)

    hue_of = _hues(analysis)
    for section in analysis.sections:
        left, right = across(section.start_s), across(section.end_s)
        edge = max(left, right - 1)  # a section may be narrower than a pixel
        pen.rectangle((left, _TOP, edge, _TOP + _SECTIONS - 6), fill=_dark(hue_of[section.label], 0.55))
        perhaps = "" if section.name_confidence == 1 else "?"
        told = f"{section.label} {section.name}{perhaps}" if section.name else section.label
        shown = told if right - left > 7 * len(told) else section.label
        if right - left > 8:
            write(pen, ((left + right) // 2, _TOP + _SECTIONS // 2 - 3), shown, "mm", colour=TEXT, size=11)
    top, last = _TOP + _SECTIONS, -100
    for chord in analysis.chords:
        left = across(chord.start_s)
        label = chord_text(chord.label)
        if label and left > last and across(chord.end_s) - left > 3:
            write(pen, (left, top + 8), label, "lm", size=10)
            last = left + 7 * len(label)
    top += _CHORDS
    loudest = max((bar.level_db for bar in analysis.bars), default=0.0)
    for number, name in enumerate(names):
        y = top + number * _ROW
        write(pen, (_LEFT - 6, y + _ROW // 2), name, "rm", size=11)
        pen.line((_LEFT, y + _ROW - 1, _LEFT + _PLOT, y + _ROW - 1), fill=RULE)
        for bar in analysis.bars:
            if name in bar.plays:
                strength = float(np.clip(1 + (bar.level_db - loudest) / 30, 0.3, 1))
                box = (
                    across(bar.start_s),
                    y + 3,
                    max(across(bar.start_s), across(bar.end_s) - 2),
                    y + _ROW - 4,
                )
                pen.rectangle(box, fill=_dark(_HUES[number % len(_HUES)], round(strength * 4) / 4))


def _draw_chroma(
    image: Image, pen: ImageDraw.ImageDraw, top: int, harmony: Harmony, duration_s: float
) -> None:
    """Pitch classes from C at the bottom up, each beat against its strongest."""
    from PIL import Image as Images

    for name, row in zip(_NAMES, range(12), strict=True):
        write(pen, (_LEFT - 6, top + 6 + _PITCH_CLASS * (11 - row) + _PITCH_CLASS // 2), name, "rm", size=9)
    if not len(harmony.chroma):
        return
    share = harmony.chroma / np.maximum(harmony.chroma.max(axis=1, keepdims=True), 1e-9)
    seconds = (np.arange(_PLOT) + 0.5) / _PLOT * duration_s
    beat = np.clip(np.searchsorted(harmony.edges_s, seconds, side="right") - 1, 0, len(share) - 1)
    pixels = _shaded(share[beat].T[::-1]).repeat(_PITCH_CLASS, axis=0)
    image.paste(Images.fromarray(pixels), (_LEFT, top + 6))


def _draw_likeness(
    image: Image, pen: ImageDraw.ImageDraw, top: int, likeness: Likeness, analysis: Analysis
) -> None:
    from PIL import Image as Images

    write(pen, (_LEFT, top - 6), "bars alike", "ls", colour=TEXT, size=11)
    count = max(1, len(likeness))
    square = _square(likeness)
    if len(square):
        small = Images.fromarray(_shaded(square))
        image.paste(small.resize((_MAP, _MAP), Images.Resampling.NEAREST), (_LEFT, top))
    for section in analysis.sections:
        number = section.bar - 1
        at = round(number / count * _MAP)
        following = [other.bar - 1 for other in analysis.sections if other.bar > section.bar]
        middle = (at + round(min(following, default=count) / count * _MAP)) // 2
        pen.line((_LEFT + at, top, _LEFT + at, top + _MAP), fill=FAINT)
        pen.line((_LEFT, top + at, _LEFT + _MAP, top + at), fill=FAINT)
        write(pen, (_LEFT - 6, top + middle), section.label, "rm", colour=TEXT, size=11)
        write(pen, (_LEFT + middle, top + _MAP + 10), section.label, "mm", colour=TEXT, size=11)


def _draw_equalisation(pen: ImageDraw.ImageDraw, top: int, analysis: Analysis, names: Sequence[str]) -> None:
    """Thirds of an octave of the track and of each stem, against the track's strongest."""
    right = _LEFT + _PLOT
    found = analysis.equalisation
    write(pen, (_CURVES_LEFT, top - 6), "dB by third of an octave", "ls", colour=TEXT, size=11)
    across = np.linspace(_CURVES_LEFT, right, len(found.thirds_hz))
    for mark in range(int(_LOWEST_DB), int(_HIGHEST_DB) + 1, 20):
        y = top + round((_HIGHEST_DB - mark) / (_HIGHEST_DB - _LOWEST_DB) * _MAP)
        pen.line((_CURVES_LEFT, y, right, y), fill=RULE)
        write(pen, (_CURVES_LEFT - 6, y), f"{mark}", "rm")
    for x, hertz in list(zip(across, found.thirds_hz, strict=True))[3::6]:
        label = f"{hertz:g}" if hertz < 1000 else f"{hertz / 1000:g}k"
        write(pen, (int(x), top + _MAP + 10), label, "mm")
    strongest = max(found.track_db)
    colours = {name: _HUES[number % len(_HUES)] for number, name in enumerate(names)}
    for name, levels in (*found.stems_db.items(), ("", found.track_db)):
        down = (_HIGHEST_DB - np.clip(np.array(levels) - strongest, _LOWEST_DB, _HIGHEST_DB)) / (
            _HIGHEST_DB - _LOWEST_DB
        )
        points = [(float(x), top + float(y) * _MAP) for x, y in zip(across, down, strict=True)]
        pen.line(points, fill=colours.get(name, TEXT), width=2 if name else 1)


def _shaded(share: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """(rows, columns, 3) of 0 to 1."""
    picked = np.clip((share * (_SHADES - 1)).round().astype(int), 0, _SHADES - 1)
    return np.asarray(_COLOURS[picked], np.uint8)


def _square(likeness: Likeness) -> npt.NDArray[np.float32]:
    """(≤ 252, ≤ 252) of bars against bars: of more bars, every so manyth."""
    count = len(likeness)
    picked = np.unique(np.linspace(0, count - 1, min(count, _MAP)).astype(int))
    square = np.eye(len(picked), dtype=np.float32)
    for row, bar in enumerate(picked[1:], 1):
        lags = bar - picked[:row]
        near = lags <= likeness.shape[1]
        square[row, :row][near] = likeness[bar, lags[near] - 1]
    return np.maximum(square, square.T)


def chord_text(label: str) -> str:
    """As musicians write it: "Ebm7/Gb" of "Eb:min7/b3" without the bass; nothing for no chord."""
    if label == "N":
        return ""
    root, _, quality = label.partition("/")[0].partition(":")
    return root + {"maj": "", "min": "m", "min7": "m7", "hdim7": "m7b5"}.get(quality, quality)


def _hues(analysis: Analysis) -> dict[str, tuple[int, int, int]]:
    letters = dict.fromkeys(section.label for section in analysis.sections)
    return {letter: _HUES[number % len(_HUES)] for number, letter in enumerate(letters)}


def _dark(colour: tuple[int, int, int], share: float) -> tuple[int, int, int]:
    red, green, blue = (
        round(ground + share * (part - ground)) for part, ground in zip(colour, GROUND, strict=True)
    )
    return red, green, blue
