"""The hand in which all pictures are drawn: colours, letters, scales of time."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

LINE = 15
_LETTERS = 92
GROUND = (17, 19, 26)
TEXT, FAINT, RULE = (236, 238, 244), (150, 156, 172), (70, 75, 90)


def png(image: Image.Image, colours: npt.ArrayLike) -> bytes:
    """Encode with a palette of these colours, (n, 3) of 0…255, and of all shades of smooth letters."""
    from PIL import Image

    ink = [np.linspace(GROUND, colour, 6)[1:] for colour in (TEXT, FAINT, RULE)]
    flat = np.concatenate([np.asarray(colours, float).reshape(-1, 3), [GROUND], *ink])
    palette = Image.new("P", (1, 1))
    palette.putpalette(flat.astype(np.uint8).ravel().tolist())
    file = io.BytesIO()
    image.quantize(palette=palette, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()


def ticks(duration: float) -> npt.NDArray[np.float64]:
    """Round times from 0, at most eight steps of them, in seconds."""
    steps = [10.0**power * digit for power in range(-6, 0) for digit in (1, 2, 5)]
    steps += [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400]
    step = next((step for step in steps if duration / step <= 8), steps[-1])
    return np.arange(0, duration, step)


def clock(seconds: float) -> str:
    """Seconds as people read a time in music."""
    if seconds and seconds < 1:
        return f"{seconds * 1000:.4g} ms"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def paragraphs(texts: Sequence[str]) -> list[str]:
    """Texts as lines that are no longer than a picture is wide."""
    return [line for text in texts for line in textwrap.wrap(text, _LETTERS) or [""]]


def write_lines(pen: ImageDraw.ImageDraw, left: int, top: int, lines: Sequence[str]) -> None:
    """One below another, LINE pixels each."""
    for number, line in enumerate(lines):
        write(pen, (left, top + LINE * number + LINE // 2), line, "lm", size=11)


def write(
    pen: ImageDraw.ImageDraw,
    at: tuple[int, int],
    text: str,
    anchor: str,
    *,
    colour: tuple[int, int, int] = FAINT,
    size: int = 10,
) -> None:
    """Put text at a place in pixels; anchor as Pillow has it, whose font has no dash but the hyphen."""
    from PIL import ImageFont

    text = text.replace("–", "-").replace("−", "-")
    pen.text(at, text, fill=colour, anchor=anchor, font=ImageFont.load_default(size))
