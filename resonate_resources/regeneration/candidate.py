"""A part that is to be played anew, and what could play it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from resonate_resources.instruments.instrument import Instrument
from resonate_resources.recipe import Json
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Recording


@dataclass(frozen=True)
class Part:
    """A stem and the notes heard in it. recording: of two channels at sample_rate, which is what instruments are to
    play at, in Hz. notes: `notes.playable`, by onset."""

    stem: str
    recording: Recording
    notes: tuple[Note, ...]
    sample_rate: int


@dataclass(frozen=True)
class Candidate:
    """An instrument that could play a part.

    kind: "sampler", "additive", "faust", "soundfont", "plugin", or of those that are cloned "livesynth",
    "tokensynth", "rave", "ddsp". label: as a person is shown it. licence: of the sound, an SPDX identifier where
    there is one. source: what the sound is made from. settings: what makes the same instrument again. leaving_out:
    the same where no note is played by its own recording; the instrument itself where no recording of the track is
    in it. copies: when notes are played by their own recordings at their own places, from and to in s, by time.
    """

    kind: str
    label: str
    licence: str
    source: str
    instrument: Instrument
    leaving_out: Instrument
    settings: Mapping[str, Json] = field(default_factory=dict)
    copies: tuple[tuple[float, float], ...] = ()
