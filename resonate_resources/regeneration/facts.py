"""What is known of a track, as decisions are made by it: numbers and closed vocabularies, of bounded size.

Titles, artists, lyrics and a brief's hints have no place in here. What words there are from outside (labels of
instruments, the wish) are quoted by JSON.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from resonate_resources.regeneration.decisions import InstrumentChoice, StemName, Transition
from resonate_resources.signal.pumping import Pumping

MOST_SECTIONS: Final = 32
MOST_CANDIDATES: Final = 5
_MOST_SWEEPS, _MOST_CHORDS, MOST_HEARD = 6, 4, 16
LONGEST_WISH: Final = 500
"""With these, the facts of an hour with six stems take under 6000 tokens, of three characters each."""
SURE: Final = 0.5
"""Confidence from which on a sweep or pumping is taken for one."""


class Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Ranked(InstrumentChoice):
    """distance_db: log-mel L1 to the stem, matched."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    distance_db: float

    @property
    def choice(self) -> InstrumentChoice:
        return InstrumentChoice(kind=self.kind, label=self.label)


class SectionFacts(Fact):
    """bar: its first, from 1. Of one label are sections of the same music. chords: the longest first."""

    bar: int
    start_s: float
    seconds: float
    label: str
    name: str | None
    level_db: float
    plays: tuple[str, ...]
    chords: tuple[str, ...]


class SweepFacts(Fact):
    """A filter that moves, from bar to bar. at_section: a section begins where it ends."""

    kind: str
    bar: int
    end_bar: int
    from_hz: int
    to_hz: int
    at_section: bool


class StemFacts(Fact):
    """candidates: what can play it, the nearest first. pumping_db: how far it goes down at each kick, 0 where that
    is not sure. release_s: of its notes, None where that is not known. transitions: what was heard in it that leads
    from section to section, and is in no note."""

    candidates: tuple[Ranked, ...]
    pumping_db: float = 0.0
    release_s: float | None = None
    sweeps: tuple[SweepFacts, ...] = ()
    transitions: tuple[Transition, ...] = ()


class Facts(Fact):
    """sections: the longest of them, sections_left_out besides. rt60_s: the
    median of octaves. wish: the user's, in words."""

    seconds: float
    tempo_bpm: float | None
    metre: str | None
    key: str | None
    bars: int
    rt60_s: float | None
    sections: tuple[SectionFacts, ...]
    sections_left_out: int
    stems: dict[StemName, StemFacts]
    wish: str = Field(default="", max_length=LONGEST_WISH)

    def told(self) -> str:
        """As JSON on one line, for a model."""
        return self.model_dump_json(exclude_none=True)


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _TimeSignature(_Read):
    start_s: float
    numerator: int
    denominator: int


class _Profile(_Read):
    duration_s: float = 0.0
    beats_s: tuple[float, ...] = ()
    downbeats_s: tuple[float, ...] = ()
    tempo_bpm: float | None = None
    key: str | None = Field(default=None, max_length=16)
    time_signatures: tuple[_TimeSignature, ...] = ()


class _Section(_Read):
    bar: int
    start_s: float
    end_s: float
    label: str = Field(max_length=8)
    name: str | None = Field(max_length=16)
    level_db: float
    plays: tuple[StemName, ...]


class _Bar(_Read):
    start_s: float
    end_s: float


class _Chord(_Bar):
    label: str = Field(max_length=24)


class _Envelope(_Read):
    release_s: float | None


class _Sweep(_Bar):
    kind: str = Field(max_length=16)
    from_hz: float
    to_hz: float
    confidence: float


class _Space(_Read):
    rt60_s: dict[str, float | None] = {}


class _Analysis(_Read):
    bars: tuple[_Bar, ...] = ()
    chords: tuple[_Chord, ...] = ()
    sections: tuple[_Section, ...] = ()
    pumping: dict[str, Pumping] = {}
    envelopes: dict[str, _Envelope] = {}
    sweeps: dict[str, tuple[_Sweep, ...]] = {}
    space: _Space = _Space()


class Heard(_Read):
    """What is read of a track's `profile.json` and `analysis.json`; nothing is known of what is not told."""

    profile: _Profile = _Profile()
    analysis: _Analysis = _Analysis()


def facts_of(
    heard: Heard,
    candidates: Mapping[str, Sequence[Ranked]],
    wish: str = "",
    transitions: Mapping[str, Sequence[Transition]] = MappingProxyType({}),
) -> Facts:
    """candidates: what can play each stem, the nearest first. transitions: what was heard in it and is in no
    note."""
    known, analysis = heard.profile, heard.analysis
    longest = sorted(analysis.sections, key=lambda section: section.start_s - section.end_s)[:MOST_SECTIONS]
    decays = [second for second in analysis.space.rt60_s.values() if second is not None]
    return Facts(
        seconds=round(known.duration_s, 1),
        tempo_bpm=known.tempo_bpm and round(known.tempo_bpm, 1),
        metre=_metre(known),
        key=known.key,
        bars=len(analysis.bars),
        rt60_s=round(statistics.median(decays), 2) if decays else None,
        sections=tuple(
            _section(section, analysis.chords)
            for section in sorted(longest, key=lambda section: section.start_s)
        ),
        sections_left_out=len(analysis.sections) - len(longest),
        stems={
            name: _stem(name, ranked, analysis, transitions.get(name, ()))  # type: ignore[misc]
            for name, ranked in candidates.items()
        },
        wish=wish.strip(),
    )


def _metre(known: _Profile) -> str | None:
    """That of most of it."""
    ends = [*(each.start_s for each in known.time_signatures[1:]), known.duration_s]
    lasting: defaultdict[str, float] = defaultdict(float)
    for each, end in zip(known.time_signatures, ends, strict=False):
        lasting[f"{each.numerator}/{each.denominator}"] += end - each.start_s
    return max(lasting, key=lambda metre: lasting[metre], default=None)


def _section(section: _Section, chords: Sequence[_Chord]) -> SectionFacts:
    lasting: defaultdict[str, float] = defaultdict(float)
    for chord in chords:
        within = min(chord.end_s, section.end_s) - max(chord.start_s, section.start_s)
        if within > 0 and chord.label != "N":
            lasting[chord.label] += within
    return SectionFacts(
        bar=section.bar,
        start_s=round(section.start_s, 2),
        seconds=round(section.end_s - section.start_s, 1),
        label=section.label,
        name=section.name,
        level_db=round(section.level_db, 1),
        plays=section.plays,
        chords=tuple(sorted(lasting, key=lambda label: -lasting[label])[:_MOST_CHORDS]),
    )


def _stem(
    name: str, ranked: Sequence[Ranked], heard: _Analysis, transitions: Sequence[Transition]
) -> StemFacts:
    pumping, envelope = heard.pumping.get(name), heard.envelopes.get(name)
    sure = [sweep for sweep in heard.sweeps.get(name, ()) if sweep.confidence >= SURE]
    surest = sorted(sure, key=lambda sweep: -sweep.confidence)[:_MOST_SWEEPS]
    return StemFacts(
        candidates=tuple(ranked[:MOST_CANDIDATES]),
        pumping_db=round(pumping.depth_db, 1) if pumping and pumping.confidence >= SURE else 0.0,
        release_s=round(envelope.release_s, 3) if envelope and envelope.release_s else None,
        sweeps=tuple(_sweep(sweep, heard) for sweep in sorted(surest, key=lambda sweep: sweep.start_s)),
        transitions=tuple(sorted(transitions, key=lambda each: -each.level_db)[:MOST_HEARD]),
    )


def _sweep(sweep: _Sweep, heard: _Analysis) -> SweepFacts:
    first, last = (_bar(at, heard.bars) for at in (sweep.start_s, sweep.end_s))
    return SweepFacts(
        kind=sweep.kind,
        bar=first,
        end_bar=last,
        from_hz=round(sweep.from_hz),
        to_hz=round(sweep.to_hz),
        at_section=any(abs(last - section.bar) <= 1 for section in heard.sections[1:]),
    )


def _bar(seconds: float, bars: Sequence[_Bar]) -> int:
    """The number of the bar that sounds then, from 1."""
    return max(1, sum(bar.start_s <= seconds for bar in bars))
