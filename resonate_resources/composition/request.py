"""What is asked of a composition: as far as somebody said it (`Asked`), and whole (`Request`)."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from resonate_resources.signal.octaves import OCTAVES_HZ

Genre = Literal[
    "house", "deep_house", "techno", "trance", "drum_and_bass", "dubstep", "uk_garage", "edm_festival",
    "hip_hop", "boom_bap", "trap", "lofi_hip_hop", "rnb_soul", "funk", "disco", "gospel",
    "pop", "synthwave", "rock", "indie_rock", "metal", "punk", "blues", "country", "folk",
    "jazz_swing", "bossa_nova", "latin_salsa", "reggae", "reggaeton", "afrobeat",
    "ambient", "cinematic", "classical_baroque", "waltz",
]  # fmt: skip
Instrument = Literal[
    "drums", "percussion", "bass", "double_bass", "synth_bass", "808",
    "piano", "electric_piano", "organ", "acoustic_guitar", "electric_guitar", "distorted_guitar",
    "strings", "violin", "cello", "brass", "trumpet", "saxophone", "flute", "clarinet",
    "synth_lead", "synth_pad", "pluck", "arpeggio", "choir", "vocals",
    "bells", "harp", "marimba", "accordion", "harmonica", "banjo", "sitar",
]  # fmt: skip
SectionName = Literal[
    "intro", "verse", "pre_chorus", "chorus", "bridge", "build", "drop", "breakdown", "solo", "outro"
]
Mood = Literal[
    "happy", "sad", "dark", "bright", "calm", "energetic", "aggressive", "romantic", "dreamy", "epic", "tense",
    "nostalgic", "playful", "melancholic", "uplifting", "mysterious", "groovy",
]  # fmt: skip
Energy = Literal["rising", "falling", "low", "high", "wave"]
Metre = Literal["2/4", "3/4", "4/4", "5/4", "6/8", "7/8", "9/8", "12/8"]
Role = Literal["drums", "percussion", "bass", "chords", "pad", "arpeggio", "riff", "melody", "countermelody"]

MODES: Final = ("major", "minor", "dorian", "phrygian", "lydian", "mixolydian")
_KEY: Final = re.compile(rf"([A-G])(b|#)? ({'|'.join(MODES)})")

SLOWEST_BPM, FASTEST_BPM = 30.0, 300.0
SHORTEST_S, LONGEST_S = 5.0, 1800.0
MOST_BARS: Final = 1024
MOST_SECTIONS: Final = 64
MOST_PLAYERS: Final = 16


def _key(text: str) -> str:
    if not _KEY.fullmatch(text):
        raise ValueError(f"{text!r} is no key; say it as C minor, F# major or D dorian")
    return text


Key = Annotated[str, AfterValidator(_key)]
"""A tonic, spelt as it was asked for, a space, and a mode."""

Bpm = Annotated[float, Field(ge=SLOWEST_BPM, le=FASTEST_BPM)]


class _Fields(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Section(_Fields):
    name: SectionName
    bars: Annotated[int, Field(ge=1, le=MOST_BARS)]
    energy: Annotated[float, Field(ge=0, le=1)]


class Playing(_Fields):
    """Who plays, and what."""

    instrument: Instrument
    role: Role


class Said(_Fields):
    """What words say; None and empty: nothing. bpm: lowest and highest that would do, equal where one was said.

    instruments: asked for by name. without: refused by name; no other is kept out by that. structure: sections in
    their order. bars, duration_s: how long it is to be. reference_name: a song or artist named, as it was written.
    vocals_wanted: singing or rapping was asked for.
    """

    genre: Genre | None = None
    bpm: tuple[Bpm, Bpm] | None = None
    key: Key | None = None
    metre: Metre | None = None
    instruments: tuple[Instrument, ...] = ()
    without: tuple[Instrument, ...] = ()
    structure: tuple[SectionName, ...] = ()
    bars: Annotated[int, Field(ge=1, le=MOST_BARS)] | None = None
    duration_s: Annotated[float, Field(ge=SHORTEST_S, le=LONGEST_S)] | None = None
    mood: tuple[Mood, ...] = ()
    energy: Energy | None = None
    swing: bool | None = None
    reference_name: str | None = Field(None, max_length=200)
    vocals_wanted: bool | None = None


class Asked(Said):
    """What words say, and what only a form can. sections: the whole form, as it is; structure, bars, duration_s and
    energy don't count beside it. players: all who play, nobody else does; instruments, without and vocals_wanted
    don't count beside them."""

    sections: Annotated[tuple[Section, ...], Field(max_length=MOST_SECTIONS)] = ()
    players: Annotated[tuple[Playing, ...], Field(max_length=MOST_PLAYERS)] = ()

    def whole(self) -> Asked:
        """With what sections and players say in the place of what doesn't count beside them."""
        found: dict[str, object] = {}
        if self.sections:
            names = tuple(section.name for section in self.sections)
            found |= {"structure": names, "bars": None, "duration_s": None, "energy": None}
        if self.players:
            who = tuple(dict.fromkeys(playing.instrument for playing in self.players))
            found |= {"instruments": who, "without": (), "vocals_wanted": None}
        return self.model_copy(update=found)


class Reading(_Fields):
    """Where a field's value is from. how: "stated" in these words, "implied" by them, heard in a "reference" of
    that name, or "assumed" without any."""

    field: str
    value: str
    how: Literal["stated", "implied", "reference", "assumed"]
    words: str = ""


class Understanding(_Fields):
    """What became of a prompt. nearest_genre: to a genre that was named and isn't ours.
    contradictory: fields whose statements exclude each other, not in `asked`. invalid:
    fields with a value that can't be. not_understood: words that nothing was made of. remarks: lines for a
    person."""

    asked: Asked
    nearest_genre: Genre | None = None
    readings: tuple[Reading, ...] = ()
    contradictory: tuple[str, ...] = ()
    invalid: tuple[str, ...] = ()
    not_understood: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


class Balance(_Fields):
    """Towards which a mix is brought. octaves_db: power at `octaves.OCTAVES_HZ`, of which only differences count;
    side_db: of the side against the middle, None where that is not to be moved."""

    octaves_db: Annotated[tuple[float, ...], Field(min_length=len(OCTAVES_HZ), max_length=len(OCTAVES_HZ))]
    side_db: float | None = None

    @property
    def told(self) -> str:
        """For a person: octaves against the loudest, and the side."""
        loudest = max(self.octaves_db)
        octaves = ", ".join(
            f"{hertz:g} Hz {level - loudest:+.0f}"
            for hertz, level in zip(OCTAVES_HZ, self.octaves_db, strict=True)
        )
        return f"{octaves} dB" + ("" if self.side_db is None else f", side {self.side_db:+.0f} dB")


class Request(_Fields):
    """What is composed, complete: nothing in it is left to be assumed.

    bpm: of the beat that is counted (a quarter; of 6/8, 9/8 and 12/8 a dotted quarter, of 7/8 an eighth).
    swing: where the off-beat eighth lies in its beat, 0.5 straight, 0.667 triplets; in genres that swing in
    sixteenths, where the off-beat sixteenth lies in its eighth. structure: every section with
    its bars and energy 0…1. instruments: all that play, the genre's own among them. players: who plays what, where
    that was asked for; empty, where the genre says. balance: of a reference.
    """

    title: str = Field(max_length=120)
    genre: Genre
    bpm: Bpm
    key: Key
    metre: Metre
    swing: Annotated[float, Field(ge=0.5, le=0.75)] = 0.5
    structure: tuple[Section, ...] = Field(min_length=1)
    instruments: tuple[Instrument, ...] = Field(min_length=1)
    players: tuple[Playing, ...] = ()
    mood: tuple[Mood, ...] = ()
    balance: Balance | None = None
