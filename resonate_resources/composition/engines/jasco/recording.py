"""JASCO led by what was heard in a recording: its music made anew (row R9 of the requirements)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from resonate_resources.composition.engines.jasco.checkpoint import load
from resonate_resources.composition.engines.jasco.engine import Jasco
from resonate_resources.composition.engines.jasco.leading import Chord, Tone
from resonate_resources.composition.engines.jasco.windows import Leading, music
from resonate_resources.recipe import Engine
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import AudioError, Recording, Samples
from resonate_resources.signal.resampling import at_rate
from resonate_resources.signal.spelling import pitch_class

_SEED: Final = 0
_LABEL: Final = re.compile(r"([A-G][b#]*)(?::(\w+))?(?:/(b?\d+))?")
_QUALITIES: Final[Mapping[str, tuple[int, ...]]] = {
    "maj": (0, 4, 7), "min": (0, 3, 7), "sus4": (0, 5, 7), "sus2": (0, 2, 7), "dim": (0, 3, 6), "aug": (0, 4, 8),
    "maj7": (0, 4, 7, 11), "7": (0, 4, 7, 10), "min7": (0, 3, 7, 10), "hdim7": (0, 3, 6, 10), "dim7": (0, 3, 6, 9),
}  # fmt: skip
_DEGREES: Final[Mapping[str, int]] = {"b3": 3, "3": 4, "5": 7, "b7": 10}
"""Both as `harmony.chords` writes them."""
_CALLED: Final[Mapping[str, str]] = {"other": "keys"}
_NO_CHORD: Final = "N"


@dataclass(frozen=True)
class HeardRecording:
    """What is known of a recording. hints: what its brief says of it in words. chords: when each begins, in s, and
    what it is, "Eb:min7/b3". notes: of each pitched stem. melody_from: the stem that has the melody. drums: as
    they were separated; None where they weren't."""

    hints: str
    tempo_bpm: float | None
    key: str | None
    chords: Sequence[tuple[float, str]]
    notes: Mapping[str, Sequence[Note]]
    melody_from: str
    drums: Recording | None

    @property
    def words(self) -> str:
        """As in "deep house, vocals, bass, 122 bpm, A minor"."""
        tempo = [] if self.tempo_bpm is None else [f"{self.tempo_bpm:.0f} bpm"]
        playing = [_CALLED.get(stem, stem) for stem, notes in self.notes.items() if notes]
        return ", ".join([*filter(None, [self.hints]), *playing, *tempo, *filter(None, [self.key])])

    @property
    def melody(self) -> list[Tone]:
        """Of the stem that has it; where no note was heard there, of the first that has any but the bass."""
        others = (stem for stem, notes in self.notes.items() if notes and stem != "bass")
        stem = self.melody_from if self.notes.get(self.melody_from) else next(others, "")
        return [Tone(note.onset_s, note.offset_s, note.pitch) for note in self.notes.get(stem, ())]

    def leading(self) -> Leading:
        """Raises AudioError for a chord that is none."""
        chords = [chord_of(start_s, label) for start_s, label in self.chords]
        return Leading(self.words, chords, self.drums, self.melody)


class MadeByJasco:
    """The recording's chords, drums and melody in music of JASCO's. Of the same seed always."""

    def __init__(self, jasco: Jasco, heard: HeardRecording) -> None:
        self._jasco, self._heard = jasco, heard
        self.label = jasco.label
        self.generated = True

    @property
    def engine(self) -> Engine:
        return Engine(self._jasco.name, self._jasco.model, self._jasco.licence)

    def blocks(self, like: Recording) -> Iterator[Samples]:
        """The same in all channels. Raises AudioError, and ModelError where something is lacking."""
        checkpoint = load(self._jasco.folder())
        pieces = music(checkpoint, self._heard.leading(), like.duration, _SEED)
        for block in at_rate(pieces, checkpoint.rate, like.sample_rate, 1, like.frames):
            yield np.repeat(block, like.channels, axis=0)


def chord_of(start_s: float, label: str) -> Chord:
    """Of a label in the syntax of Harte et al. (ISMIR 2005). Raises AudioError."""
    if label == _NO_CHORD:
        return Chord(start_s)
    found = _LABEL.fullmatch(label)
    if found is None or (found[2] or "maj") not in _QUALITIES or (found[3] or "5") not in _DEGREES:
        raise AudioError(f"{label}: is no chord")
    root = pitch_class(found[1])
    tones = frozenset((root + degree) % 12 for degree in _QUALITIES[found[2] or "maj"])
    return Chord(start_s, root, tones, (root + (_DEGREES[found[3]] if found[3] else 0)) % 12)
