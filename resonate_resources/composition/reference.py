"""A recording in whose style a piece is to be: what its profile and analysis say, where words leave it open.

Nothing of it is copied: no melody, no chord, no sound.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from resonate_resources.composition.composer.metre import COMPOUND
from resonate_resources.composition.genre import genre_data
from resonate_resources.composition.request import (
    FASTEST_BPM,
    MOST_BARS,
    SLOWEST_BPM,
    Asked,
    Balance,
    Metre,
    Reading,
    Section,
    SectionName,
)
from resonate_resources.recordings.recording import AudioError

SURE: Final = 0.5
"""Confidence from which on what was heard is more likely right than wrong."""
SHORTEST_FORM_S: Final = 40.0
"""What is shorter is a part of a piece, and says nothing of its form."""
_SHORTEST_S: Final = 3.0
_FEWEST_BARS: Final = 2  # of a section
_MOST_SECTIONS: Final = 32
_STEADY: Final = 0.02  # how far the mean tempo of all beats may lie from the usual one
_STRAIGHT: Final = 0.03  # beside which a swing is none
_LOUDEST: Final = 0.95  # energy of the loudest section
_ENERGY_DB: Final = 14.0  # under it, at which a section has none
_LOUDER_DB: Final = 1.0
_HIGH, _LOW = 0.75, 0.5


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class _TimeSignature(_Read):
    start_s: float
    numerator: int
    denominator: int


class _Loudness(_Read):
    integrated_lufs: float | None = None


class _Stretch(_Read):
    start_s: float
    label: str = Field(max_length=8)


class _Profile(_Read):
    duration_s: float
    tempo_bpm: float | None = None
    tempo_confidence: float = 0.0
    beats_s: tuple[float, ...] = ()
    time_signatures: tuple[_TimeSignature, ...] = ()
    metre_confidence: float = 0.0
    swing: float | None = None
    key: str | None = Field(default=None, max_length=16)
    key_confidence: float | None = None
    loudness: _Loudness = _Loudness()
    octaves_db: tuple[float, ...] = ()
    width_db: float | None = None
    sections: tuple[_Stretch, ...] = ()


class _Bar(_Read):
    start_s: float
    level_db: float


class _Section(_Read):
    bar: int
    label: str = Field(max_length=8)
    name: SectionName | None = None
    level_db: float


class _Analysis(_Read):
    has_bars: bool = False
    bars: tuple[_Bar, ...] = ()
    sections: tuple[_Section, ...] = ()


class Reference(BaseModel):
    """name: of its file. None, and empty, is what can't be told. bpm: of the beat that is counted. swing: where the
    off-beat eighth lies in its beat. form: sections with bars and energy. onsets_a_second: how densely it is
    played. remarks: lines for a person."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str
    seconds: float
    bpm: float | None = None
    key: str | None = None
    metre: Metre | None = None
    swing: float | None = None
    form: tuple[Section, ...] = ()
    onsets_a_second: float | None = None
    balance: Balance | None = None
    loudness_lufs: float | None = None
    remarks: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        name: str,
        profile: Mapping[str, Any],
        analysis: Mapping[str, Any],
        onsets_a_second: float | None = None,
        excerpt: bool = False,
    ) -> Reference:
        """From profile.json and analysis.json. excerpt: they are of a part of the recording.

        Raises AudioError for what has no music in it: silence, less than 3 s, no beat and no key.
        """
        heard, form = _Profile.model_validate(profile), _Analysis.model_validate(analysis)
        if heard.loudness.integrated_lufs is None:
            raise AudioError(f"{name}: is silent; as a reference, give a recording of music")
        if heard.duration_s < _SHORTEST_S:
            raise AudioError(
                f"{name}: lasts {heard.duration_s:.1f} s; as a reference, give at least {_SHORTEST_S:g} s"
            )
        bpm = _bpm(heard)
        if bpm is None and heard.key is None:
            raise AudioError(
                f"{name}: neither a beat nor a key is heard in it; as a reference, give a recording of music"
            )
        told = heard.key_confidence is None  # by a person: nothing was heard for certain or not
        key = heard.key if told or (heard.key_confidence or 0) >= SURE else None
        whole = not excerpt and heard.duration_s >= SHORTEST_FORM_S
        sections = _form(form, heard.sections) if whole and bpm is not None else ()
        lacking = [
            what for what, there in (("no beat", bpm), ("no key", key), ("no form", sections)) if not there
        ]
        remarks = [f"{name}: {', '.join(lacking)} can be told from it"] if lacking else []
        return cls(
            name=name,
            seconds=heard.duration_s,
            bpm=bpm,
            key=key,
            metre=_metre(heard) if bpm is not None and heard.metre_confidence >= SURE else None,
            swing=None if bpm is None or heard.swing is None else _swing(heard.swing),
            form=sections,
            onsets_a_second=onsets_a_second if bpm is not None else None,
            balance=Balance(octaves_db=heard.octaves_db, side_db=heard.width_db)
            if heard.octaves_db
            else None,
            loudness_lufs=heard.loudness.integrated_lufs,
            remarks=tuple(remarks),
        )

    def filled(self, asked: Asked) -> tuple[Asked, tuple[Reading, ...]]:
        """What is asked with tempo, key and metre of the reference, where nothing is said of them."""
        found: dict[str, Any] = {}
        if asked.metre is None and self.metre is not None:
            found["metre"] = self.metre
        if asked.key is None and self.key is not None:
            found["key"] = self.key
        metre = asked.metre or self.metre
        timed = asked.bars is not None and asked.duration_s is not None
        same_beat = asked.metre is None or self.metre is None or _kind(asked.metre) == _kind(self.metre)
        if asked.bpm is None and self.bpm is not None and not timed and same_beat and metre != "7/8":
            bpm = self._tempo(asked)
            found["bpm"] = (bpm, bpm)
        shown = {name: f"{value[0]:g}" if name == "bpm" else value for name, value in found.items()}
        return asked.model_copy(update=found), tuple(
            self.reading(name, value) for name, value in shown.items()
        )

    def reading(self, field: str, value: object) -> Reading:
        return Reading(field=field, value=str(value), how="reference", words=self.name)

    def _tempo(self, asked: Asked) -> float:
        """As it is heard; or twice or half of it, where that is a tempo of the genre that was asked for, and the
        one heard isn't: the same music is told in both ways."""
        assert self.bpm is not None
        if asked.genre is None:
            return self.bpm
        slowest, _, fastest = genre_data(asked.genre).tempo
        ways = [self.bpm * times for times in (1.0, 2.0, 0.5)]
        return next((bpm for bpm in ways if slowest <= bpm <= fastest), self.bpm)


def _kind(metre: Metre) -> str:
    return "compound" if metre in COMPOUND else metre if metre == "7/8" else "simple"


def _bpm(heard: _Profile) -> float | None:
    """Of all beats where they are steady, which is finer than of most of them; to whole beats a minute where it is
    next to such."""
    if heard.tempo_bpm is None or heard.tempo_confidence < SURE:
        return None
    bpm = heard.tempo_bpm
    if len(heard.beats_s) > 8:
        places = np.arange(len(heard.beats_s))
        steady = 60 / float(np.polyfit(places, heard.beats_s, 1)[0])
        bpm = steady if abs(steady / bpm - 1) <= _STEADY else bpm
    bpm = float(round(bpm)) if abs(bpm - round(bpm)) < 0.15 else round(bpm, 1)
    return bpm if SLOWEST_BPM <= bpm <= FASTEST_BPM else None


def _metre(heard: _Profile) -> Metre | None:
    """That of most of it."""
    ends = [*(each.start_s for each in heard.time_signatures[1:]), heard.duration_s]
    lasting: defaultdict[str, float] = defaultdict(float)
    for each, end in zip(heard.time_signatures, ends, strict=True):
        lasting[f"{each.numerator}/{each.denominator}"] += end - each.start_s
    longest = max(lasting, key=lambda metre: lasting[metre], default="")
    return next((metre for metre in get_args(Metre) if metre == longest), None)


def _swing(heard: float) -> float:
    return 0.5 if abs(heard - 0.5) <= _STRAIGHT else round(min(max(heard, 0.5), 0.75), 3)


def _form(heard: _Analysis, by_timbre: Sequence[_Stretch]) -> tuple[Section, ...]:
    """The analysis' sections, or where it tells but one, those of the profile, by timbre. What is the same music
    and as loud is one; none are under two bars; empty where they say nothing."""
    if not heard.has_bars:
        return ()
    found = heard.sections if len(heard.sections) > 1 else _on_bars(heard.bars, by_timbre)
    if len(found) < 2:
        return ()
    starts = [*(section.bar for section in found), len(heard.bars) + 1]
    loudest = max(section.level_db for section in found)
    joined: list[tuple[_Section, int]] = []
    for section, first, end in zip(found, starts, starts[1:], strict=False):
        if joined and (end - first < _FEWEST_BARS or _one(joined[-1][0], section)):
            joined[-1] = (joined[-1][0], joined[-1][1] + end - first)
        else:
            joined.append((section, end - first))
    if not 2 <= len(joined) <= _MOST_SECTIONS or sum(bars for _, bars in joined) > MOST_BARS:
        return ()
    energies = [_energy(section.level_db - loudest) for section, _ in joined]
    last = len(joined) - 1
    return tuple(
        Section(name=section.name or _called(number, last, energy), bars=bars, energy=energy)
        for number, ((section, bars), energy) in enumerate(zip(joined, energies, strict=True))
    )


def _on_bars(bars: Sequence[_Bar], by_timbre: Sequence[_Stretch]) -> tuple[_Section, ...]:
    """Each from the bar that begins next to it, as loud as its bars."""
    begins = np.array([bar.start_s for bar in bars])
    first = {int(np.abs(begins - each.start_s).argmin()): each for each in reversed(by_timbre)}
    starts = sorted(first)
    power = 10 ** (np.array([bar.level_db for bar in bars]) / 10)
    return tuple(
        _Section(bar=at + 1, label=first[at].label, level_db=float(10 * np.log10(power[at:end].mean())))
        for at, end in zip(starts, [*starts[1:], len(bars)], strict=True)
    )


def _one(section: _Section, following: _Section) -> bool:
    """Whether both are the same music, and as loud."""
    return section.label == following.label and abs(section.level_db - following.level_db) < _LOUDER_DB


def _energy(level_db: float) -> float:
    return round(min(1.0, max(0.1, _LOUDEST * (1 + level_db / _ENERGY_DB))), 2)


def _called(number: int, last: int, energy: float) -> SectionName:
    """What a section may be called that the analysis has no name for."""
    if number in (0, last) and energy < _LOW:
        return "intro" if number == 0 else "outro"
    return "chorus" if energy >= _HIGH else "verse"
