"""The most likely notes of a sung line: a path through rests and pitches, found by dynamic programming.

As in Mauch et al., "Computer-aided Melody Note Transcription Using the Tony Software" (2015), states are pitches a
third of a semitone apart, and silence. There, what begins a note is a state of its own; here log odds tell it, so
that a repeated pitch, too, is heard as a new note.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from resonate_resources.signal.band_levels import Floats

_LOWEST, _SEMITONES, _PER_SEMITONE = 24, 84, 3
_GRID = _LOWEST + np.arange(_SEMITONES * _PER_SEMITONE) / _PER_SEMITONE

# In nats, chosen by coordinate descent on songs for fitting.
_OFF_PITCH, _FURTHEST = 0.5, 2.0  # a semitone off, up to so many: vibrato must cost less than a step
_UNVOICED = 0.3  # a frame without a pitch in a note
_SOUNDS = 0.25  # of the log odds that a note sounds
_BEGINS, _BEGIN = 1.4, -1.0  # of the log odds that one begins; to begin
_REPEATED = 2.0  # to begin while another sounds
_STEP = 6.0  # to another pitch where nothing says that a note begins
_END = 1.5
_SUREST, _SUREST_SOUND = 4.0, 4.0  # log odds are taken to be within

_GOES_ON = -1
_REST = len(_GRID)


class Span(NamedTuple):
    """Frames from start up to end."""

    start: int
    end: int


def note_spans(pitch: Floats, begins: Floats, sounds: Floats) -> Iterator[Span]:
    """The notes of a stretch of frames. pitch in MIDI's semitones, NaN where none is; log odds that a note begins,
    that one sounds."""
    begin = _BEGIN - _BEGINS * np.clip(begins, -_SUREST, _SUREST)
    sound = _SOUNDS * np.clip(sounds, -_SUREST_SOUND, _SUREST_SOUND)
    steps = _STEP - _BEGINS / 2 * np.clip(begins, -_SUREST, 0)
    off = _OFF_PITCH * np.minimum(np.abs(pitch[:, np.newaxis] - _GRID), _FURTHEST)
    costs = np.where(np.isnan(off), _UNVOICED, off)
    came_from: npt.NDArray[np.int16] = np.full((len(pitch), _REST + 1), _GOES_ON, np.int16)
    notes, rest = np.full(len(_GRID), np.inf), 0.0
    for frame in range(len(pitch)):
        cheapest = int(notes.argmin())
        sung = float(notes[cheapest])
        begun, begun_from = (rest, _REST) if rest <= sung + _REPEATED else (sung + _REPEATED, cheapest)
        begun += float(begin[frame])
        stepped = sung + float(steps[frame])
        new, new_from = (begun, begun_from) if begun <= stepped else (stepped, cheapest)
        came_from[frame, :-1][notes > new] = new_from
        if sung + _END < rest:
            came_from[frame, _REST] = cheapest
        rest = min(rest, sung + _END) + float(sound[frame])
        notes = np.minimum(notes, new) + costs[frame] - float(sound[frame])
    return reversed([*_followed_back(came_from, int(notes.argmin()) if notes.min() < rest else _REST)])


def _followed_back(came_from: npt.NDArray[np.int16], state: int) -> Iterator[Span]:
    end = len(came_from)
    for frame in range(len(came_from) - 1, -1, -1):
        before = int(came_from[frame, state])
        if before != _GOES_ON:
            if state != _REST:
                yield Span(frame, end)
            state, end = before, frame
    if state != _REST and end:
        yield Span(0, end)
