"""Where instruments are compared: no more than a minute of a part, so that an hour costs no more than a song."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from resonate_resources.instruments.instrument import Instrument
from resonate_resources.instruments.playing import play_excerpt
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Samples
from resonate_resources.regeneration.candidate import Part

Span = tuple[int, int]
"""First frame, and the one behind the last."""

_EXCERPTS: Final = 6
_SECONDS: Final = 10


def choose_excerpts(notes: Sequence[Note], sample_rate: int, frames: int) -> list[Span]:
    """The whole where it is no longer than a minute; else from each sixth the ten seconds with the most notes."""
    if frames <= _EXCERPTS * _SECONDS * sample_rate:
        return [(0, frames)]
    seconds = frames // sample_rate
    begun = np.bincount([int(note.onset_s) for note in notes if note.onset_s < seconds], minlength=seconds)
    within = np.convolve(
        begun, np.ones(_SECONDS, int), "valid"
    )  # notes that begin in the ten seconds from each
    spans = []
    for sixth in range(_EXCERPTS):
        first, last = sixth * seconds // _EXCERPTS, (sixth + 1) * seconds // _EXCERPTS - _SECONDS
        start = first + int(within[first : last + 1].argmax())
        spans.append((start * sample_rate, (start + _SECONDS) * sample_rate))
    return spans


@dataclass(frozen=True)
class Excerpts:
    """One after the other, as if they were one recording. samples: (2, frames). edges: of the bars in them."""

    spans: tuple[Span, ...]
    samples: Samples
    edges: tuple[int, ...]

    @classmethod
    def of(cls, part: Part, edges: Sequence[int]) -> Excerpts:
        """edges: frames at which the part's bars begin."""
        spans = choose_excerpts(part.notes, part.sample_rate, part.recording.frames)
        inner: list[int] = []
        before = 0
        for start, stop in spans:
            inner += [before, *(before + edge - start for edge in edges if start < edge < stop)]
            before += stop - start
        read = [part.recording.read(*span) for span in spans]
        return cls(tuple(spans), np.concatenate(read, axis=1), (*inner, before))

    def played(self, instrument: Instrument, notes: Sequence[Note]) -> Samples:
        """The same of what plays the part."""
        return np.concatenate([play_excerpt(instrument, notes, *span) for span in self.spans], axis=1)
