"""The bass: the genre's line under each chord, or a walking one; one note at a time."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from resonate_resources.composition.composer.chance import stream
from resonate_resources.composition.composer.form import Laid
from resonate_resources.composition.composer.grid import Event, Stroke, strokes
from resonate_resources.composition.composer.harmony import Span
from resonate_resources.composition.composer.metre import beat_quarters, beats_of, strong_beats
from resonate_resources.composition.composer.numerals import KeyOf
from resonate_resources.composition.composer.tones import at, next_after, scale_over
from resonate_resources.composition.genre import Bass, at_level, level_of
from resonate_resources.composition.plan import BEATS_A_BAR
from resonate_resources.composition.request import Metre

_PLAIN = 94
_ACCENT = 8  # with the kick, and on the beats that carry the metre


def bass_events(
    bass: Bass,
    register: tuple[int, int],
    written: Metre,
    metre: Metre,
    key: KeyOf,
    sections: Sequence[Laid],
    spans: Sequence[Span],
    kicks: Sequence[float],
    seed: int,
) -> list[Event]:
    """sections: those in which it plays. kicks: onsets of all, in quarters."""
    events: list[Event] = []
    struck = set(kicks)
    for section in sections:
        chance = stream(seed, "bass", section.name, level_of(section.energy))
        line = chance.choice(at_level(bass.line, section.energy))
        if line == "walk":
            events += _walked(section, metre, key, spans, register, chance)
            continue
        with_kick = line == "kick"
        line_strokes = (
            _with_kicks(section, metre, kicks) if with_kick else strokes(line, written, metre, section.bars)
        )
        for stroke in line_strokes:
            onset, end = section.onset + stroke.onset, min(section.onset + stroke.end, section.end)
            while onset < end - 1e-9:  # a note held into the next chord is struck again as its root
                span = at(spans, onset)
                until = end if stroke.letter == "n" else min(end, span.end)
                pitch = _pitch(stroke.letter, onset, spans, key, register, chance)
                strong = (onset - section.onset) % BEATS_A_BAR[metre] in strong_beats(metre)
                velocity = _PLAIN + _ACCENT * (onset in struck) + _ACCENT * strong
                events.append(Event(onset, until - onset, pitch, velocity))
                if stroke.letter not in "R8b":
                    break
                onset = until
    return one_at_a_time(events)


def one_at_a_time(events: list[Event]) -> list[Event]:
    """Each note ends where the next begins; of two that begin together, the first is kept."""
    events = sorted(events)
    alone = [e for n, e in enumerate(events) if n == 0 or e.onset - events[n - 1].onset > 1e-6]
    ends = [event.onset for event in alone[1:]] + [float("inf")]
    return [e._replace(length=min(e.length, end - e.onset)) for e, end in zip(alone, ends, strict=True)]


def _with_kicks(section: Laid, metre: Metre, kicks: Sequence[float]) -> list[Stroke]:
    """A root at each kick, held to the next."""
    own = sorted({kick - section.onset for kick in kicks if section.onset <= kick < section.end})
    ends = [*own[1:], section.bars * BEATS_A_BAR[metre]]
    longest = BEATS_A_BAR[metre]
    return [Stroke(on, min(end - on, longest), "R") for on, end in zip(own, ends, strict=True)]


def _pitch(
    letter: str, onset: float, spans: Sequence[Span], key: KeyOf, register: tuple[int, int], chance: Random
) -> int:
    low, high = register
    span = at(spans, onset)
    if letter in "na":
        span = next_after(spans, span)
    harmony = span.harmony
    root = low + (harmony.bass - low) % 12
    if letter == "a":
        scale = scale_over(at(spans, onset).harmony, key)
        steps = [step for step in (-2, -1, 1, 2) if abs(step) == 1 or (root + step) % 12 in scale]
        root += chance.choice(steps)
        return root + 12 if root < low else root
    if letter == "b":
        return root - 12 if root - 12 >= low else root
    tones = [tone % 12 for tone in harmony.tones] + [(harmony.root - harmony.bass) % 12]
    scale = scale_over(harmony, key)
    above = {
        "3": next((tone for tone in (4, 3, 5, 2) if tone in tones), 7),
        "5": next((tone for tone in (7, 6, 8) if tone in tones), 7),
        "6": 9 if (harmony.bass + 9) % 12 in scale else 7,
        "7": next((tone for tone in (10, 11, 9) if (harmony.bass + tone) % 12 in scale), 10),
        "8": 12,
    }.get(letter, 0)
    pitch = root + above
    return pitch if pitch <= high else pitch - 12


def _walked(
    section: Laid, metre: Metre, key: KeyOf, spans: Sequence[Span], register: tuple[int, int], chance: Random
) -> list[Event]:
    """A note a beat: roots where chords begin, tones of the chord and steps between, and before a change a step
    to the next root (as in Friedland, "Building Walking Bass Lines")."""
    low, high = register
    beat = beat_quarters(metre)
    events: list[Event] = []
    pitch = (low + high) // 2
    for number in range(section.bars * beats_of(metre)):
        onset = section.onset + number * beat
        span = at(spans, onset)
        following = next_after(spans, span)
        if onset - span.onset < beat / 2:
            pitch = nearest(pitch, {span.harmony.bass}, register)
        elif following is not span and following.onset - onset <= beat + 1e-9:
            target = nearest(pitch, {following.harmony.bass}, register)
            pitch = min(
                (target - 1, target + 1, target - 2, target + 2),
                key=lambda p: (abs(p - pitch) == 0, chance.random()),
            )
            pitch = min(max(pitch, low), high)
        else:
            strong = number % 2 == 0
            classes = set(span.harmony.classes) if strong else set(scale_over(span.harmony, key))
            upward = chance.random() < (high - pitch) / (high - low)
            pitch = nearest(pitch + (2 if upward else -2), classes - {pitch % 12}, register)
        events.append(Event(onset, beat * 0.95, pitch, _PLAIN + _ACCENT * (number % 2)))
    return events


def nearest(pitch: int, classes: set[int], register: tuple[int, int]) -> int:
    """The pitch of one of those classes, within the register, that is nearest; of two, the lower."""
    low, high = register
    found = [p for p in range(low, high + 1) if p % 12 in classes]
    return min(found, key=lambda p: (abs(p - pitch), p))
