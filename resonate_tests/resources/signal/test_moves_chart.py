"""The picture of a plan shows gains to scale, tones that are moved, and every reason."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from resonate_resources.signal.moves_chart import moves
from resonate_resources.signal.octaves import OCTAVES_HZ

MADE = (112, 214, 220)


def pixels(png: bytes) -> npt.NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def drawn(png: bytes) -> tuple[int, int]:
    """First and last column of what is made."""
    columns = np.all(pixels(png) == MADE, axis=2).any(axis=0).nonzero()[0]
    return int(columns.min()), int(columns.max())


def test_a_gain_is_as_long_as_it_is_large_and_lies_on_its_side() -> None:
    louder, softer = (drawn(moves({"vocals": (gain, gain)}, {}, OCTAVES_HZ, [])) for gain in (3.0, -6.0))
    long, short = softer[1] - softer[0], louder[1] - louder[0]
    assert abs(long - 2 * short) <= 2
    assert softer[1] <= louder[0] + 2


def test_what_is_told_has_room() -> None:
    gains = {"vocals": (1.0, 0.5)}
    bare = pixels(moves(gains, {}, OCTAVES_HZ, [])).shape[0]
    assert pixels(moves(gains, {"all": [0.0] * 9 + [1.0]}, OCTAVES_HZ, [])).shape[0] > bare
    one, three = (pixels(moves(gains, {}, OCTAVES_HZ, ["word " * words])).shape[0] for words in (3, 50))
    assert bare < one < three


def test_a_plan_that_moves_nothing_is_drawn_too() -> None:
    still = pixels(moves({"track": (0.0, 0.0)}, {}, OCTAVES_HZ, ["levels stay as they came"]))
    assert still.shape[1] == 640
