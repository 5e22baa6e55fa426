"""Where a sung note begins and where one sounds: what a small network says of every 10 ms.

It looks at the levels of 13 bands, how voiced the sound is and where its pitch moves, over a third of a second: a
consonant, a vowel that opens, a step to another pitch. Fitted by `resonate_tests.benchmarks.sung_notes.fit`.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.band_levels import Floats, band_levels, bands_between
from resonate_resources.signal.network import Network
from resonate_resources.signal.pitch_track import HOP, SAMPLE_RATE, PitchTrack

_FILE = resources.files("resonate_resources.transcription") / "sung_onsets.npz"

OFFSETS = (-20, -16, -13, -10, -8, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 8, 10, 13)
"""Frames, from the one that is told of, that the network looks at."""
_FRAME = 512  # 32 ms
_EDGES_HZ = (80, 150, 250, 400, 600, 800, 1100, 1500, 2000, 2700, 3500, 4700, 6200, 7900)
_FLOOR_DB = -50.0  # against the voice where it is loud; what is quieter is silence
_GATE_DB = -45.0  # likewise: under it nothing is voiced
_SILENCE_DB = -85.0  # of full scale: 16-bit dither lies at −93
_LOUD_WITHIN_DB = 30.0  # of the loudest frame lies what is sung; how loud it is, its 90th percentile tells
_STEPS = 2.5  # semitones: a wider step is one as wide
_PITCH_FRAMES = 6  # tell the pitch from which steps are measured
_AT_ONCE = 6000  # frames: 9 MB of inputs


class Heard(NamedTuple):
    """Of every 10 ms. pitch: in MIDI's semitones, NaN where nothing is voiced. level_db: against the voice where it
    is loud. begins, sounds: log odds that a note begins there (within 10 ms), and that one sounds."""

    pitch: Floats
    level_db: Floats
    begins: Floats
    sounds: Floats


def heard(stem: Recording, track: PitchTrack) -> Heard:
    """What is heard in a stem whose pitch is tracked. Kept for the whole recording: 50 MB an hour."""
    bands = levels(stem)
    frames = min(len(bands), len(track.hertz))
    return of_levels(bands[:frames], PitchTrack(track.hertz[:frames], track.strength[:frames]))


def levels(stem: Recording) -> Floats:
    """(frames, 13): levels of the bands in dB."""
    bounds = [(low, high - SAMPLE_RATE / _FRAME) for low, high in pairwise(_EDGES_HZ)]
    return band_levels(stem, bands_between(bounds, SAMPLE_RATE, _FRAME), SAMPLE_RATE, HOP)


def of_levels(bands: Floats, track: PitchTrack) -> Heard:
    """The same of levels (frames, 13) in dB."""
    against, level, pitch = levelled(bands, track)
    begins, sounds = [], []
    for start in range(0, len(bands), _AT_ONCE):
        part = slice(max(start + OFFSETS[0], 0), start + _AT_ONCE + OFFSETS[-1])
        told = _network()(inputs(against[part], track.strength[part], pitch[part]))
        own = slice(start - part.start, start - part.start + _AT_ONCE)
        begins.append(told[own, 0])
        sounds.append(told[own, 1])
    return Heard(pitch, level, np.concatenate(begins), np.concatenate(sounds))


def levelled(bands: Floats, track: PitchTrack) -> tuple[Floats, Floats, Floats]:
    """Levels against the voice where it is loud, of the bands and of all together; and the pitch in semitones."""
    level = 10 * np.log10((10 ** (bands / 10)).sum(axis=1) + 1e-12)
    top = float(level.max())
    loud = float(np.percentile(level[level >= top - _LOUD_WITHIN_DB], 90))
    voiced = (track.hertz > 0) & (level > max(loud + _GATE_DB, _SILENCE_DB))
    pitch = np.where(voiced, 69 + 12 * np.log2(np.maximum(track.hertz, 1) / 440), np.nan)
    return bands - loud, (level - loud).astype(np.float32), pitch.astype(np.float32)


def inputs(bands: Floats, strength: Floats, pitch: Floats) -> Floats:
    """(frames, 21 · 17): what the network is given of each frame. At the ends the outermost frames are repeated."""
    last = len(bands) - 1
    around = np.clip(np.arange(len(bands))[:, np.newaxis] + OFFSETS, 0, last)
    scaled = np.maximum(bands, _FLOOR_DB) / 15 + 1
    together = np.maximum(10 * np.log10((10 ** (bands / 10)).sum(axis=1) + 1e-12), _FLOOR_DB) / 15 + 1
    voiced = ~np.isnan(pitch)
    seen = np.column_stack([scaled, together, 2 * strength - 1, voiced])[around].reshape(len(bands), -1)
    following = pitch[np.clip(np.arange(len(bands))[:, np.newaxis] + np.arange(_PITCH_FRAMES), 0, last)]
    own = np.full(len(bands), np.nan)
    told = ~np.isnan(following).all(axis=1)
    own[told] = np.nanmedian(following[told], axis=1)
    steps = np.nan_to_num(np.clip(pitch[around] - own[:, np.newaxis], -_STEPS, _STEPS))
    return np.concatenate([seen, steps], axis=1).astype(np.float32)


@lru_cache(maxsize=1)
def _network() -> Network:
    return Network.read(_FILE)
