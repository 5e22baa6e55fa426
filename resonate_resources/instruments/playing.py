"""A part played from its notes in segments, so that an hour needs no more memory than a minute."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil
from typing import Final

import numpy as np

from resonate_resources.instruments.instrument import Instrument, PlayedNote
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Samples

SEGMENT_S: Final = 20
_LONGEST_TAIL_S: Final = 8.0  # what rings on longer into an excerpt is not heard there


def play_in_segments(
    instrument: Instrument, notes: Sequence[Note], frames: int, segment_s: int = SEGMENT_S
) -> Iterator[Samples]:
    """The part as consecutive blocks of (2, ≤ segment_s), frames in all, at the instrument's rate.

    A segment's notes are rendered to the end of their release; what reaches past the segment is added to
    those that follow. notes are sorted by onset.
    """
    segment = segment_s * instrument.sample_rate
    ringing = np.zeros((2, 0), np.float32)
    upcoming = 0
    for start in range(0, frames, segment):
        origin_s = start / instrument.sample_rate
        first = upcoming
        while upcoming < len(notes) and notes[upcoming].onset_s < origin_s + segment_s:
            upcoming += 1
        begun = _from(notes[first:upcoming], origin_s)
        sounding_s = max((instrument.sounding_until(note) for note in begun), default=0.0)
        sound = np.zeros(
            (2, max(segment, ringing.shape[1], ceil(sounding_s * instrument.sample_rate))), np.float32
        )
        if begun:
            sound += instrument.play(begun, sound.shape[1])
        sound[:, : ringing.shape[1]] += ringing
        yield sound[:, : min(segment, frames - start)]
        ringing = sound[:, segment:]


def play_excerpt(instrument: Instrument, notes: Sequence[Note], start: int, stop: int) -> Samples:
    """(2, stop − start): those frames of the part, at the instrument's rate. notes are sorted by onset."""
    rate = instrument.sample_rate
    from_s = max(0.0, start / rate - _LONGEST_TAIL_S)
    near = [
        note
        for note in notes
        if from_s <= note.onset_s < stop / rate or (note.onset_s < from_s and note.offset_s > start / rate)
    ]
    if not near:
        return np.zeros((2, stop - start), np.float32)
    origin = min(start, int(near[0].onset_s * rate))
    return instrument.play(_from(near, origin / rate), stop - origin)[:, start - origin :]


def in_channels(block: Samples, channels: int) -> Samples:
    """Stereo (2, frames) as that many channels: mono is the mean; past two, the front pair plays (WAVE order)."""
    if channels == 1:
        return np.asarray((block[:1] + block[1:]) / 2, np.float32)
    return np.pad(block, ((0, channels - 2), (0, 0)))


def _from(notes: Sequence[Note], origin_s: float) -> list[PlayedNote]:
    """The notes as they are played from origin_s on."""
    return [
        PlayedNote(
            note.onset_s - origin_s,
            note.offset_s - origin_s,
            note.pitch,
            note.velocity,
            note.bends,
            note.confidence,
            note.onset_s,
        )
        for note in notes
    ]
