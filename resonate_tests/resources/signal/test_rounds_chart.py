"""Each round's total stands where it belongs, and one that was undone is no part of the line."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from resonate_resources.signal.rounds_chart import rounds

KEPT, UNDONE = (112, 214, 160), (227, 89, 51)
PLOT = slice(24, 174)


def places(png: bytes, colour: tuple[int, int, int]) -> npt.NDArray[np.int_]:
    """(pixels, 2): rows and columns of that colour within the plot."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))[PLOT].astype(int)
    return np.argwhere(np.abs(pixels - colour).max(axis=2) <= 8)


def test_totals_rise_evenly_to_scale() -> None:
    png = rounds([80.0, 85.0, 90.0], [True, True, True], ["", "", ""])
    kept = places(png, KEPT)
    rows = [kept[np.abs(kept[:, 1] - x) <= 2][:, 0] for x in (54, 314, 574)]
    assert rows[0].max() > 145  # the scale begins at 80
    assert rows[2].min() < 4  # and ends at 90
    assert abs(np.median(rows[1][rows[1] < 80]) - 75) < 5  # between them


def test_an_undone_round_is_marked_at_the_bottom_and_the_line_goes_on_from_the_best() -> None:
    png = rounds([80.0, 70.0, 90.0], [True, False, True], ["", "", ""])
    undone = places(png, UNDONE)
    assert len(undone)
    assert undone[:, 0].mean() > 140
    assert abs(undone[:, 1].mean() - 314) < 3
    kept = places(png, KEPT)
    assert not len(kept[(kept[:, 0] > 105) & (np.abs(kept[:, 1] - 314) < 10)])  # 80 stands at 100


def test_a_failed_round_has_no_total_and_a_single_round_is_drawn() -> None:
    assert len(places(rounds([80.0, None], [True, False], ["", ""]), UNDONE))
    assert len(places(rounds([80.0], [True], ["first"]), KEPT))


def test_forty_rounds_fit_the_event_log() -> None:
    rng = np.random.default_rng(1)
    totals = [70.0, *rng.uniform(60, 95, 39)]
    png = rounds(
        totals, [True, *rng.integers(0, 2, 39).astype(bool)], ["bass release from 1 to 1.5 " * 4] * 40
    )
    assert len(png) < 60_000
