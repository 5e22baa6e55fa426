"""Instruments of a recording, as the export `sfz` lays its stems out, in the place of the composer's own sounds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from resonate_resources.composition.plan import Part, Stem
from resonate_resources.composition.sound.note_by_note import NoteByNote, SoundOf
from resonate_resources.instruments.instrument import Instrument
from resonate_resources.instruments.sfz_instrument import SfzInstrument
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Samples, file_sha256

LICENCE: Final = "the recording's"
_KICK, _SNARE = (36, 35), (38, 40, 37, 39)
_LIKE: Final = (
    _KICK,
    _SNARE,
    (42, 44, 46),  # hi-hats
    (41, 43, 45, 47, 48, 50),  # toms
    (49, 57, 55, 52, 51, 59, 53),  # cymbals
)
"""Keys of General MIDI's kit (level 1) that may stand for each other."""
_COMMON_VELOCITY: Final = 100
_BEYOND: Final = 5
"""Keys past those that the recording has notes for: as far as a shift is still heard as the same instrument."""
STEMS: Final[tuple[Stem, ...]] = ("drums", "bass", "other", "piano", "guitar")
"""Whose sounds can play: a voice sings words."""


@dataclass(frozen=True)
class RecordedSounds:
    """name: of the recording, for a person. instruments: of a stem each."""

    name: str
    instruments: Mapping[Stem, SfzInstrument]

    @classmethod
    def read(cls, folder: Path, name: str) -> RecordedSounds:
        """`Drums.sfz`, `Bass.sfz`, `Other.sfz`, `Piano.sfz`, `Guitar.sfz`, as far as they are there. Raises
        AudioError."""
        files = {stem: folder / f"{stem.capitalize()}.sfz" for stem in STEMS}
        return cls(name, {stem: SfzInstrument.read(file) for stem, file in files.items() if file.is_file()})

    @property
    def sha256(self) -> str:
        """Of all that sounds, in hex."""
        regions = [(stem, region) for stem, each in self.instruments.items() for region in each.regions]
        told = [f"{stem} {replace(region, sample=Path(region.sample.name))}" for stem, region in regions]
        told += [file_sha256(sample) for sample in sorted({region.sample for _, region in regions})]
        return hashlib.sha256("\n".join(told).encode()).hexdigest()

    def lacking(self, part: Part, notes: Iterable[Note]) -> str:
        """Why they can't play a part; "" where they can."""
        if part.stem == "vocals":
            return "a voice is not played by keys"
        instrument = self._of(part)
        if instrument is None:
            return f"the recording has no {part.stem}"
        if part.stem == "drums":
            there = any(map(instrument.has, (*_KICK, *_SNARE)))
            return "" if there else "the recording has neither kick nor snare"
        out = {note.pitch for note in notes if not instrument.has(note.pitch, _BEYOND)}
        return f"the recording's {part.stem} has no notes near {len(out)} of its keys" if out else ""

    def instrument(self, part: Part, rate: int, own_sound: SoundOf) -> Instrument:
        """own_sound: the composer's, of drums that the recording lacks; as loud beside the others as in its own
        kit."""
        recorded = self._of(part)
        assert recorded is not None
        if part.stem != "drums":

            def held(pitch: int, velocity: int, held_s: float) -> Samples:
                return recorded.sound(pitch, velocity, held_s, rate, _BEYOND, sustain=True)

            return NoteByNote(rate, held, law=recorded.law)
        louder = _beside(recorded, own_sound, rate)

        def struck(pitch: int, velocity: int, held_s: float) -> Samples:
            key = _key(recorded, pitch)
            if key is not None:
                return recorded.sound(key, velocity, held_s, rate)
            return own_sound(pitch, velocity, held_s) * np.float32(louder)

        return NoteByNote(rate, struck, law=recorded.law, kit=True)

    def _of(self, part: Part) -> SfzInstrument | None:
        """Of the part's stem. Pianos and guitars that were not separated from it are in `other`."""
        return self.instruments.get(part.stem) or (
            self.instruments.get("other") if part.stem in ("piano", "guitar") else None
        )


def _key(kit: SfzInstrument, pitch: int) -> int | None:
    """Of a kit that stands for a drum; None where it has none like it."""
    if kit.has(pitch):
        return pitch
    like = next((keys for keys in _LIKE if pitch in keys), ())
    return next(filter(kit.has, like), None)


def _beside(kit: SfzInstrument, own_sound: SoundOf, rate: int) -> float:
    """What brings another kit's sounds to the level of one: by the peaks of kick and snare, where it has them."""
    ratios = []
    for keys in (_KICK, _SNARE):
        key = next(filter(kit.has, keys), None)
        if key is None:
            continue
        there, own = (
            float(np.abs(sound).max(initial=0.0))
            for sound in (
                kit.sound(key, _COMMON_VELOCITY, 0.1, rate),
                own_sound(keys[0], _COMMON_VELOCITY, 0.1),
            )
        )
        if own:
            ratios.append(there / own)
    return float(np.prod(ratios) ** (1 / len(ratios))) if ratios else 1.0
