"""Melodies: a motif, repeated, taken through a sequence and varied over phrases that ask and answer.

Theme of a section → phrases of four bars → bars, each a rhythm and a shape in steps of the scale. Pitches follow
the chords: chord tones where the metre is strong or a note is long, steps between; leaps are recovered, leading
tones resolved (Fux, "Gradus ad Parnassum"; Schoenberg, "Fundamentals of Musical Composition": motif, phrase,
sentence and period).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import Final, NamedTuple

from resonate_resources.composition.composer.chance import stream
from resonate_resources.composition.composer.form import Laid
from resonate_resources.composition.composer.grid import Event, Stroke, strokes
from resonate_resources.composition.composer.harmony import Span
from resonate_resources.composition.composer.metre import beat_quarters, strong_beats
from resonate_resources.composition.composer.numerals import MINOR_MODES, KeyOf
from resonate_resources.composition.composer.tones import at, scale_over
from resonate_resources.composition.genre import Melody
from resonate_resources.composition.plan import BEATS_A_BAR
from resonate_resources.composition.request import Metre

_VELOCITY: Final = {"X": 102, "x": 92, "o": 76}
_HEIGHT: Final = {"chorus": 0.6, "drop": 0.6, "solo": 0.6, "pre_chorus": 0.52, "bridge": 0.55}
_USUAL_HEIGHT: Final = 0.42
"""Where in the register a section's theme turns, 0 lowest, 1 highest: choruses lie above verses."""
_ARCH: Final = (0, 1, 2, 0)
"""Scale steps that the bars of a phrase lie above its first."""
_HOOKS: Final = ("chorus", "drop")  # which come back as they were
_ORNAMENTED: Final = 0.6
"""How often a theme that comes again is ornamented, where it can be."""
_ORNAMENT_VELOCITY: Final = 80
_STEP: Final = 1.7  # semitones of a scale's step, on average
_LEAP: Final = 7  # semitones: what is more is recovered by a step back
_WIDEST: Final = 12
_FORMS: Final = (
    ("a", "a+", "a", "close"),
    ("a", "b", "a", "close"),
    ("a", "a+", "b", "close"),
    ("a", "a-", "b", "close"),
)


class Motif(NamedTuple):
    """strokes: of a bar. steps: of the scale, from where the bar begins, one a stroke."""

    strokes: tuple[Stroke, ...]
    steps: tuple[int, ...]


class Theme(NamedTuple):
    """a, b, contrast: motifs. form, other_form: what the bars of a phrase are."""

    a: Motif
    b: Motif
    contrast: Motif
    form: tuple[str, ...]
    other_form: tuple[str, ...]


def melody_events(
    style: Melody,
    register: tuple[int, int],
    written: Metre,
    metre: Metre,
    key: KeyOf,
    sections: Sequence[Laid],
    spans: Sequence[Span],
    contrasting: int,
    seed: int,
) -> list[Event]:
    """sections: those in which it plays. contrasting: every how manieth phrase brings something else (AABA: 4,
    AAB: 3). Sections of one name have the same theme; where they come again, it is ornamented, but
    in choruses and drops."""
    events: list[Event] = []
    for section in sections:
        theme = _theme(style, written, metre, section, stream(seed, "melody", section.name))
        sung = _sung(theme, style, register, metre, key, section, spans, contrasting)
        if section.nth and section.name not in _HOOKS:
            chance = stream(seed, "ornaments", section.name, str(section.nth))
            sung = _ornamented(sung, key, spans, register, metre, chance)
        events += sung
    return events


def _theme(style: Melody, written: Metre, metre: Metre, section: Laid, chance: Random) -> Theme:
    cells = sorted(
        style.cells, key=lambda cell: (sum(letter in "Xxo" for letter in cell) / len(cell.split()), cell)
    )
    if section.name == "solo":
        cells = cells[len(cells) // 2 :]
    elif section.energy < 0.4 and len(cells) > 2:
        cells = cells[: (len(cells) + 1) // 2]
    first, second, third = (chance.choice(cells) for _ in range(3))
    motifs = [_motif(cell, style.leaps, written, metre, chance) for cell in (first, second, third)]
    return Theme(motifs[0], motifs[1], motifs[2], chance.choice(_FORMS), chance.choice(_FORMS))


def _motif(cell: str, leaps: float, written: Metre, metre: Metre, chance: Random) -> Motif:
    """Steps that go one way and come back, with a leap here and there that turns round after it."""
    rhythm = tuple(strokes(cell.split(maxsplit=1)[0], written, metre, 1))
    direction = chance.choice((1, 1, -1))
    steps, place = [], 0
    for number in range(len(rhythm)):
        steps.append(place)
        if number == len(rhythm) // 2:
            direction = -direction
        if chance.random() < leaps:
            place += direction * chance.choice((2, 2, 3, 4))
            direction = -direction
        else:
            place += direction * chance.choice((1, 1, 1, 0))
    return Motif(rhythm, tuple(steps))


def _sung(
    theme: Theme,
    style: Melody,
    register: tuple[int, int],
    metre: Metre,
    key: KeyOf,
    section: Laid,
    spans: Sequence[Span],
    contrasting: int,
) -> list[Event]:
    low, high = register
    ladder = [pitch for pitch in range(low, high + 1) if pitch % 12 in _ladder(style.scale, key)]
    height = _HEIGHT.get(section.name, _USUAL_HEIGHT)
    middle = low + height * (high - low)
    bar_quarters = BEATS_A_BAR[metre]
    events: list[Event] = []
    for bar in range(section.bars):
        phrase, place = section.phrase_of(bar)
        contrast = phrase % contrasting == contrasting - 2 if contrasting > 3 else phrase % 3 == 2
        form = theme.other_form if contrast else theme.form
        kind = "close" if bar == section.bars - 1 else form[place]
        motif = theme.b if kind == "b" else theme.contrast if contrast else theme.a
        onset = section.onset + bar * bar_quarters
        shift = _ARCH[place] + (2 if contrast else 0) + {"a+": 1, "a-": -2}.get(kind, 0)
        answer = phrase % 2 == 1 or bar == section.bars - 1
        lifted = middle + _STEP * shift
        before = events[-1].pitch if events else lifted
        start = _start(ladder, lifted, before, at(spans, onset).harmony.classes)
        if kind == "close":
            motif = _closing(motif, metre)
        events += _realised(motif, start, ladder, onset, metre, key, spans)
        if kind == "close" and events:
            events[-1] = _landed(events[-1], spans, key, register, answer)
    return _smoothed(events, spans, key, register, metre)


def _ornamented(
    events: list[Event],
    key: KeyOf,
    spans: Sequence[Span],
    register: tuple[int, int],
    metre: Metre,
    chance: Random,
) -> list[Event]:
    """Here and there with an eighth before a note: on the way to it, or the step above it. All other notes stay."""
    found: list[Event] = []
    for event, following in pairwise(events):
        place = following.onset - 0.5
        low, high = sorted((event.pitch, following.pitch))
        free = place >= event.onset + 0.5 - 1e-6 and not (2 * place) % 1
        if (
            not free
            or _strong(Stroke(place % BEATS_A_BAR[metre], 0.5, "o"), metre)
            or chance.random() >= _ORNAMENTED
        ):
            found.append(event)
            continue
        scale = scale_over(at(spans, place).harmony, key)
        between = [pitch for pitch in range(low + 1, high) if pitch % 12 in scale]
        above = [p for p in range(following.pitch + 1, register[1] + 1) if p % 12 in scale]
        near = sorted(between, key=lambda pitch: abs(pitch - following.pitch)) or above
        if not near or abs(near[0] - event.pitch) > _LEAP:
            found.append(event)
            continue
        length = min(event.length, place - event.onset)
        found += [event._replace(length=length), Event(place, 0.5, near[0], _ORNAMENT_VELOCITY)]
    return [*found, *events[-1:]]


def _ladder(scale: str, key: KeyOf) -> set[int]:
    minor = key.mode in MINOR_MODES
    steps = {
        "pentatonic": (0, 3, 5, 7, 10) if minor else (0, 2, 4, 7, 9),
        "blues": (0, 3, 5, 6, 7, 10) if minor else (0, 2, 3, 4, 7, 9),
    }.get(scale)
    return {(key.tonic + step) % 12 for step in steps} if steps else set(key.scale)


def _start(ladder: list[int], middle: float, before: float, classes: tuple[int, ...]) -> int:
    """The step of the ladder, in the chord, that is nearest to the middle, and near what was sung before."""
    inside = [n for n, pitch in enumerate(ladder) if pitch % 12 in classes] or list(range(len(ladder)))
    return min(inside, key=lambda n: abs(ladder[n] - middle) + 0.7 * abs(ladder[n] - before))


def _closing(motif: Motif, metre: Metre) -> Motif:
    """The motif's first half and a long note on the bar's middle, then breath."""
    bar = BEATS_A_BAR[metre]
    middle = strong_beats(metre)[-1] or beat_quarters(metre)
    first = [stroke for stroke in motif.strokes if stroke.onset < middle - 1e-9]
    first = [stroke._replace(length=min(stroke.length, middle - stroke.onset)) for stroke in first]
    held = Stroke(middle, (bar - middle) * 0.75, "X")
    return Motif((*first, held), (*motif.steps[: len(first)], 0))


def _realised(
    motif: Motif,
    start: int,
    ladder: list[int],
    onset: float,
    metre: Metre,
    key: KeyOf,
    spans: Sequence[Span],
) -> list[Event]:
    events = []
    for stroke, step in zip(motif.strokes, motif.steps, strict=True):
        place = start + step
        while not 0 <= place < len(ladder):  # turned back at the ends of the register
            place = -place if place < 0 else 2 * (len(ladder) - 1) - place
        pitch, when = ladder[place], onset + stroke.onset
        harmony = at(spans, when).harmony
        fitting = set(harmony.classes) if _strong(stroke, metre) else set(scale_over(harmony, key))
        if pitch % 12 not in fitting:
            choices = [
                p for p in range(pitch - 6, pitch + 7) if p % 12 in fitting and ladder[0] <= p <= ladder[-1]
            ]
            pitch = min(choices, key=lambda p: (abs(p - pitch), -p))
        events.append(Event(when, stroke.length, pitch, _VELOCITY.get(stroke.letter, 92)))
    return events


def _strong(stroke: Stroke, metre: Metre) -> bool:
    on_beat = any(abs(stroke.onset - beat) < 1e-6 for beat in strong_beats(metre))
    return on_beat or stroke.length >= 1.5 * beat_quarters(metre) - 1e-6


def _landed(last: Event, spans: Sequence[Span], key: KeyOf, register: tuple[int, int], answer: bool) -> Event:
    """An answer ends on the tonic, or else the third, a question on the fifth, second or seventh, as far as the
    chord has them."""
    classes = at(spans, last.onset).harmony.classes
    degrees = (0, 4, 3) if answer else (7, 2, 11, 10, 4, 3)
    wanted = [(key.tonic + degree) % 12 for degree in degrees]
    target = next((c for c in wanted if c in classes), classes[0])
    choices = [p for p in range(register[0], register[1] + 1) if p % 12 == target]
    return last._replace(pitch=min(choices, key=lambda p: (abs(p - last.pitch), p)))


def _smoothed(
    events: list[Event], spans: Sequence[Span], key: KeyOf, register: tuple[int, int], metre: Metre
) -> list[Event]:
    """Leaps within an octave and recovered, leading tones resolved, notes foreign to a chord passed by step."""
    low, high = register
    bar = BEATS_A_BAR[metre]
    pitches = [event.pitch for event in events]
    for n in range(1, len(pitches)):
        while abs(pitches[n] - pitches[n - 1]) > _WIDEST:
            pitches[n] += 12 if pitches[n] < pitches[n - 1] else -12
        weak = not _strong(Stroke(events[n].onset % bar, events[n].length, "x"), metre)
        harmony = at(spans, events[n].onset).harmony
        scale, chord = scale_over(harmony, key), harmony.classes
        if n > 1 and abs(pitches[n - 1] - pitches[n - 2]) > _LEAP:
            back = -1 if pitches[n - 1] > pitches[n - 2] else 1
            allowed = scale if weak else chord
            choices = [p for p in range(pitches[n - 1], pitches[n - 1] + back * 6, back) if p % 12 in allowed]
            choices = [p for p in choices if p != pitches[n - 1] and low <= p <= high]
            if choices:
                pitches[n] = choices[0]
        if (pitches[n - 1] - key.tonic) % 12 == 11 and pitches[n - 1] + 1 <= high:
            tonic = pitches[n - 1] + 1
            if key.tonic in (scale if weak else chord) and abs(pitches[n] - pitches[n - 1]) > 2:
                pitches[n] = tonic
    for n in range(1, len(pitches) - 1):
        classes = at(spans, events[n].onset).harmony.classes
        leapt = min(abs(pitches[n] - pitches[n - 1]), abs(pitches[n + 1] - pitches[n])) > 2
        if pitches[n] % 12 not in classes and leapt:
            choices = [
                p for p in range(pitches[n] - 4, pitches[n] + 5) if p % 12 in classes and low <= p <= high
            ]
            pitches[n] = min(choices, key=lambda p: (abs(p - pitches[n]), p), default=pitches[n])
    return [event._replace(pitch=pitch) for event, pitch in zip(events, pitches, strict=True)]
