"""Tiles of a spectrogram: pictures of equal width, each zoom showing twice as much time as the one before.

A tile takes one window of samples for each of its columns, so that it costs the same at any zoom.
"""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
import soundfile as sf

from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.spectrograph import FLOOR_DB, Spectrograph, shade_numbers, shades
from resonate_studio.hearing.one_channel import one_channel
from resonate_studio.hearing.short_reads import opened_for_short_reads

COLUMNS, ROWS = 512, 192
TILE_SECONDS = 5.0
"""Of a tile at zoom 0: as long as a segment of sound."""
ZOOM_MAX = 14
"""23 hours in a tile."""
MEDIA_TYPE = "image/webp"
TILE_VERSION = 1
"""Part of the name of what is kept: raised when tiles come out otherwise."""

_SHADES = 256
_WINDOWS_AT_ONCE = 128  # for the sake of memory
_QUALITY = 75


def tile_seconds(zoom: int) -> float:
    return TILE_SECONDS * float(1 << zoom)


def tile_count(recording: Recording, zoom: int) -> int:
    return int(-(-recording.duration // tile_seconds(zoom)))


def draw_tile(recording: Recording, zoom: int, tile: int) -> bytes:
    """A picture of COLUMNS × ROWS pixels, 40 Hz at the bottom, 20 kHz at the top; as WebP.

    Columns behind the end are as dark as silence. Raises IndexError where there is no such tile.
    """
    from PIL import Image

    if not (0 <= zoom <= ZOOM_MAX and 0 <= tile < tile_count(recording, zoom)):
        raise IndexError(tile)
    levels = _levels(recording, tile * tile_seconds(zoom), tile_seconds(zoom))
    image = Image.fromarray(shades(_SHADES)[shade_numbers(levels, _SHADES)])
    file = io.BytesIO()
    image.save(file, "WEBP", quality=_QUALITY, method=2)
    return file.getvalue()


def _levels(recording: Recording, start_s: float, seconds: float) -> npt.NDArray[np.float32]:
    """(ROWS, COLUMNS) in dB, a window about the middle of each column."""
    rate = recording.sample_rate
    spectrograph = Spectrograph(rate, ROWS)
    length = spectrograph.length
    centres = ((start_s + (np.arange(COLUMNS) + 0.5) * (seconds / COLUMNS)) * rate).astype(np.int64)
    centres = centres[centres < recording.frames]
    begins = np.clip(centres - length // 2, 0, max(0, recording.frames - length))
    levels = np.full((ROWS, COLUMNS), FLOOR_DB, np.float32)
    with opened_for_short_reads(recording) as file:
        for first in range(0, len(begins), _WINDOWS_AT_ONCE):
            here = begins[first : first + _WINDOWS_AT_ONCE]
            levels[:, first : first + len(here)] = spectrograph.levels(
                _windows(recording, file, here, length)
            )
    return levels


def _windows(
    recording: Recording, file: sf.SoundFile, begins: npt.NDArray[np.int64], length: int
) -> npt.NDArray[np.float32]:
    """(n, length) of one channel: read in one go where they overlap, zeros behind the end."""
    if int(begins[-1]) + length - int(begins[0]) <= len(begins) * length:
        file.seek(int(begins[0]))
        block = np.zeros((int(begins[-1] - begins[0]) + length, recording.channels), np.float32)
        file.read(out=block)
        mono = one_channel(recording, block.T)
        windows = np.lib.stride_tricks.sliding_window_view(mono, length)
        return np.asarray(windows[begins - begins[0]], np.float32)
    # What is done to each by itself costs more than to read it.
    blocks = np.zeros((len(begins), length, recording.channels), np.float32)
    for begin, block in zip(begins.tolist(), blocks, strict=True):
        file.seek(begin)
        file.read(out=block)
    mono = one_channel(recording, blocks.reshape(-1, recording.channels).T)
    return np.asarray(mono.reshape(-1, length), np.float32)
