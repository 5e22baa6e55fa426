"""The picture of a plan: what was wished, what is made of it, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from resonate_resources.signal.ink import FAINT, GROUND, LINE, RULE, TEXT, paragraphs, png, write, write_lines

_WIDTH, _NAMES, _VALUES = 640, 90, 150
_TITLE, _ROW, _GAP = 24, 18, 10
_LEAST_DB = 6.0  # the bars' scale is at least so wide to either side
_MADE, _WISHED = (112, 214, 220), (70, 75, 90)


def moves(
    gains_db: Mapping[str, tuple[float, float]],
    tones_db: Mapping[str, Sequence[float]],
    hertz: Sequence[float],
    reasons: Sequence[str],
) -> bytes:
    """A PNG: a row for each stem's gain, wished and made, to either side of nothing; a row for each tone that is
    moved, by octave; and the reasons, a line each.

    gains_db: name → wished, made. tones_db: name → gains at hertz.
    """
    from PIL import Image, ImageDraw

    lines = paragraphs(reasons)
    bands = _TITLE + _ROW * (1 + len(tones_db)) + _GAP if tones_db else 0
    height = _TITLE + _ROW * len(gains_db) + _GAP + bands + LINE * len(lines) + _GAP
    image = Image.new("RGB", (_WIDTH, height), GROUND)
    pen = ImageDraw.Draw(image)
    write(pen, (12, _TITLE - 7), "gain, dB: made (wished)", "ls", colour=TEXT, size=13)
    middle, reach = (_NAMES + _WIDTH - _VALUES) // 2, (_WIDTH - _VALUES - _NAMES) // 2
    widest = max([_LEAST_DB, *(abs(gain) for both in gains_db.values() for gain in both)])
    top = _TITLE
    for name, (wished, made) in gains_db.items():
        centre = top + _ROW // 2
        write(pen, (_NAMES - 8, centre), name, "rm", size=11)
        for gain, half, colour in ((wished, 6, _WISHED), (made, 3, _MADE)):
            ends = sorted((middle, middle + round(reach * gain / widest)))
            pen.rectangle((ends[0], centre - half, ends[1], centre + half), fill=colour)
        pen.line((middle, top, middle, top + _ROW), fill=FAINT)
        write(pen, (_WIDTH - _VALUES + 12, centre), f"{made:+.1f} ({wished:+.1f})", "lm", size=11)
        top += _ROW
    if tones_db:
        top += _GAP + _TITLE
        write(pen, (12, top - 7), "tone, dB by octave", "ls", colour=TEXT, size=13)
        across = np.linspace(_NAMES + 20, _WIDTH - 40, len(hertz)).astype(int).tolist()
        for x, centre_hz in zip(across, hertz, strict=True):
            label = f"{centre_hz:g}" if centre_hz < 1000 else f"{centre_hz / 1000:g}k"
            write(pen, (x, top + _ROW // 2), label, "mm")
        for name, tone in tones_db.items():
            top += _ROW
            write(pen, (_NAMES - 8, top + _ROW // 2), name, "rm", size=11)
            for x, gain in zip(across, tone, strict=True):
                said, colour = ("·", RULE) if abs(gain) < 0.05 else (f"{gain:+.1f}", TEXT)
                write(pen, (x, top + _ROW // 2), said, "mm", colour=colour, size=11)
        top += _ROW
    top += _GAP
    write_lines(pen, 12, top, lines)
    return png(image, [_MADE, _WISHED])
