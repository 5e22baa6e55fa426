"""Drum strokes as General MIDI percussion: kick, snare, two toms, closed and open hats, crash and ride."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from resonate_resources.recipe import Engine
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Progress, Recording, silent
from resonate_resources.signal.band_levels import Floats
from resonate_resources.signal.onsets import find_onsets
from resonate_resources.transcription import drum_network
from resonate_resources.transcription.drum_network import DRUMS, FRAMES_PER_S

STROKE_S = 0.1
"""Strokes have no length of their own: long enough for samplers that heed note-offs."""
_APART = 5  # frames: the fastest roll that is still heard as strokes
_LEVEL = 6  # frames: a drum rings; the click of another drum's beater in its band is over by then
_FEWEST = 3  # strokes of a recording: fewer are a click, a door, a cough
_LEAST_SHARE = 0.8
"""Of a drum stem's power sounds near its strokes: of 40 for fitting, true and separated, at least 0.89. Of
speech (0.40; with noise 0.65), voices (0.27 at most), a guitar and an organ it does not: consonants are no hats."""
_LOUD_VELOCITY = 100.0  # of a stroke as loud as the piece's strokes are where they are loud
_BALANCE_DB = 6.0  # a piece may be so much louder or softer than usual: its strokes are no softer for that
_TOM_HZ = (60.0, 330.0)
_TOMS = ((45, 130.0), (50, np.inf))
"""Low and high tom: up to which Hz its loudest band is. The bands are too wide to tell more of them apart."""


class Piece(NamedTuple):
    """key of General MIDI (a tom's is told by its pitch); log odds from which on it is struck; the bands in Hz in
    which it is loud; the level there of its loud strokes, against the recording where that is loud, in dB."""

    key: int
    least: float
    band_hz: tuple[float, float]
    usual_db: float


# What they are at least and usually: fitted on songs of `music_truth` with seeds under 100.
PIECES = {
    "kick": Piece(36, 0.5, (30, 120), -5.0),
    "snare": Piece(38, 1.0, (1000, 5000), -15.0),
    "tom": Piece(45, -1.0, (60, 300), -7.5),
    "closed hat": Piece(42, 1.0, (7000, 16000), -21.5),
    "open hat": Piece(46, -0.5, (7000, 16000), -25.0),
    "crash": Piece(49, -1.5, (3000, 16000), -15.0),
    "ride": Piece(51, 1.0, (3000, 16000), -13.0),
}
_EITHER = {"closed hat": "open hat", "open hat": "closed hat"}
"""Of these that begin together one is struck."""
_NEAR = 2  # frames


class DrumStrokes:
    """The drum transcriber: a small network of ours for what is struck when, levels for how hard."""

    engine = Engine("drum-strokes", "resonate/drum-strokes")

    def strokes(self, stem: Recording, progress: Progress = silent) -> list[Note]:
        bands = drum_network.levels(stem, progress)
        loud_db = drum_network.loud_level(bands)
        if loud_db is None:
            return []
        odds = drum_network.log_odds(bands, loud_db)
        struck = sorted(
            Note(at, at + STROKE_S, key, velocity, confidence=confidence)
            for drum, piece in PIECES.items()
            for at, key, velocity, confidence in _struck(odds, bands, loud_db, drum, piece)
        )
        played = len({note.onset_s for note in struck}) >= _FEWEST and _share(struck, bands) >= _LEAST_SHARE
        return struck if played else []


def _struck(
    odds: Floats, bands: Floats, loud_db: float, drum: str, piece: Piece
) -> Iterator[tuple[float, int, int, float]]:
    """Second, key, velocity and confidence of the strokes of one drum."""
    own = odds[:, DRUMS.index(drum)]
    frames = find_onsets(np.maximum(own - piece.least, -1e-6), 0.0, _APART)
    if drum in _EITHER:
        from scipy.ndimage import maximum_filter1d

        other = maximum_filter1d(odds[:, DRUMS.index(_EITHER[drum])], 2 * _NEAR + 1)
        frames = frames[own[frames] >= other[frames]]
    if not len(frames):
        return
    level = _levels(bands, piece.band_hz)[frames]
    # General MIDI's players follow the square of velocity.
    balanced = loud_db + piece.usual_db
    usual = np.clip(np.percentile(level, 90), balanced - _BALANCE_DB, balanced + _BALANCE_DB)
    velocities = np.clip(np.rint(_LOUD_VELOCITY * 10 ** ((level - usual) / 40)), 1, 127)
    for frame, velocity in zip(frames.tolist(), velocities.tolist(), strict=True):
        confidence = 1 / (1 + float(np.exp(-own[frame])))
        key = _tom(bands[frame + 2 : frame + 8]) if drum == "tom" else piece.key
        yield frame / FRAMES_PER_S, key, int(velocity), confidence


def _share(struck: Sequence[Note], bands: Floats) -> float:
    """Which part of a recording's power sounds within 0.2 s of strokes."""
    power = (10 ** (bands / 10)).sum(axis=1)
    near = np.zeros(len(bands), np.bool_)
    for note in struck:
        frame = round(note.onset_s * FRAMES_PER_S)
        near[max(frame - 2, 0) : frame + FRAMES_PER_S // 5] = True
    return float(power[near].sum() / power.sum())


def _levels(bands: Floats, band_hz: tuple[float, float]) -> Floats:
    """(frames,): the mean power of a frame and the five that follow it, in those bands, in dB."""
    from scipy.ndimage import uniform_filter1d

    hertz = drum_network.centres_hz()
    power = (10 ** (bands[:, (hertz >= band_hz[0]) & (hertz <= band_hz[1])] / 10)).sum(axis=1)
    rung = uniform_filter1d(power, _LEVEL, origin=-(_LEVEL // 2), mode="nearest")
    return np.asarray(10 * np.log10(rung + 1e-12), np.float32)


def _tom(bands: Floats) -> int:
    """Which tom: by the loudest band where their fundamentals lie, once the stick's click is over."""
    hertz = drum_network.centres_hz()
    within = np.flatnonzero((hertz >= _TOM_HZ[0]) & (hertz <= _TOM_HZ[1]))
    loudest = hertz[within[bands[:, within].mean(axis=0).argmax()]]
    return next(key for key, highest in _TOMS if loudest <= highest)
