"""What leads JASCO frame by frame: chords as numbers of its own list, and a melody as one pitch a frame."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from resonate_resources.models.weights import ModelError
from resonate_resources.signal.spelling import pitch_class

MAPPING: Final = "chord_to_index_mapping.pkl"
"""As audiocraft's repository has it in assets/; the hub's folders have none."""
LOWEST_PITCH: Final = 43
"""G2: with 53 semitones up to B6. No file says which pitches the rows of the melody are."""

_NO_CHORD: Final = "N"
_LABEL: Final = re.compile(r"([A-G][b#]*)([^/]*)(?:/([A-G][b#]*))?")
_QUALITIES: Final[Mapping[str, tuple[int, ...]]] = {
    "": (0, 4, 7), "m": (0, 3, 7), "dim": (0, 3, 6), "aug": (0, 4, 8), "6": (0, 4, 7, 9), "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11), "m7": (0, 3, 7, 10), "m6": (0, 3, 7, 9), "m7b5": (0, 3, 6, 10), "dim7": (0, 3, 6, 9),
}  # fmt: skip
"""Chordino's (Mauch & Dixon, ISMIR 2010), by which its songs were labelled."""
_EXACT_S: Final = 1e-9

Frames = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Chord:
    """From start_s until the next begins. root, bass, tones: pitch classes; no tones: no chord."""

    start_s: float
    root: int = 0
    tones: frozenset[int] = frozenset()
    bass: int = 0


@dataclass(frozen=True)
class Tone:
    """A note of the melody, of a MIDI pitch."""

    start_s: float
    end_s: float
    pitch: int


@dataclass(frozen=True)
class Label:
    root: int
    tones: frozenset[int]
    bass: int
    number: int


class ChordList:
    """The chords that it was trained on, by number."""

    def __init__(self, numbers: Mapping[str, int], null_chord: int) -> None:
        """null_chord: above all numbers. Raises ModelError for other numbers, and where "N", no chord, has none."""
        if numbers.get(_NO_CHORD) is None or not all(0 <= each < null_chord for each in numbers.values()):
            raise ModelError(f"{MAPPING}: is no list of {null_chord} chords with {_NO_CHORD} among them")
        self._no_chord = numbers[_NO_CHORD]
        self._labels = [label for name, number in numbers.items() if (label := _read(name, number))]

    @classmethod
    def open(cls, path: Path, null_chord: int) -> ChordList:
        """Of a pickle of names and numbers, of which no code is run. Raises ModelError."""
        try:
            with path.open("rb") as file:
                found = _NamesAndNumbers(file).load()
        except ModelError as error:
            raise ModelError(f"{path}: {error}") from error
        except Exception as error:  # of bytes that are no pickle, whatever they make of it
            raise ModelError(f"{path}: is no list of chords, or damaged ({error})") from error
        if not isinstance(found, dict) or not all(
            isinstance(name, str) and type(number) is int for name, number in found.items()
        ):
            raise ModelError(f"{path}: holds more than names and numbers")
        return cls(found, null_chord)

    def number(self, chord: Chord) -> int:
        """Of the chord on the same root that has most tones in common, then of that with its bass, then of the
        plainest."""

        def unlike(label: Label) -> tuple[float, bool, int, int]:
            shared = len(label.tones & chord.tones) / len(label.tones | chord.tones)
            return -shared, label.bass != chord.bass, len(label.tones), label.number

        of_root = [label for label in self._labels if label.root == chord.root] if chord.tones else []
        return min(of_root, key=unlike).number if of_root else self._no_chord

    def by_frame(self, chords: Sequence[Chord], start_s: float, frames: int, rate: float) -> Frames:
        """Numbers, one a frame, of what sounds as it begins; no chord before the first. chords: in the order of
        time."""
        starts = [chord.start_s for chord in chords]
        times = start_s + np.arange(frames) / rate + _EXACT_S
        places = np.searchsorted(starts, times, "right")
        numbers = np.array([self._no_chord, *map(self.number, chords)], np.int64)
        return numbers[places]


def melody_by_frame(
    tones: Iterable[Tone], start_s: float, frames: int, rate: float, pitches: int
) -> npt.NDArray[np.float32]:
    """(frames, pitches): 1 at the highest pitch that sounds in each, from LOWEST_PITCH on; others are left out."""
    highest = np.full(frames, -1)
    for tone in tones:
        row = tone.pitch - LOWEST_PITCH
        if 0 <= row < pitches:
            begins, ends = (max(0, round((at - start_s) * rate)) for at in (tone.start_s, tone.end_s))
            highest[begins:ends] = np.maximum(highest[begins:ends], row)
    found: npt.NDArray[np.float32] = (highest[:, np.newaxis] == np.arange(pitches)).astype(np.float32)
    return found


class _NamesAndNumbers(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        raise ModelError(f"holds {module}.{name}, which is no name and no number")


def _read(name: str, number: int) -> Label | None:
    """None of what is no chord that can be told from others by its tones."""
    found = _LABEL.fullmatch(name)
    if found is None or found[2] not in _QUALITIES:
        return None
    root = pitch_class(found[1])
    tones = frozenset((root + degree) % 12 for degree in _QUALITIES[found[2]])
    return Label(root, tones, pitch_class(found[3]) if found[3] else root, number)
