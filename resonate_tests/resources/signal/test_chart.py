"""Charts show what they are given, where it belongs, and stay small enough for the event log."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from resonate_resources.signal.chart import balances, bars, piano_roll

LEFT, WIDTH = 44, 540


def pixels(png: bytes) -> npt.NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def changed_columns(before: bytes, after: bytes, rows: slice) -> tuple[int, int]:
    plot = (rows, slice(0, 545))  # right of it stand numbers
    differs = np.any(pixels(before)[plot] != pixels(after)[plot], axis=(0, 2)).nonzero()[0]
    return int(differs.min()), int(differs.max())


def test_a_note_stands_at_its_time() -> None:
    frame = [(0.0, 0.1, 36, 100), (9.9, 10.0, 84, 100)]  # keeps the scale of pitch as it is
    before = piano_roll({"bass": frame}, 10.0)
    after = piano_roll({"bass": [*frame, (4.0, 6.0, 60, 127)]}, 10.0)
    first, last = changed_columns(before, after, slice(24, 110))  # below the title, which counts the notes
    assert abs(first - (LEFT + 0.4 * WIDTH)) <= 1
    assert abs(last - (LEFT + 0.6 * WIDTH)) <= 1


def test_a_higher_note_stands_higher() -> None:
    def rows_of(pitch: int) -> float:
        frame = [(0.0, 0.1, 36, 1), (9.9, 10.0, 84, 1)]
        before, after = (
            piano_roll({"x": notes}, 10.0) for notes in (frame, [*frame, (4.0, 6.0, pitch, 127)])
        )
        differs = np.any(pixels(before)[24:] != pixels(after)[24:], axis=(1, 2)).nonzero()[0]
        return float(differs.mean())

    assert rows_of(72) < rows_of(60) < rows_of(48)


def test_a_part_without_notes_is_drawn_empty() -> None:
    assert pixels(piano_roll({"vocals": []}, 10.0)).shape[1] == 596


def test_a_bar_is_as_long_as_its_score() -> None:
    def end(score: float) -> int:
        return changed_columns(bars({"a": {"x": 0.0}}), bars({"a": {"x": score}}), slice(28, 32))[1]

    assert end(80.0) - end(40.0) == 132  # 40 % of 330 pixels


def test_a_busy_song_fits_the_event_log() -> None:
    rng = np.random.default_rng(1)
    notes = [(float(t), float(t) + 0.2, int(rng.integers(30, 90)), 90) for t in rng.uniform(0, 180, 2000)]
    assert len(piano_roll(dict.fromkeys(("vocals", "drums", "bass", "other"), notes), 180.0)) < 40_000


def test_of_two_balances_the_farther_one_stands_higher_however_far_both_are_off() -> None:
    levels_db = {"original": (0.0, 0.0), "mix": (11.0, 0.0), "master": (7.0, 0.0)}
    shown = pixels(balances((100.0, 1000.0), levels_db, {"loudness": dict.fromkeys(levels_db, "")}))
    first_band = shown[:, LEFT + 24]
    mix, master = (
        float(np.mean(np.all(np.abs(first_band.astype(int) - colour) < 12, axis=1).nonzero()[0]))
        for colour in ((249, 201, 50), (112, 214, 220))
    )
    assert master - mix > 5
