"""Everything between bass and melody: struck and held chords, arpeggios, riffs, a counter-melody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from random import Random
from typing import Final

from resonate_resources.composition.composer.bass import nearest
from resonate_resources.composition.composer.chance import stream
from resonate_resources.composition.composer.form import PHRASE_BARS, Laid
from resonate_resources.composition.composer.grid import VELOCITY, Event, strokes
from resonate_resources.composition.composer.harmony import Span
from resonate_resources.composition.composer.metre import beat_quarters
from resonate_resources.composition.composer.numerals import MINOR_MODES, KeyOf
from resonate_resources.composition.composer.tones import at, scale_over
from resonate_resources.composition.composer.voicing import Pitches, voiced
from resonate_resources.composition.genre import PartStyle
from resonate_resources.composition.plan import BEATS_A_BAR
from resonate_resources.composition.request import Metre

_HELD: Final = 78  # velocity
_SUNG: Final = 80
_DOUBLED_FROM: Final = 0.85
"""Energy from which struck chords have their top note an octave higher, too."""


def part_events(
    part: PartStyle,
    register: tuple[int, int],
    written: Metre,
    metre: Metre,
    key: KeyOf,
    sections: Sequence[Laid],
    spans: Sequence[Span],
    bpm: float,
    name: str,
    seed: int,
) -> list[Event]:
    """sections: those in which it plays. bpm: of quarters. name: the part's, for its stream of chance."""
    if part.role == "countermelody":
        return _counter(register, metre, key, sections, spans)
    voicing = "close" if part.role == "arpeggio" else part.voicing
    chords = dict(zip(spans, voiced([span.harmony for span in spans], register, voicing), strict=True))
    events: list[Event] = []
    for section in sections:
        pattern = stream(seed, name, section.name).choice(part.patterns)
        if part.role == "riff":
            chance = stream(seed, name)
            events += _riff(part, register, pattern, written, metre, key, section, spans, chance)
        elif pattern == "~":
            events += _held(section, spans, chords)
        else:
            events += _struck(part, register, pattern, written, metre, section, spans, chords, bpm)
    return events


def _held(section: Laid, spans: Sequence[Span], chords: dict[Span, Pitches]) -> Iterator[Event]:
    """Each chord until the next; one that stays is held on, for a phrase at most."""
    inside = [span for span in spans if section.onset <= span.onset < section.end]
    phrase = (section.end - section.onset) / section.bars * PHRASE_BARS
    for _, alike in groupby(inside, key=lambda span: (chords[span], (span.onset - section.onset) // phrase)):
        run = list(alike)
        for pitch in chords[run[0]]:
            yield Event(run[0].onset, run[-1].end - run[0].onset, pitch, _HELD)


def _struck(
    part: PartStyle,
    register: tuple[int, int],
    pattern: str,
    written: Metre,
    metre: Metre,
    section: Laid,
    spans: Sequence[Span],
    chords: dict[Span, Pitches],
    bpm: float,
) -> Iterator[Event]:
    for stroke in strokes(pattern, written, metre, section.bars):
        onset, end = section.onset + stroke.onset, min(section.onset + stroke.end, section.end)
        while onset < end - 1e-9:  # struck again where the chord changes under it
            span = at(spans, onset)
            until = min(end, span.end)
            pitches = _chosen(stroke.letter, chords[span], register)
            if (
                part.role == "chords"
                and section.energy >= _DOUBLED_FROM
                and stroke.letter == "X"
                and len(pitches) > 2
            ):
                pitches = (*pitches, *(p for p in (pitches[-1] + 12,) if p <= register[1]))
            apart = part.strum_ms / 60_000 * bpm / max(1, len(pitches) - 1)
            upward = stroke.letter == "o"
            for number, pitch in enumerate(reversed(pitches) if upward else pitches):
                late = min(number * apart, (until - onset) / 2)
                yield Event(onset + late, until - onset - late, pitch, VELOCITY.get(stroke.letter, 86) - 8)
            onset = until


def _chosen(letter: str, chord: Pitches, register: tuple[int, int]) -> Pitches:
    if letter == "B":
        return chord[:1]
    if letter in "Xxo":
        return chord
    octave, place = divmod(int(letter) - 1, len(chord))
    pitch = chord[place] + 12 * octave
    return (pitch if pitch <= register[1] else pitch - 12,)


def _riff(
    part: PartStyle,
    register: tuple[int, int],
    pattern: str,
    written: Metre,
    metre: Metre,
    key: KeyOf,
    section: Laid,
    spans: Sequence[Span],
    chance: Random,
) -> Iterator[Event]:
    """One figure, on the root of each chord: its accents are the root, between them pentatonic tones."""
    bars = len(pattern.split())
    figure = [
        0 if stroke.letter != "x" else chance.choice((0, 1, 1, 2, 3, 4, 5))
        for stroke in strokes(pattern, written, metre, bars)
    ]
    steps = (0, 3, 5, 7, 10, 12) if key.mode in MINOR_MODES else (0, 2, 4, 7, 9, 12)
    for number, stroke in enumerate(strokes(pattern, written, metre, section.bars)):
        onset = section.onset + stroke.onset
        span = at(spans, onset)
        low, high = register
        root = low + (span.harmony.root - low) % 12
        scale = set(scale_over(span.harmony, key))
        pitch = nearest(root + steps[figure[number % len(figure)]], scale, register)
        end = min(section.onset + stroke.end, section.end, span.end)
        velocity = VELOCITY.get(stroke.letter, 86)
        if stroke.letter == "o":  # muted by the palm
            end = onset + (end - onset) / 2
        yield Event(onset, end - onset, pitch, velocity)
        if part.voicing == "power" and pitch + 7 <= high and (pitch + 7) % 12 in scale:
            yield Event(onset, end - onset, pitch + 7, velocity)


def _counter(
    register: tuple[int, int], metre: Metre, key: KeyOf, sections: Sequence[Laid], spans: Sequence[Span]
) -> list[Event]:
    """Thirds and sevenths of the chords in a line of small steps; where the melody breathes at the end of a phrase,
    it moves on by steps of the scale."""
    bar = BEATS_A_BAR[metre]
    events: list[Event] = []
    pitch = sum(register) // 2
    for section in sections:
        for span in (span for span in spans if section.onset <= span.onset < section.end):
            guides = {(span.harmony.root + tone) % 12 for tone in span.harmony.tones[1:4] if tone != 7}
            pitch = nearest(pitch, guides or set(span.harmony.classes), register)
            events.append(Event(span.onset, span.length, pitch, _SUNG))
            number = round((span.onset - section.onset) // bar)
            if number % PHRASE_BARS == PHRASE_BARS - 1 and span.length >= bar and section.bars > 1:
                half = beat_quarters(metre) / 2
                scale = [
                    p for p in range(register[0], register[1] + 1) if p % 12 in scale_over(span.harmony, key)
                ]
                place = scale.index(pitch)
                direction = 1 if place < len(scale) - 4 else -1
                begins = span.end - 3 * half
                events[-1] = events[-1]._replace(length=begins - span.onset)
                events += [
                    Event(begins + n * half, half, scale[place + direction * (n + 1)], _SUNG)
                    for n in range(3)
                    if 0 <= place + direction * (n + 1) < len(scale)
                ]
    return events
