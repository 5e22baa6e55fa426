"""A part played from its notes in segments, so that an hour needs no more memory than a minute."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import ceil
from typing import Final

import numpy as np

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Samples
from resonate_resources.regeneration.instrument import Instrument

SEGMENT_S: Final = 20


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
        begun = [
            replace(note, onset_s=note.onset_s - origin_s, offset_s=note.offset_s - origin_s)
            for note in notes[first:upcoming]
        ]
        sounding_s = max((instrument.sounding_until(note) for note in begun), default=0.0)
        sound = np.zeros(
            (2, max(segment, ringing.shape[1], ceil(sounding_s * instrument.sample_rate))), np.float32
        )
        if begun:
            sound += instrument.play(begun, sound.shape[1])
        sound[:, : ringing.shape[1]] += ringing
        yield sound[:, : min(segment, frames - start)]
        ringing = sound[:, segment:]


def in_channels(block: Samples, channels: int) -> Samples:
    """Stereo (2, frames) as that many channels: mono is the mean; past two, the front pair plays (WAVE order)."""
    if channels == 1:
        return np.asarray((block[:1] + block[1:]) / 2, np.float32)
    return np.pad(block, ((0, channels - 2), (0, 0)))
