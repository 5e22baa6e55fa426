"""How loud, how dry and how wide each role is in a genre: mix.toml, read and checked."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from resonate_resources.composition.request import Genre, Role

_FILE: Final = Path(__file__).with_name("mix.toml")

Heard = Role | Literal["transitions"]
"""What is mixed: a part's role, or risers, impacts and what else leads from one section to the next."""


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RoomSound(_Told):
    """rt60_s: until it has fallen by 60 dB. What lies under low_hz and over high_hz does not ring."""

    rt60_s: float
    predelay_ms: float
    low_hz: float
    high_hz: float


class Tone(_Told):
    """low_hz: of the high-pass. dB at 300 Hz. presence_db, bright_db: the most power from 1.4 to 2.8 kHz and over
    4 kHz against all of it. side_db: what the side's power against the middle's is brought to, before the pan.
    mid_db: at 2 kHz."""

    low_hz: float
    presence_db: float
    bright_db: float
    side_db: float
    mud_db: float = 0.0
    mid_db: float = 0.0


class Style(_Told):
    """loudness: LU against the mix. room_db: of the room against the part. mid_db: what all but the bass are given
    at 2 kHz. wider_db, darker_db: added to the role's side_db, taken from its presence_db."""

    loudness: Mapping[Heard, float]
    room_db: Mapping[Heard, float]
    mid_db: float = 0.0
    wider_db: float = 0.0
    darker_db: float = 0.0

    def toned(self, role: Heard, tone: Tone) -> Tone:
        """A role's tone in this style."""
        if role == "bass":
            return tone
        return tone.model_copy(
            update={
                "mid_db": self.mid_db,
                "side_db": tone.side_db + self.wider_db,
                "presence_db": tone.presence_db - self.darker_db,
            }
        )


class _OfGenre(_Told):
    style: str
    room: str
    side_chain_db: float = 0.0
    bass_duck_db: float = 0.0


class _Table(_Told):
    rooms: Mapping[str, RoomSound]
    styles: Mapping[str, Style]
    genres: Mapping[Genre, _OfGenre]
    tone: Mapping[Heard, Tone]


class GenreMix(_Told):
    """Of one genre. side_chain_db, bass_duck_db: how far chords and basses go down at a kick."""

    style: Style
    room: RoomSound
    side_chain_db: float
    bass_duck_db: float
    tone: Mapping[Heard, Tone]

    def ducking_db(self, role: Heard) -> float:
        """How far a role goes down at a kick; drums don't."""
        if role == "bass":
            return self.bass_duck_db
        return self.side_chain_db if role in ("chords", "pad", "arpeggio", "riff", "transitions") else 0.0


@cache
def _table() -> _Table:
    return _Table.model_validate(tomllib.loads(_FILE.read_text(encoding="utf-8")))


def style_of(genre: Genre) -> str:
    """What styles of mixing are told by: electronic, beats, band, acoustic, orchestral."""
    return _table().genres[genre].style


def mix_of(genre: Genre) -> GenreMix:
    table = _table()
    told = table.genres[genre]
    style = table.styles[told.style]
    return GenreMix(
        style=style,
        room=table.rooms[told.room],
        side_chain_db=told.side_chain_db,
        bass_duck_db=told.bass_duck_db,
        tone={role: style.toned(role, tone) for role, tone in table.tone.items()},
    )
