"""Pictures of an analysis: who plays when, under chords and sections; and which bars are like which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from resonate_resources.analysis.analysis import Analysis
from resonate_resources.analysis.likeness import Likeness
from resonate_resources.signal.ink import FAINT, GROUND, RULE, TEXT, clock, png, ticks, write

_LEFT, _PLOT, _RIGHT = 60, 540, 12
_SECTIONS, _CHORDS, _ROW, _AXIS, _TOP = 26, 22, 20, 22, 8
_HUES = ((86, 156, 214), (112, 214, 160), (249, 201, 50), (227, 89, 51), (184, 134, 224), (112, 214, 220))
_SHADES = 24
_MAP = 420


def arrangement_picture(analysis: Analysis, names: Sequence[str], duration_s: float) -> bytes:
    """A PNG: sections with letter and name, chords where there is room for them, and a row for each stem, as strong
    as the bar is loud."""
    from PIL import Image, ImageDraw

    height = _TOP + _SECTIONS + _CHORDS + _ROW * len(names) + _AXIS
    image = Image.new("RGB", (_LEFT + _PLOT + _RIGHT, height), GROUND)
    pen = ImageDraw.Draw(image)

    def across(seconds: float) -> int:
        return _LEFT + round(seconds / max(duration_s, 1e-9) * _PLOT)

    hue_of = _hues(analysis)
    for section in analysis.sections:
        left, right = across(section.start_s), across(section.end_s)
        pen.rectangle((left, _TOP, right - 1, _TOP + _SECTIONS - 6), fill=_dark(hue_of[section.label], 0.55))
        told = f"{section.label} {section.name}" if section.name else section.label
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
    for seconds in ticks(duration_s):
        write(pen, (across(float(seconds)), height - _AXIS // 2), clock(float(seconds)), "mm")
    palette = [_dark(hue, shade) for hue in _HUES for shade in (0.25, 0.5, 0.55, 0.75, 1.0)]
    return png(image, palette)


def likeness_picture(likeness: Likeness, analysis: Analysis) -> bytes:
    """A PNG of the self-similarity of the bars, with the sections' edges and letters."""
    from PIL import Image, ImageDraw

    count = max(1, len(likeness))
    shades = np.linspace(GROUND, (112, 214, 220), _SHADES)
    image = Image.new("RGB", (_LEFT + _MAP + _RIGHT, _TOP + _MAP + _AXIS), GROUND)
    square = _square(likeness)
    if len(square):
        picked = shades[np.clip((square * (_SHADES - 1)).round().astype(int), 0, _SHADES - 1)]
        small = Image.fromarray(picked.astype(np.uint8))
        image.paste(small.resize((_MAP, _MAP), Image.Resampling.NEAREST), (_LEFT, _TOP))
    pen = ImageDraw.Draw(image)
    starts = [bar.start_s for bar in analysis.bars]
    for section in analysis.sections:
        at = round(int(np.searchsorted(starts, section.start_s - 1e-6)) / count * _MAP)
        end = round(int(np.searchsorted(starts, section.end_s - 1e-6)) / count * _MAP)
        pen.line((_LEFT + at, _TOP, _LEFT + at, _TOP + _MAP), fill=FAINT)
        pen.line((_LEFT, _TOP + at, _LEFT + _MAP, _TOP + at), fill=FAINT)
        write(pen, (_LEFT - 6, _TOP + (at + end) // 2), section.label, "rm", colour=TEXT, size=11)
        write(pen, (_LEFT + (at + end) // 2, _TOP + _MAP + 10), section.label, "mm", colour=TEXT, size=11)
    return png(image, shades)


def _square(likeness: Likeness) -> npt.NDArray[np.float32]:
    """(≤ 420, ≤ 420) of bars against bars: of more bars, every so manyth."""
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
