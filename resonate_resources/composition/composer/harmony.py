"""Chords: a progression of the genre, changed by rules of harmonic function, and closed by a cadence.

Function and substitution after Riemann; borrowing, secondary dominants and cadences as in Aldwell and Schachter,
"Harmony and Voice Leading"; modal progressions have their characteristic tone in the chord beside the tonic.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from math import floor
from random import Random
from typing import Final, NamedTuple

from resonate_resources.composition import genre
from resonate_resources.composition.composer.chance import stream
from resonate_resources.composition.composer.form import Laid
from resonate_resources.composition.composer.metre import beat_quarters, beats_of
from resonate_resources.composition.composer.numerals import (
    MINOR_MODES,
    Harmony,
    KeyOf,
    bars_of,
    read_numeral,
)
from resonate_resources.composition.plan import BEATS_A_BAR, Chord
from resonate_resources.composition.request import Metre, SectionName

_Bars = list[list[str]]

LIKE: Final[dict[SectionName, tuple[SectionName, ...]]] = {
    "intro": ("verse",), "verse": (), "pre_chorus": ("build",), "chorus": ("drop",),
    "bridge": ("breakdown",), "build": ("pre_chorus", "breakdown"), "drop": ("chorus",), "breakdown": ("bridge",),
    "solo": ("chorus",), "outro": ("intro", "verse"),
}  # fmt: skip
"""Where a genre writes no progression for a section, whose it takes."""

_MODAL: Final[dict[str, tuple[str, ...]]] = {
    "dorian": ("i | IV | i | IV", "i | ii | bIII | IV", "i | bVII | IV | i", "i | i | IV | bVII", "i | v | IV | i"),
    "phrygian": ("i | bII | i | bII", "i | bII | bIII | bII", "i | bvii | bII | i", "i | bVI | bII | i"),
    "lydian": ("I | II | I | II", "I | vii | II | I", "I | II | vi | II", "I | iii | II | I"),
    "mixolydian": ("I | bVII | IV | I", "I | v | bVII | IV", "I | bVII | I | IV", "I | IV | bVII | I"),
}  # fmt: skip

# Chords of one function for each other: tonic, subdominant, dominant.
_SAME_FUNCTION: Final = {
    "I": ("vi", "iii"), "vi": ("I",), "iii": ("I",), "IV": ("ii",), "ii": ("IV",), "V": ("V7sus4", "viio"),
    "Imaj7": ("vi7", "iii7"), "vi7": ("Imaj7",), "IVmaj7": ("ii7",), "ii7": ("IVmaj7",), "V7": ("V7sus4", "bII7"),
    "i": ("bVI",), "bVI": ("iv",), "iv": ("bVI", "iiø7"), "bIII": ("i",), "bVII": ("v",), "v": ("bVII",),
    "i7": ("bVImaj7",), "iv7": ("iiø7", "bVImaj7"), "bVImaj7": ("iv7",), "bIIImaj7": ("i7",),
    "i9": ("bVImaj9",), "Imaj9": ("vi9",), "ii9": ("IVmaj9",), "IVmaj9": ("ii9",), "V9": ("V13",),
}  # fmt: skip
_BORROWED: Final = {
    "IV": "iv", "IVmaj7": "iv7", "vi": "bVI", "ii": "iiø7", "ii7": "iiø7", "iii": "bIII", "V": "bVII",
    "iv": "IV", "v": "V", "bVII": "V", "bVI": "bII",
}  # fmt: skip
_COLOURED: Final = {
    "I": ("Iadd9", "Imaj7"), "ii": ("ii7",), "iii": ("iii7",), "IV": ("IVmaj7", "IVadd9"), "V": ("V7", "Vsus4"),
    "vi": ("vi7",), "i": ("i7", "iadd9"), "bIII": ("bIIImaj7",), "iv": ("iv7", "ivadd9"), "v": ("v7",),
    "bVI": ("bVImaj7", "bVIadd9"), "bVII": ("bVIIadd9", "bVIIsus4"), "i7": ("i9",), "iv7": ("iv9",),
    "Imaj7": ("Imaj9",), "ii7": ("ii9",), "IVmaj7": ("IVmaj9",), "V7": ("V9", "V13"), "vi7": ("vi9",),
    "bVImaj7": ("bVImaj9",), "bIIImaj7": ("bIIImaj9",),
}  # fmt: skip
_LED_TO: Final = ("ii", "iii", "IV", "V", "vi", "bIII", "iv", "bVI", "bVII")
_DOMINANT: Final = {
    "major": "V7", "minor": "V7", "dorian": "IV", "phrygian": "bII", "lydian": "II", "mixolydian": "bVII",
}  # fmt: skip
"""What leads home; in the modes that have no leading tone, the chord that has their characteristic one."""

_SHORT_BAR_S: Final = 2.6  # a chord a bar would be more than 23 a minute
_SHORT_LOOP: Final = 4  # bars: twice that is what most sections have


class Span(NamedTuple):
    """A chord of a plan: from a beat on, for so long, in quarters."""

    onset: float
    length: float
    harmony: Harmony

    @property
    def end(self) -> float:
        return self.onset + self.length


def harmonise(
    data: genre.GenreData, key: KeyOf, metre: Metre, bpm: float, sections: tuple[Laid, ...], seed: int
) -> tuple[Span, ...]:
    """The chords of every bar; sections of one name have the same. The last bar is the tonic. bpm: of quarters."""
    fast = BEATS_A_BAR[metre] * 60 / bpm < _SHORT_BAR_S
    home = home_numeral(data, key)
    loops: dict[str, _Bars] = {}
    spans: list[Span] = []
    for index, section in enumerate(sections):
        if section.name not in loops:
            loop = _loop(data, key, section.name, stream(seed, "harmony", section.name))
            held = stream(seed, "harmony", "held", section.name).random() < data.harmony.held
            loops[section.name] = _two_bars_each(loop) if fast and held and len(loop) <= _SHORT_LOOP else loop
        loop = loops[section.name]
        bars = [list(loop[bar % len(loop)]) for bar in range(section.bars)]
        last = index == len(sections) - 1
        _close(bars, data.harmony.cadence, key, home, last)
        for number, numerals in enumerate(bars):
            spans += _spans(
                (section.first_bar + number) * BEATS_A_BAR[metre],
                metre,
                [read_numeral(numeral, key) for numeral in numerals],
            )
    return tuple(spans)


def told(spans: Iterable[Span]) -> tuple[Chord, ...]:
    """The chords of a plan, each where it begins."""
    chords: list[Chord] = []
    for span in spans:
        if not chords or chords[-1].degree != span.harmony.degree:
            harmony = span.harmony
            chords.append(
                Chord(onset=span.onset, symbol=harmony.symbol, degree=harmony.degree, pitches=harmony.pitches)
            )
    return tuple(chords)


def home_numeral(data: genre.GenreData, key: KeyOf) -> str:
    """The tonic chord as the genre has it."""
    tonic = read_numeral("I", key).root
    for progression in _written(data, key, "any"):
        for numeral in (numeral for bar in bars_of(progression) for numeral in bar):
            chord = read_numeral(numeral, key)
            if chord.root == tonic == chord.bass and numeral[0].islower() == (key.mode in MINOR_MODES):
                return numeral
    return "i" if key.mode in MINOR_MODES else "I"


def _written(data: genre.GenreData, key: KeyOf, name: str) -> tuple[str, ...]:
    if key.mode not in ("major", "minor"):
        return data.harmony.modal.get(key.mode) or _MODAL[key.mode]
    table = data.harmony.minor if key.mode == "minor" else data.harmony.major
    for kind in (name, *LIKE.get(name, ()), "any"):  # type: ignore[call-overload]
        if kind in table:
            return table[kind]
    raise AssertionError("every genre has progressions for any section")


def _loop(data: genre.GenreData, key: KeyOf, name: SectionName, chance: Random) -> _Bars:
    rules = data.harmony
    bars = [list(bar) for bar in bars_of(chance.choice(_written(data, key, name)))]
    repeats = data.harmony.period // len(bars) if len(bars) < data.harmony.period else 1
    bars = [list(bar) for _ in range(repeats) for bar in bars]
    if key.mode in ("major", "minor"):
        _exchange(bars, rules.substitution, _SAME_FUNCTION, chance)
        _exchange(bars, rules.borrowing, {plain: (other,) for plain, other in _BORROWED.items()}, chance)
        _lead_to(bars, rules.secondary_dominants, chance)
    for bar in bars:
        for place, numeral in enumerate(bar):
            if numeral in _COLOURED and chance.random() < rules.colour and key.mode in ("major", "minor"):
                bar[place] = chance.choice(_COLOURED[numeral])
    return bars


def _two_bars_each(bars: _Bars) -> _Bars:
    """What leads to the next chord stays at the end."""
    return [kept for bar in bars for kept in (bar[:1], bar)]


def _exchange(bars: _Bars, probability: float, table: dict[str, tuple[str, ...]], chance: Random) -> None:
    """Chords for others, but the first, which says where home is; never twice the same in a row."""
    places = [(bar, place) for bar in range(len(bars)) for place in range(len(bars[bar]))]
    for number, (bar, place) in enumerate(places):
        numeral = bars[bar][place]
        if number == 0 or numeral not in table or chance.random() >= probability:
            continue
        around = {bars[b][p] for b, p in (places[number - 1], places[(number + 1) % len(places)])}
        if choices := [other for other in table[numeral] if other not in around]:
            bars[bar][place] = chance.choice(choices)


def _lead_to(bars: _Bars, probability: float, chance: Random) -> None:
    """In the second half of a bar, the dominant of the next bar's chord."""
    for bar, following in pairwise(bars):
        plain = following[0].rstrip("maj79")
        if len(bar) == 1 and plain in _LED_TO and bar[0] != following[0] and chance.random() < probability:
            bar.append(f"V7/{plain}")


def _close(bars: _Bars, cadence: str, key: KeyOf, home: str, last: bool) -> None:
    dominant = _DOMINANT[key.mode]
    if len(bars) >= 4 and cadence == "half" and not last:
        bars[-1] = [dominant]
    elif len(bars) >= 4 and cadence in ("authentic", "plagal"):
        subdominant = "iv" if key.mode in ("minor", "phrygian") else "IV"
        bars[-2] = [subdominant] if cadence == "plagal" else [_prepared(key), dominant]
        bars[-1] = [home]
    if last and len(bars) > 1:
        bars[-1] = [home]


def _prepared(key: KeyOf) -> str:
    """What comes before the dominant of a cadence."""
    return {"major": "ii7/3", "minor": "iv"}.get(key.mode, "i" if key.mode in MINOR_MODES else "I")


def _spans(onset: float, metre: Metre, chords: list[Harmony]) -> Iterator[Span]:
    """The chords of a bar, each from a beat on: two of three beats last two and one."""
    beats, beat = beats_of(metre), beat_quarters(metre)
    chords = chords[:beats]
    edges = [floor(n * beats / len(chords) + 0.5) for n in range(len(chords) + 1)]
    for chord, begins, ends in zip(chords, edges, edges[1:], strict=False):
        yield Span(onset + begins * beat, (ends - begins) * beat, chord)
