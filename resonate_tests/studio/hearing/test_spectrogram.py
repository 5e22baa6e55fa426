"""Tiles show what sounds, where and when, at any zoom."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from resonate_resources.recordings.recording import write_samples
from resonate_studio.hearing.spectrogram import COLUMNS, ROWS, draw_tile, tile_count

_RATE = 44_100


def brightness(tile: bytes) -> npt.NDArray[np.float64]:
    """(ROWS, COLUMNS): ITU-R BT.601 luma, which rises throughout the colours that are used."""
    image = Image.open(io.BytesIO(tile))
    assert image.size == (COLUMNS, ROWS)
    return np.asarray(image.convert("L"), np.float64)


def row_of(hertz: float) -> float:
    return ROWS * math.log(20_000 / hertz) / math.log(20_000 / 40)


@pytest.mark.parametrize("hertz", [100.0, 440.0, 1000.0, 10_000.0])
@pytest.mark.parametrize("zoom", [0, 2])
def test_a_tone_is_a_line_at_its_frequency(tmp_path: Path, hertz: float, zoom: int) -> None:
    tone = 0.5 * np.sin(2 * np.pi * hertz * np.arange(20 * _RATE) / _RATE).astype(np.float32)
    shown = brightness(draw_tile(write_samples(tmp_path / "a.wav", tone[np.newaxis], _RATE), zoom, 0))
    assert (np.abs(shown[:, 8:-8].argmax(axis=0) - row_of(hertz)) <= 2).all()
    assert shown[ROWS - 8 if hertz > 500 else 8, 8:-8].max() < 40


@pytest.mark.parametrize(("zoom", "tile", "column"), [(0, 1, 256), (1, 0, 384), (2, 0, 192), (4, 0, 48)])
def test_a_click_is_where_its_time_is(tmp_path: Path, zoom: int, tile: int, column: int) -> None:
    burst = np.zeros((2, 12 * _RATE), np.float32)
    burst[:, round(7.4 * _RATE) : round(7.6 * _RATE)] = np.random.default_rng(0).uniform(-0.5, 0.5, 8820)
    shown = brightness(draw_tile(write_samples(tmp_path / "a.wav", burst, _RATE), zoom, tile)).mean(axis=0)
    lit = np.flatnonzero(shown > shown.max() / 2)
    assert abs(lit.mean() - column) <= 2


def test_levels_are_ordered_from_dark_to_light(tmp_path: Path) -> None:
    t = np.arange(5 * _RATE) / _RATE
    lines = []
    for level in (-80, -60, -40, -20, 0):
        tone = 10 ** (level / 20) * np.sin(2 * np.pi * 1000 * t)
        recording = write_samples(tmp_path / "a.wav", tone[np.newaxis].astype(np.float32), _RATE)
        lines.append(brightness(draw_tile(recording, 0, 0))[:, 100:400].max(axis=0).mean())
    assert (np.diff(lines) > 15).all()


def test_behind_the_end_it_is_dark_and_there_are_no_further_tiles(tmp_path: Path) -> None:
    loud = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 6 * _RATE)).astype(np.float32)
    recording = write_samples(tmp_path / "a.wav", loud, _RATE)
    assert [tile_count(recording, zoom) for zoom in (0, 1, 14)] == [2, 1, 1]
    shown = brightness(draw_tile(recording, 0, 1))
    assert shown[100, : COLUMNS // 5 - 8].min() > 40
    assert shown[:, COLUMNS // 5 + 16 :].max() < 12
    for zoom, tile in ((0, 2), (15, 0), (-1, 0), (0, -1)):
        with pytest.raises(IndexError):
            draw_tile(recording, zoom, tile)


def test_a_recording_shorter_than_a_window_has_a_tile(tmp_path: Path) -> None:
    recording = write_samples(tmp_path / "a.wav", np.full((2, 50), 0.5, np.float32), _RATE)
    assert brightness(draw_tile(recording, 0, 0)).max() < 255
