"""What each instrument plays in a bar: drums with fills, bass, comping, melody. Places are in quarter notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from resonate_tests.benchmarks.music_truth.harmony import Chord, Key
from resonate_tests.benchmarks.music_truth.styles import CLOSED_HAT, CRASH, KICK, SNARE, TOMS

Random = np.random.Generator
_ACCENTS = {"X": 112, "x": 92, "o": 48}
_STRUM_S = 0.011  # between strings


@dataclass(frozen=True)
class Event:
    """quarter: of the song; quarters: length; late_s: after its place on the grid, as the strings of a strum."""

    quarter: float
    quarters: float
    pitch: int
    velocity: float
    late_s: float = 0.0


@dataclass(frozen=True)
class Bar:
    """start and quarters in quarter notes; chords: (start within the bar, length, chord); loud: 0…1 by section."""

    start: int
    quarters: int
    metre: tuple[int, int]
    key: Key
    chords: tuple[tuple[float, float, Chord], ...]
    loud: float
    first: bool
    last: bool

    @property
    def beat_quarters(self) -> float:
        return 1.5 if self.metre == (6, 8) else 1.0

    def chord_at(self, place: float) -> tuple[Chord, float]:
        """The chord at a place in the bar, and how long it still lasts."""
        start, length, chord = next(item for item in reversed(self.chords) if item[0] <= place)
        return chord, start + length - place


def drummed(bar: Bar, pattern: Mapping[int, str], fill: str, rng: Random) -> list[Event]:
    """A bar of a pattern. fill: none, half (of the bar), beat: what a fill takes of a section's last bar."""
    span = {"none": 0.0, "beat": bar.beat_quarters, "half": 2 * bar.beat_quarters}[
        fill if bar.last else "none"
    ]
    filled_from = bar.quarters - min(span, bar.quarters)
    events = []
    for key, steps in pattern.items():
        for step, mark in enumerate(steps):
            dropped = mark == "." or (mark == "o" and rng.random() < 0.25)
            if (
                dropped
                or step / 4 >= filled_from
                or (bar.first and bar.loud > 0.8 and not step and key == CLOSED_HAT)
            ):
                continue
            events.append(Event(bar.start + step / 4, 0.25, key, _ACCENTS[mark] * (0.6 + 0.4 * bar.loud)))
    if bar.first and bar.loud > 0.8:
        events.append(Event(bar.start, 0.5, CRASH, 104))
    every = 0.25 if bar.quarters - filled_from <= 1.5 else 0.5
    places = np.arange(filled_from, bar.quarters, every)
    order = (SNARE, *TOMS)
    for index, place in enumerate(places):
        voice = order[min(len(order) * index // len(places), len(order) - 1)]
        events.append(Event(bar.start + float(place), 0.25, voice, 88 + 20 * index / len(places)))
        if place == filled_from:
            events.append(Event(bar.start + float(place), 0.25, KICK, 96))
    return events


def bass_line(bar: Bar, line: str, kicks: str, following: Chord, rng: Random) -> list[Event]:
    """One note at a time, in E1…D#3; the bass of the chord is struck where the chord comes."""
    end = float(bar.quarters)
    kicked = [step / 4 for step, mark in enumerate(kicks) if mark != "."] or [0.0]
    every = {
        "roots": [],
        "eighths": list(np.arange(0, end, 0.5)),
        "octaves": list(np.arange(0, end, 0.5)),
        "offbeat": list(np.arange(0.5, end, 1.0)),
        "walking": list(np.arange(0, end, 1.0)),
        "with kick": kicked,
        "fifths": [0.0, 1.5] if bar.metre == (6, 8) else [0.0, 2.0] if end == 3 else [0.0, 1.5, 2.0, 3.5],
    }[line]
    changes = [start for start, _, _ in bar.chords]
    places = sorted({*map(float, every), *(changes if line != "offbeat" else [])})
    events = []
    for index, place in enumerate(places):
        chord, remaining = bar.chord_at(place)
        until = places[index + 1] if index + 1 < len(places) else end
        low = _low(chord.bass)
        tones = [_low((chord.root + step) % 12) for step in (0, 3 if "min" in chord.quality else 4, 7)]
        fifth = _low(chord.pitch_classes[2])
        at_change = place in changes
        pitch = low
        if line == "octaves" and round(2 * place) % 2:
            pitch = low + 12
        elif line == "fifths" and not at_change and index % 2:
            pitch = fifth
        elif line == "walking" and not at_change:
            if index == len(places) - 1:
                pitch = _low(following.bass) + (1 if rng.random() < 0.5 else -1)
            else:
                pitch = [_low(c) for c in chord.pitch_classes][index % len(tones)]
        length = min(until - place, remaining) * (0.92 if line in ("roots", "walking") else 0.8)
        velocity = 96 + (8 if place == 0 else 0) - (6 if place % 1 else 0)
        events.append(Event(bar.start + place, length, pitch, velocity * (0.8 + 0.2 * bar.loud)))
    return events


_COMPING = {
    (4, 4): ((0, 1.5, 2.5), (0, 2), (0, 1.5), (0, 1, 2, 3), (0, 1.5, 3), (0, 0.5, 1.5, 2, 3)),
    (3, 4): ((0, 1, 2), (0, 1.5), (0, 2)),
    (6, 8): ((0, 1.5), (0, 1, 1.5, 2.5), (0, 1.5, 2.5)),
}


def comped(bar: Bar, way: str, choice: int, voicing: Mapping[Chord, tuple[int, ...]]) -> list[Event]:
    """Chords of a bar as pad, comp, stabs, strum, oom-pah or arpeggio; choice draws among rhythms."""
    end = float(bar.quarters)
    rhythms = _COMPING[bar.metre]
    places: Sequence[float] = {
        "pad": (0.0,),
        "comp": rhythms[choice % len(rhythms)],
        "stabs": tuple(np.arange(0.5, end, 1.0)) if bar.metre != (6, 8) else (0.5, 1.0, 2.0, 2.5),
        "strum": (0, 1, 1.5, 2.5, 3, 3.5) if bar.metre == (4, 4) else tuple(np.arange(0, end, 0.5)),
        "oom-pah": (1.0, 2.0),
        "arpeggio": tuple(np.arange(0, end, 0.5)),
    }[way]
    if way in ("pad", "comp", "strum"):
        places = sorted({*places, *(start for start, _, _ in bar.chords)})
    events = []
    for index, place in enumerate(places):
        chord, remaining = bar.chord_at(float(place))
        until = float(places[index + 1]) if index + 1 < len(places) else end
        pitches = voicing[chord]
        velocity = (84 if place % bar.beat_quarters == 0 else 72) * (0.75 + 0.25 * bar.loud)
        where = bar.start + float(place)
        if way == "arpeggio":
            turn = ((0, 1, 2, 1), (0, 2, 1, 2), (2, 1, 0, 1), (0, 1, 2, 3))[choice % 4][index % 4]
            upper = pitches[turn % len(pitches)] + (12 if turn >= len(pitches) else 0)
            events.append(Event(where, min(0.9, remaining), upper, velocity))
            continue
        held = {"pad": 1.0, "comp": 0.85, "strum": 0.9, "stabs": 0.5, "oom-pah": 0.6}[way]
        length = min(until - place, remaining, 0.5 if way == "stabs" else end) * held
        strings = pitches if index % 2 == 0 else pitches[::-1]
        for string, pitch in enumerate(strings):
            late = string * _STRUM_S if way == "strum" else 0.0
            events.append(Event(where, length, pitch, velocity, late))
    return events


_MOTIFS = {
    (4, 4): ((0, 1, 1.5, 2.5, 3, 4, 5, 6),
             (0, 0.5, 1.5, 2, 3, 4, 5.5), (0, 2, 3, 4, 4.5, 5, 6), (0, 1, 2, 2.5, 3.5, 4, 6),
             (0, 0.5, 1, 2, 3, 3.5, 4, 5, 5.5)),
    (3, 4): ((0, 1, 2, 3, 5), (0, 1.5, 2, 3, 4), (0, 2, 3, 3.5, 4, 5)),
    (6, 8): ((0, 0.5, 1, 1.5, 3, 4.5), (0, 1, 1.5, 2.5, 3, 4, 4.5), (0, 1.5, 2.5, 3, 4.5)),
}  # fmt: skip


@dataclass(frozen=True)
class Motif:
    """Two bars of melody: places in quarters and scale degrees over the tonic."""

    places: tuple[float, ...]
    degrees: tuple[int, ...]


def motif_of(metre: tuple[int, int], high: int, rng: Random) -> Motif:
    places = _MOTIFS[metre][int(rng.integers(len(_MOTIFS[metre])))]
    contour = np.clip(np.cumsum(rng.choice((-2, -1, -1, 0, 1, 1, 2), len(places))), -3, 4) + high
    return Motif(tuple(map(float, places)), tuple(int(degree) for degree in contour))


def sung_bars(bars: Sequence[Bar], motif: Motif, octave: int, variation: Random) -> list[Event]:
    """The motif over two bars, chord tones on beats, steps between; now and then a note is left out or moved."""
    span = sum(bar.quarters for bar in bars)
    events: list[Event] = []
    within = [place for place in motif.places if place < span - 0.25]
    for index, (place, degree) in enumerate(zip(within, motif.degrees, strict=False)):
        if index and variation.random() < 0.07:
            continue
        bar = bars[0] if place < bars[0].quarters else bars[1]
        in_bar = place - (bar.start - bars[0].start)
        chord, _ = bar.chord_at(in_bar)
        moved = degree + (int(variation.choice((-1, 1))) if variation.random() < 0.07 else 0)
        pitch = fitted(bar.key.pitch(moved, octave), chord, bar.key, on_beat=in_bar % bar.beat_quarters == 0)
        end = within[index + 1] if index + 1 < len(within) else min(place + 1.5, span)
        velocity = (98 if in_bar % bar.beat_quarters == 0 else 88) * (0.85 + 0.15 * bar.loud)
        events.append(Event(bars[0].start + place, (end - place) * 0.9, pitch, velocity))
    return events


def fitted(pitch: int, chord: Chord, key: Key, *, on_beat: bool) -> int:
    """On beats the nearest chord tone; between them the pitch, unless it rubs against an altered tone."""
    tones = chord.pitch_classes
    if on_beat:
        return min(range(pitch - 4, pitch + 5), key=lambda p: (p % 12 not in tones, abs(p - pitch)))
    scale = {key.pitch(degree, 4) % 12 for degree in range(7)}
    for step in (1, -1):
        if pitch % 12 not in tones and (altered := (pitch + step) % 12) in tones and altered not in scale:
            return pitch + step
    return pitch


def _low(pitch_class: int) -> int:
    return 28 + (pitch_class - 28) % 12
