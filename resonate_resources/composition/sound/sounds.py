"""Which voices can play a sound in a genre: sounds.toml, read and checked."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, get_args

from pydantic import BaseModel, ConfigDict, model_validator

from resonate_resources.composition.plan import Kit, Sound
from resonate_resources.composition.request import Genre
from resonate_resources.instruments.drum_machine import Machine
from resonate_resources.instruments.fluidsynth_player import DRUM_BANK

_FILE: Final = Path(__file__).with_name("sounds.toml")


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Voice(_Told):
    """One of a soundfont's program, a Faust program, a drum machine, the Faust kit. per_quarter: settings in Hz
    that follow the tempo, in cycles a quarter. sampler: as a 12-bit sampler of 1987 plays it. low_pass_hz: of the
    loudspeaker that belongs to the sound, 12 dB an octave."""

    label: str
    bank: int = 0
    program: int | None = None
    faust: str | None = None
    settings: Mapping[str, float] = {}
    per_quarter: Mapping[str, float] = {}
    machine: Machine | None = None
    faust_kit: bool = False
    sampler: bool = False
    low_pass_hz: float | None = None

    @property
    def is_kit(self) -> bool:
        return self.bank == DRUM_BANK or self.machine is not None or self.faust_kit

    @model_validator(mode="after")
    def _is_one_thing(self) -> Voice:
        if (
            sum((self.program is not None, self.faust is not None, self.machine is not None, self.faust_kit))
            != 1
        ):
            raise ValueError(f"{self.label}: is to be one of a program, Faust, a machine, the Faust kit")
        return self


class _PlayedBy(_Told):
    voices: tuple[str, ...]
    midi: int


class _Table(_Told):
    sounds: Mapping[Sound, _PlayedBy]
    genres: Mapping[Genre, Mapping[Sound, tuple[str, ...]]]
    voices: Mapping[str, Voice]


@cache
def _table() -> _Table:
    return _Table.model_validate(tomllib.loads(_FILE.read_text(encoding="utf-8")))


def voices_for(sound: Sound, genre: Genre) -> list[Voice]:
    """Best first."""
    table = _table()
    names = table.genres.get(genre, {}).get(sound) or table.sounds[sound].voices
    return [table.voices[name] for name in names]


def midi_program(sound: Sound) -> int:
    """General MIDI's, from 0; of a kit, that of channel 10."""
    return _table().sounds[sound].midi


def is_kit(sound: Sound) -> bool:
    """Whether its notes are General MIDI percussion keys."""
    return sound in (*get_args(Kit), "drums", "percussion")


def voices() -> Mapping[str, Voice]:
    """All there are, by name."""
    return _table().voices
