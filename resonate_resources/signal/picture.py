"""A picture of recordings for the web UI: waveform and spectrogram, one recording under the other.

Small, since pictures are kept in Dagster's event log; on a ground of its own, so it reads on any page.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.ink import GROUND, RULE, TEXT, clock, png, ticks, write
from resonate_resources.signal.spectrograph import (
    FLOOR_DB,
    HIGHEST_HZ,
    LOWEST_HZ,
    Spectrograph,
    shade_numbers,
    shades,
)

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

_Floats = npt.NDArray[np.float32]
_Pixels = npt.NDArray[np.uint8]

# Layout, in pixels.
_PLOT_WIDTH = 540
_LEFT, _RIGHT = 44, 12
_TITLE, _WAVE, _SPECTROGRAM, _GAP = 22, 44, 72, 10
_ROW = _TITLE + _WAVE + 2 + _SPECTROGRAM + _GAP
_AXIS = 24
_BAR_LINE, _LEAST_APART = 6, 5

_SHADES = 12  # of the spectrogram: more are not seen at this size, and cost bytes

_WELL = (0, 0, 4)
_WAVE_PEAK, _WAVE_RMS = (44, 122, 140), (112, 214, 220)


@dataclass(frozen=True)
class _Overview:
    """What one recording looks like, per column: extremes and RMS of its samples, and its spectrum in dB.

    high, low, rms: (columns,), full scale −1…1; spectrum: (_SPECTROGRAM, columns), highest pitch first,
    0 dB for a full-scale sine.
    """

    high: _Floats
    low: _Floats
    rms: _Floats
    spectrum: _Floats


def draw(
    recordings: Mapping[str, Recording],
    marks: Mapping[float, str] | None = None,
    downbeats_s: Sequence[float] = (),
) -> bytes:
    """A PNG with one row for each recording, all to one scale of time, level and frequency.

    marks: time in seconds → what begins there; a line through all rows, with its label.
    downbeats_s: bars, drawn at the waveforms' edges; where they would lie too close, every other, every fourth …
    """
    from PIL import Image, ImageDraw

    longest = max(recording.duration for recording in recordings.values())
    image = Image.new("RGB", (_LEFT + _PLOT_WIDTH + _RIGHT, len(recordings) * _ROW + _AXIS), GROUND)
    pen = ImageDraw.Draw(image)
    for row, (name, recording) in enumerate(recordings.items()):
        columns = max(1, round(_PLOT_WIDTH * recording.duration / longest)) if longest else 1
        write(pen, (_LEFT, row * _ROW + _TITLE - 5), name, "ls", colour=TEXT, size=13)
        _draw_row(image, pen, row * _ROW, recording, _overview(recording, columns))
        for seconds in _apart(downbeats_s):
            x, wave_top = _LEFT + round(seconds / longest * _PLOT_WIDTH), row * _ROW + _TITLE
            pen.line((x, wave_top, x, wave_top + _BAR_LINE), fill=TEXT)
            pen.line((x, wave_top + _WAVE - _BAR_LINE, x, wave_top + _WAVE - 1), fill=TEXT)
    for seconds, label in (marks or {}).items():
        x = _LEFT + round(seconds / longest * _PLOT_WIDTH)
        pen.line((x, _TITLE, x, len(recordings) * _ROW - _GAP), fill=TEXT)
        write(pen, (x + 3, _TITLE + 1), label, "lt", colour=TEXT)
    _draw_axis(image, pen, len(recordings) * _ROW, longest)

    return png(image, np.concatenate([shades(_SHADES), [_WELL, _WAVE_PEAK, _WAVE_RMS]]))


def _apart(downbeats_s: Sequence[float]) -> Sequence[float]:
    """Every so manyth of them that they lie some pixels apart."""
    every = 1
    while len(downbeats_s) > every and len(downbeats_s) / every * _LEAST_APART > _PLOT_WIDTH:
        every *= 2
    return downbeats_s[::every]


def _overview(recording: Recording, columns: int) -> _Overview:
    """Read the recording once. Every frame is in the waveform; the spectrum is one window per column."""
    frames = recording.frames
    begins = np.arange(columns) * frames // columns
    high = np.full(columns, -np.inf, np.float32)
    low = np.full(columns, np.inf, np.float32)
    energy = np.zeros(columns, np.float32)
    spectrum = np.full((_SPECTROGRAM, columns), FLOOR_DB, np.float32)
    spectrograph = Spectrograph(recording.sample_rate, _SPECTROGRAM)
    start = 0
    for block in recording.blocks():
        stop = start + block.shape[1]
        first, last = np.searchsorted(begins, [start, stop])
        first_here = int(first) if first < columns and begins[first] == start else int(first) - 1
        here = slice(first_here, int(last))  # columns that have frames in this block
        offsets = np.maximum(begins[here] - start, 0)
        high[here] = np.maximum(high[here], np.maximum.reduceat(block.max(axis=0), offsets))
        low[here] = np.minimum(low[here], np.minimum.reduceat(block.min(axis=0), offsets))
        mono = block.mean(axis=0)
        energy[here] += np.add.reduceat(mono * mono, offsets)
        centred = slice(int(first), int(last))  # columns that begin in this block
        spectrum[:, centred] = spectrograph.spectra(mono, begins[centred] - start + frames // columns // 2)
        start = stop
    frames_per_column = max(1.0, frames / columns)
    return _Overview(high, low, np.sqrt(energy / frames_per_column), spectrum)


def _draw_row(
    image: Image.Image,
    pen: ImageDraw.ImageDraw,
    top: int,
    recording: Recording,
    overview: _Overview,
) -> None:
    from PIL import Image

    write(pen, (_LEFT + _PLOT_WIDTH, top + _TITLE - 5), _caption(recording, overview), "rs", size=11)
    wave_top = top + _TITLE
    spectrum_top = wave_top + _WAVE + 2
    image.paste(Image.fromarray(_wave_pixels(overview)), (_LEFT, wave_top))
    image.paste(Image.fromarray(_colours(overview.spectrum)), (_LEFT, spectrum_top))
    for decibels in (0, -20):
        y = wave_top + round((1 - 10 ** (decibels / 40)) * _WAVE / 2)
        pen.line((_LEFT - 4, y, _LEFT - 1, y), fill=RULE)
        write(pen, (_LEFT - 6, y), f"{decibels} dB", "rm")
    for hertz, label in ((100, "100 Hz"), (1_000, "1 kHz"), (10_000, "10 kHz")):
        height = math.log(HIGHEST_HZ / hertz) / math.log(HIGHEST_HZ / LOWEST_HZ)
        y = spectrum_top + round(height * _SPECTROGRAM)
        pen.line((_LEFT - 4, y, _LEFT - 1, y), fill=RULE)
        write(pen, (_LEFT - 6, y), label, "rm")


def _draw_axis(image: Image.Image, pen: ImageDraw.ImageDraw, top: int, duration: float) -> None:
    """The scale of time under the plots, and the scale of colour at its right."""
    from PIL import Image

    bar = np.linspace(FLOOR_DB, 0, 72, dtype=np.float32)[None].repeat(8, axis=0)
    bar_left = _LEFT + _PLOT_WIDTH - bar.shape[1] - 28
    image.paste(Image.fromarray(_colours(bar)), (bar_left, top + 4))
    write(pen, (bar_left - 4, top + 8), f"{FLOOR_DB:g}", "rm")
    write(pen, (_LEFT + _PLOT_WIDTH, top + 8), "0 dB", "rm")
    for seconds in ticks(duration):
        x = _LEFT + round(seconds / duration * _PLOT_WIDTH)
        if x > bar_left - 44:
            break
        pen.line((x, top - _GAP, x, top - _GAP + 4), fill=RULE)
        write(pen, (x, top + 8), clock(seconds), "mm")


def _wave_pixels(overview: _Overview) -> _Pixels:
    """(_WAVE, columns, 3): extremes, and the RMS about zero drawn over them.

    Height is the square root of amplitude: a stem at −40 dBFS still shows, at a tenth of full height.
    """
    height = np.linspace(1, -1, _WAVE)[:, None]
    level = np.copysign(height**2, height)
    pixel = (1 / (_WAVE - 1)) ** 2  # a line through zero is always drawn
    inside = (level <= overview.high + pixel) & (level >= overview.low - pixel)
    pixels = np.where(inside[..., None], np.array(_WAVE_PEAK), np.array(_WELL))
    pixels = np.where((np.abs(level) <= overview.rms + pixel)[..., None], np.array(_WAVE_RMS), pixels)
    return pixels.astype(np.uint8)


def _colours(levels_db: _Floats) -> _Pixels:
    return np.asarray(shades(_SHADES)[shade_numbers(levels_db, _SHADES)])


def _caption(recording: Recording, overview: _Overview) -> str:
    channels = {1: "mono", 2: "stereo"}.get(recording.channels, f"{recording.channels} channels")
    peak = float(max(np.max(np.abs(overview.high), initial=0.0), np.max(np.abs(overview.low), initial=0.0)))
    level = f"peak {20 * math.log10(peak):z.1f} dBFS" if peak > 0 else "silence"
    return f"{recording.sample_rate / 1000:g} kHz · {channels} · {clock(recording.duration)} · {level}"
