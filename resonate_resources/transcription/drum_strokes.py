"""Drum strokes as General MIDI percussion: kick, snare, two toms, closed and open hats, crash and ride."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from resonate_resources.recipe import Engine
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Progress, Recording, silent
from resonate_resources.signal.band_levels import Floats
from resonate_resources.signal.drum_network import FRAMES_PER_S, Strokes, centres_hz, fitted, hear_strokes

STROKE_S = 0.1
"""Strokes have no length of their own: long enough for samplers that heed note-offs."""
_LEVEL = 6  # frames: a drum rings; the click of another drum's beater in its band is over by then
_LOUD_VELOCITY = 100.0  # of a stroke as loud as the piece's strokes are where they are loud
_BALANCE_DB = 6.0  # a piece may be so much louder or softer than usual: its strokes are no softer for that
_TOM_HZ = (60.0, 330.0)
_TOMS = ((45, 130.0), (50, np.inf))
"""Low and high tom: up to which Hz its loudest band is. The bands are too wide to tell more of them apart."""


class Piece(NamedTuple):
    """key of General MIDI (a tom's is told by its pitch); the bands in Hz in which it is loud."""

    key: int
    band_hz: tuple[float, float]


PIECES = {
    "kick": Piece(36, (30, 120)),
    "snare": Piece(38, (1000, 5000)),
    "tom": Piece(45, (60, 300)),
    "closed hat": Piece(42, (7000, 16000)),
    "open hat": Piece(46, (7000, 16000)),
    "crash": Piece(49, (3000, 16000)),
    "ride": Piece(51, (3000, 16000)),
}


class DrumStrokes:
    """The drum transcriber: a small network of ours for what is struck when, levels for how hard."""

    engine = Engine("drum-strokes", "resonate/drum-strokes")

    def strokes(self, stem: Recording, progress: Progress = silent) -> list[Note]:
        heard = hear_strokes(stem, progress)
        if heard is None:
            return []
        return sorted(note for drum in PIECES for note in _notes(heard, drum))


def _notes(heard: Strokes, drum: str) -> Iterator[Note]:
    """The strokes of one drum."""
    frames = heard.frames[drum]
    if not len(frames):
        return
    level = piece_levels(heard.bands, drum)[frames]
    # General MIDI's players follow the square of velocity.
    balanced = heard.loud_db + fitted().usual_db[drum]
    usual = np.clip(np.percentile(level, 90), balanced - _BALANCE_DB, balanced + _BALANCE_DB)
    velocities = np.clip(np.rint(_LOUD_VELOCITY * 10 ** ((level - usual) / 40)), 1, 127)
    sure = 1 / (1 + np.exp(-heard.odds[drum]))
    for frame, velocity, confidence in zip(frames.tolist(), velocities.tolist(), sure.tolist(), strict=True):
        at = frame / FRAMES_PER_S
        key = (
            _tom(heard.bands[min(frame + 2, len(heard.bands) - 1) : frame + 8])
            if drum == "tom"
            else PIECES[drum].key
        )
        yield Note(at, at + STROKE_S, key, int(velocity), confidence=confidence)


def piece_levels(bands: Floats, drum: str) -> Floats:
    """(frames,): the mean power of a frame and the five that follow it, in the bands of that drum, in dB."""
    from scipy.ndimage import uniform_filter1d

    hertz = centres_hz()
    lowest, highest = PIECES[drum].band_hz
    power = (10 ** (bands[:, (hertz >= lowest) & (hertz <= highest)] / 10)).sum(axis=1)
    rung = uniform_filter1d(power, _LEVEL, origin=-(_LEVEL // 2), mode="nearest")
    return np.asarray(10 * np.log10(rung + 1e-12), np.float32)


def _tom(bands: Floats) -> int:
    """Which tom: by the loudest band where their fundamentals lie, once the stick's click is over."""
    hertz = centres_hz()
    within = np.flatnonzero((hertz >= _TOM_HZ[0]) & (hertz <= _TOM_HZ[1]))
    loudest = hertz[within[bands[:, within].mean(axis=0).argmax()]]
    return next(key for key, highest in _TOMS if loudest <= highest)
