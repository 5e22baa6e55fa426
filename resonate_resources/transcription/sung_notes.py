"""A sung line as notes: begun by consonants, rises of loudness and steps of pitch; vibrato and glides as bends.

Where several sing at once, the pitch is that of the strongest.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from resonate_resources.recipe import Engine
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Progress, Recording, silent
from resonate_resources.signal.band_levels import Floats
from resonate_resources.signal.pitch_track import HOP, SAMPLE_RATE, pitch_track
from resonate_resources.transcription.note_path import Span, note_spans
from resonate_resources.transcription.sung_onsets import Heard, heard
from resonate_resources.transcription.transcriber import Voice

_SECONDS = HOP / SAMPLE_RATE
_REST = 30  # frames without a pitch, 0.3 s: what follows is heard by itself
_MARGIN = 10  # frames heard before and after what is voiced
_GLIDE = 4  # in a note's first quarter the pitch may still be on its way
_LOUD_VELOCITY = 110.0  # of a note as loud as the voice is where it is loud
_BEND_STEP = (
    0.03  # semitones: 3 cents, less than is heard (Moore, An Introduction to the Psychology of Hearing)
)
_FURTHEST_BEND = 12.0
_SMOOTHED = 5  # frames: a single one an octave off is an error
_VIBRATO = 18  # frames: a cycle at 5.5 Hz, as singers have it (Sundberg, The Science of the Singing Voice)
_HOLDING, _HELD_WITHIN = 15, 1.0  # frames, semitones: a pitch that stays so long within them is held
_LEAST_HELD = 0.45
"""Of what is voiced in notes so much is held where somebody sings: of six recordings of singers 0.64 and
more, of speech 0.23, under noise 0.30."""


class SungNotes:
    """The pitch transcriber of a voice that sings: Praat's pitch, and a network of ours for where notes begin."""

    engine = Engine("praat", "resonate/sung-onsets", licence="GPL-3.0-or-later")

    def notes(self, stem: Recording, voice: Voice, progress: Progress = silent) -> list[Note]:
        told = heard(stem, pitch_track(stem, voice.lowest_hz, voice.highest_hz, progress))
        shortest = round(voice.shortest_s / _SECONDS)
        spans = list(_spans(told))
        if not _sings([told.pitch[span.start : span.end] for span in spans]):
            return []
        notes = (_note(span, told, shortest) for span in spans)
        return [note for note in notes if note is not None and note.offset_s <= stem.duration + _SECONDS]


def _sings(pitches: Sequence[Floats]) -> bool:
    """Whether pitches, in semitones every 10 ms, NaN where nothing is voiced, are held as in singing."""
    from scipy.ndimage import maximum_filter1d, minimum_filter1d, uniform_filter1d

    held = voiced = 0
    for pitch in pitches:
        known = np.flatnonzero(~np.isnan(pitch))
        if not len(known):
            continue
        whole = np.interp(np.arange(known[0], known[-1] + 1), known, pitch[known])
        voiced += len(whole)
        if len(whole) < _HOLDING:
            continue
        course = uniform_filter1d(whole, _VIBRATO, mode="nearest")
        span = maximum_filter1d(course, _HOLDING) - minimum_filter1d(course, _HOLDING)
        still = span <= _HELD_WITHIN
        half = _HOLDING // 2
        still[:half] = still[-half:] = False  # what reaches over an end is shorter
        held += int(maximum_filter1d(still, _HOLDING).sum())
    return held >= _LEAST_HELD * voiced


def _spans(told: Heard) -> Iterator[Span]:
    """Notes of all stretches between rests."""
    voiced = np.flatnonzero(~np.isnan(told.pitch))
    if not len(voiced):
        return
    ends = np.flatnonzero(np.diff(voiced) > _REST)
    starts = [int(voiced[0]), *voiced[ends + 1].tolist()]
    for first, last in zip(starts, [*voiced[ends].tolist(), int(voiced[-1])], strict=True):
        start = max(first - _MARGIN, 0)
        part = slice(start, last + 1 + _MARGIN)
        for span in note_spans(told.pitch[part], told.begins[part], told.sounds[part]):
            yield Span(span.start + start, span.end + start)


def _note(span: Span, told: Heard, shortest: int) -> Note | None:
    """None of what is voiced for less than `shortest` frames."""
    pitch = told.pitch[span.start : span.end]
    voiced = np.flatnonzero(~np.isnan(pitch))
    if len(voiced) < shortest:
        return None
    first, end = int(voiced[0]), int(voiced[-1]) + 1
    key = round(float(np.median(pitch[voiced[len(voiced) // _GLIDE :]])))
    level_db = float(np.percentile(told.level_db[span.start + first : span.start + end], 75))
    # General MIDI's players follow the square of velocity.
    velocity = round(_LOUD_VELOCITY * 10 ** (level_db / 40))
    bends = _bends(np.interp(np.arange(first, end), voiced, pitch[voiced]) - key)
    onset, offset = (span.start + first) * _SECONDS, (span.start + end) * _SECONDS
    sounds = float(np.mean(told.sounds[span.start : span.end]))
    return Note(onset, offset, key, min(max(velocity, 1), 127), bends, confidence=1 / (1 + math.exp(-sounds)))


def _bends(deviation: npt.NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    """A note's bends by its deviations from its key in semitones, every 10 ms: where they have moved by 3 cents."""
    from scipy.ndimage import median_filter

    smooth = median_filter(deviation, _SMOOTHED, mode="nearest").clip(-_FURTHEST_BEND, _FURTHEST_BEND)
    bends = [(0.0, round(float(smooth[0]), 3))]
    for frame, bend in enumerate(smooth.tolist()):
        if abs(bend - bends[-1][1]) >= _BEND_STEP:
            bends.append((frame * _SECONDS, round(bend, 3)))
    return tuple(bends) if any(abs(bend) >= _BEND_STEP for _, bend in bends) else ()
