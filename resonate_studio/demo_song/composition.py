"""What is played: tempo, key, form, chords and every note, drawn from one seed.

Pop in 4/4: intro, verse, chorus, outro of diatonic four-chord loops. A seed gives tempo, key, loop, grooves,
melody, lyrics of nonsense syllables and where in the stereo image things stand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from resonate_resources.recordings.midi import Note

Mode = Literal["major", "minor"]

STEM_PARTS: Mapping[str, tuple[str, ...]] = {
    "vocals": ("vocals",),
    "drums": ("drums",),
    "bass": ("bass",),
    "other": ("pad", "arpeggio", "keys"),
}
"""Stem → the parts that sound in it."""

TONIC_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
SCALES: Mapping[Mode, tuple[int, ...]] = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}

# Scale degrees (0 = tonic) of the loops most heard in pop; all start on the tonic so that the key is not in doubt.
LOOPS: Mapping[Mode, tuple[tuple[int, ...], ...]] = {
    "major": ((0, 4, 5, 3), (0, 5, 3, 4), (0, 3, 5, 4), (0, 2, 3, 4)),
    "minor": ((0, 5, 2, 6), (0, 3, 5, 6), (0, 6, 5, 6), (0, 5, 3, 4)),
}

# General MIDI percussion (GM level 1, channel 10).
KICK, SNARE, CLOSED_HAT, OPEN_HAT, CRASH = 36, 38, 42, 46, 49
TOMS = (50, 47, 45)  # high, low-mid, low


@dataclass(frozen=True)
class Section:
    """name is intro, verse, chorus or outro; start in bars from 0, length in bars."""

    name: str
    start: int
    bars: int


@dataclass(frozen=True)
class Composition:
    """A piece in 4/4 at one tempo.

    tempo_bpm: quarter notes a minute. tonic: pitch class, 0 = C. chords: pitches per bar, lowest the root.
    syllables: what is sung on each of the vocals' notes, a consonant (or none) and a vowel.
    pan: part → place in the image, −1 left … 1 right.
    """

    seed: int
    tempo_bpm: float
    tonic: int
    mode: Mode
    sections: tuple[Section, ...]
    chords: tuple[tuple[int, ...], ...]
    parts: Mapping[str, tuple[Note, ...]]
    syllables: tuple[str, ...]
    pan: Mapping[str, float]

    @property
    def key(self) -> str:
        """As musicians write it: "A minor"."""
        return f"{TONIC_NAMES[self.tonic]} {self.mode}"

    @property
    def notes(self) -> dict[str, tuple[Note, ...]]:
        """Stem → its notes by onset."""
        return {
            stem: tuple(sorted(note for part in parts for note in self.parts[part]))
            for stem, parts in STEM_PARTS.items()
        }

    @property
    def bar_seconds(self) -> float:
        return 4 * 60 / self.tempo_bpm

    @property
    def duration(self) -> float:
        """Seconds, with two seconds for the last notes to ring out."""
        return len(self.chords) * self.bar_seconds + 2.0

    @property
    def beats(self) -> tuple[float, ...]:
        """Times of the quarter notes in seconds; every fourth, from the first, is a downbeat."""
        return tuple(beat * self.bar_seconds / 4 for beat in range(4 * len(self.chords)))


def compose(seed: int = 1) -> Composition:
    """The composition of that seed, always the same one: 42–60 s long."""
    rng = np.random.default_rng(seed)
    tempo = float(rng.integers(88, 133))
    mode: Mode = "major" if rng.random() < 0.5 else "minor"
    tonic = int(rng.integers(12))
    sections = _form(tempo)
    loops = [LOOPS[mode][i] for i in rng.permutation(len(LOOPS[mode]))[:2]]
    degrees = [
        loops[1 if section.name == "chorus" else 0][bar % 4]
        for section in sections
        for bar in range(section.bars)
    ]
    degrees[-1] = 0  # the last bar comes home
    scale = _Scale(tonic, mode)
    chords = _voiced([scale.triad(degree) for degree in degrees])
    groove = _Groove(rng, 60 / tempo)
    side = 1 if rng.random() < 0.5 else -1
    spread = float(rng.uniform(0.45, 0.8))
    vocals, syllables = _vocals(groove, sections, degrees, scale)
    return Composition(
        seed=seed,
        tempo_bpm=tempo,
        tonic=tonic,
        mode=mode,
        sections=sections,
        chords=chords,
        parts={
            "vocals": vocals,
            "drums": _drums(groove, sections),
            "bass": _bass(groove, sections, chords),
            "pad": _pad(groove, sections, chords),
            "arpeggio": _arpeggio(groove, sections, chords),
            "keys": _keys(groove, sections, chords),
        },
        syllables=syllables,
        pan={
            "vocals": 0.0,
            "bass": 0.0,
            "drums": 0.0,
            "pad": 0.0,
            "arpeggio": side * spread,
            "keys": -side * spread,
        },
    )


def _form(tempo: float) -> tuple[Section, ...]:
    lengths = (2, 8, 8, 2) if tempo < 105 else (4, 8, 8, 4)
    starts = np.cumsum((0, *lengths[:-1]))
    names = ("intro", "verse", "chorus", "outro")
    return tuple(
        Section(name, int(start), bars) for name, start, bars in zip(names, starts, lengths, strict=True)
    )


@dataclass(frozen=True)
class _Scale:
    tonic: int
    mode: Mode

    def pitch(self, degree: int, octave: int) -> int:
        """MIDI number of a scale degree, counted from the tonic of that octave (C4 = 60 has octave 4)."""
        wraps, step = divmod(degree, 7)
        return 12 * (octave + 1 + wraps) + self.tonic + SCALES[self.mode][step]

    def triad(self, degree: int) -> tuple[int, int, int]:
        """Pitch classes root, third, fifth."""
        root, third, fifth = (self.pitch(degree + step, 0) % 12 for step in (0, 2, 4))
        return root, third, fifth


class _Groove:
    """Places notes on the grid with a player's small deviations."""

    def __init__(self, rng: np.random.Generator, beat_seconds: float) -> None:
        self.rng = rng
        self._beat = beat_seconds

    def note(
        self,
        bar: int,
        beat: float,
        beats: float,
        pitch: int,
        velocity: float,
        *,
        loose: float = 0.004,
    ) -> Note:
        """A note at that beat of that bar; loose is the standard deviation of its onset in seconds."""
        # Never over 2.5 deviations, so that the grid stays audible; never before the file starts.
        late = loose * float(np.clip(self.rng.standard_normal(), -2.5, 2.5))
        onset = max(0.0, (4 * bar + beat) * self._beat + late)
        loud = int(np.clip(round(velocity + 4 * self.rng.standard_normal()), 20, 127))
        begins = round(onset, 6)
        return Note(begins, begins + round(beats * self._beat, 6), pitch, loud)


def _bars(sections: tuple[Section, ...], *names: str) -> list[tuple[Section, int]]:
    """(section, bar of the song) of every bar in the sections of those names."""
    return [(s, s.start + bar) for s in sections if s.name in names for bar in range(s.bars)]


def _voiced(triads: list[tuple[int, int, int]]) -> tuple[tuple[int, ...], ...]:
    """Per bar: a root in 36…47 and three voices around A3 that move as little as they can from chord to chord."""
    voicings: list[tuple[int, ...]] = []
    previous = np.array((55, 60, 64))
    for root, third, fifth in triads:
        inversions = ((root, third, fifth), (third, fifth, root), (fifth, root, third))
        choices = []
        for classes in inversions:
            for low in range(50, 64):
                if low % 12 == classes[0]:
                    second = low + (classes[1] - low) % 12
                    choices.append(np.array((low, second, second + (classes[2] - second) % 12)))
        previous = min(choices, key=lambda voices: int(np.abs(voices - previous).sum()))
        voicings.append((36 + root, *(int(pitch) for pitch in previous)))
    return tuple(voicings)


_Beats = tuple[float, ...]
_KICKS: Mapping[str, tuple[_Beats, ...]] = {
    "verse": ((0, 2), (0, 1.5, 2.5), (0, 0.5, 2)),
    "chorus": ((0, 1, 2, 3), (0, 1.5, 2, 3.5), (0, 0.75, 2, 2.75)),
}
_Hit = tuple[float, int, float]  # beat, General MIDI percussion, velocity


def _drums(groove: _Groove, sections: tuple[Section, ...]) -> tuple[Note, ...]:
    rng = groove.rng
    kicks = {name: patterns[int(rng.integers(len(patterns)))] for name, patterns in _KICKS.items()}
    chorus_step = 0.25 if rng.random() < 0.4 else 0.5
    tom = TOMS[int(rng.integers(1, 3))]
    hits: list[tuple[int, _Hit]] = []
    for section, bar in _bars(sections, *(section.name for section in sections)):
        first, last = bar == section.start, bar == section.start + section.bars - 1
        if first and section.name != "intro":
            hits.append((bar, (0, CRASH, 102)))
        if section.name == "intro":
            pattern: list[_Hit] = [(beat, CLOSED_HAT, 70) for beat in range(4)]
        elif section.name == "outro":
            pattern = [(0, KICK, 112)] if first else [(0, KICK, 90), (2, KICK, 90)]
        else:
            step = chorus_step if section.name == "chorus" else 0.5
            pattern = _beat(kicks[section.name], step, opened=section.name == "chorus")
        if last and section.name != "outro":
            pattern = [hit for hit in pattern if hit[0] < 3]
            pattern += [(3, SNARE, 86), (3.25, SNARE, 94), (3.5, TOMS[0], 102), (3.75, tom, 110)]
        hits += [(bar, hit) for hit in pattern]
    return tuple(
        sorted(
            groove.note(bar, beat, 0.25, pitch, velocity, loose=0.003)
            for bar, (beat, pitch, velocity) in hits
        )
    )


def _beat(kicks: _Beats, hat_step: float, *, opened: bool) -> list[_Hit]:
    """A bar with the snare on two and four; opened lets one hi-hat ring."""
    hats = [
        (
            i * hat_step,
            OPEN_HAT if opened and i * hat_step == 2.5 else CLOSED_HAT,
            90.0 if i * hat_step % 1 == 0 else 66.0,
        )
        for i in range(round(4 / hat_step))
    ]
    return [*((beat, KICK, 112.0) for beat in kicks), (1, SNARE, 108), (3, SNARE, 108), *hats]


def _bass(
    groove: _Groove, sections: tuple[Section, ...], chords: tuple[tuple[int, ...], ...]
) -> tuple[Note, ...]:
    rng = groove.rng
    # (beat, length in beats, semitones over the root)
    verse = (
        ((0, 1.4, 0), (1.5, 0.9, 0), (2.5, 1.4, 7)),
        ((0, 0.9, 0), (1, 0.4, 0), (1.5, 1.3, 7), (3, 0.9, 0)),
    )[int(rng.integers(2))]
    chorus = (
        tuple((beat / 2, 0.45, 12 if beat in (3, 6) else 0) for beat in range(8)),
        ((0, 0.7, 0), (0.75, 0.7, 0), (1.5, 0.45, 12), (2, 0.7, 0), (2.75, 0.7, 7), (3.5, 0.45, 12)),
    )[int(rng.integers(2))]
    notes = []
    for section, bar in _bars(sections, "verse", "chorus", "outro"):
        # E1 is the lowest string of a bass guitar.
        root = chords[bar][0] if chords[bar][0] < 40 else chords[bar][0] - 12
        pattern = {"verse": verse, "chorus": chorus}.get(section.name, ((0, 3.8, 0),))
        notes += [groove.note(bar, beat, beats, root + step, 98) for beat, beats, step in pattern]
    return tuple(sorted(_one_at_a_time(sorted(notes))))


def _pad(
    groove: _Groove, sections: tuple[Section, ...], chords: tuple[tuple[int, ...], ...]
) -> tuple[Note, ...]:
    return tuple(
        sorted(
            groove.note(bar, 0, 3.9, pitch, 84 if section.name == "chorus" else 70, loose=0.006)
            for section, bar in _bars(sections, "intro", "chorus", "outro")
            for pitch in chords[bar][1:]
        )
    )


def _arpeggio(
    groove: _Groove, sections: tuple[Section, ...], chords: tuple[tuple[int, ...], ...]
) -> tuple[Note, ...]:
    order = ((0, 1, 2, 1), (0, 2, 1, 2), (2, 1, 0, 1))[int(groove.rng.integers(3))]
    notes = []
    for section, bar in _bars(sections, "intro", "verse", "chorus"):
        steps = 16 if section.name == "chorus" else 8
        for step in range(steps):
            pitch = chords[bar][1 + order[step % 4]] + (24 if steps == 16 and step % 8 == 7 else 12)
            notes.append(groove.note(bar, 4 * step / steps, 3.2 / steps, pitch, 84 if step % 4 == 0 else 68))
    return tuple(sorted(notes))


def _keys(
    groove: _Groove, sections: tuple[Section, ...], chords: tuple[tuple[int, ...], ...]
) -> tuple[Note, ...]:
    rhythm = {
        "verse": (((0, 0.9), (1.5, 0.4), (2.5, 1.2)), ((0.5, 0.4), (1.5, 0.4), (2.5, 0.4), (3.5, 0.4)))[
            int(groove.rng.integers(2))
        ],
        "chorus": (((0, 1.4), (1.5, 1.4), (3, 0.9)), ((0, 0.9), (1, 0.9), (2, 0.9), (3, 0.9)))[
            int(groove.rng.integers(2))
        ],
    }
    return tuple(
        sorted(
            groove.note(bar, beat, beats, pitch, 82, loose=0.005)
            for section, bar in _bars(sections, "verse", "chorus")
            for beat, beats in rhythm[section.name]
            for pitch in chords[bar][1:]
        )
    )


def _vocals(
    groove: _Groove, sections: tuple[Section, ...], degrees: list[int], scale: _Scale
) -> tuple[tuple[Note, ...], tuple[str, ...]]:
    """Two-bar phrases of one motif per section: chord tones on the beat, steps between, a breath at the end.

    Gives the notes, and the syllable that is sung on each.
    """
    rng = groove.rng
    rhythms = (
        (0, 0.5, 1, 2, 2.5, 3, 4, 5.5),
        (0.5, 1, 1.5, 2, 3, 3.5, 4, 4.5, 5),
        (0, 1, 1.5, 2.5, 3, 4, 5),
    )
    octave = 4 if scale.tonic < 3 else 3  # the tonic in D#3…D4, so a tenor up to C#5
    sung: list[tuple[Note, str]] = []
    for name, rhythm_index in zip(("verse", "chorus"), rng.permutation(len(rhythms)), strict=False):
        rhythm = rhythms[int(rhythm_index)]
        contour = np.clip(np.cumsum(rng.integers(-1, 2, len(rhythm))), -2, 2) + (2 if name == "verse" else 4)
        words = [f"{rng.choice(_CONSONANTS)}{rng.choice(_VOWELS)}" for _ in range(2 * len(rhythm))]
        for section in (s for s in sections if s.name == name):
            for phrase in range(section.bars // 2):
                bar = section.start + 2 * phrase
                ends = [*rhythm[1:], rhythm[-1] + 1.5]
                for i, (beat, end) in enumerate(zip(rhythm, ends, strict=True)):
                    degree = int(contour[i]) + (-1 if phrase % 4 == 3 and i > len(rhythm) // 2 else 0)
                    if beat == int(beat):
                        degree = _nearest_chord_tone(degree, degrees[bar + int(beat) // 4])
                    pitch = scale.pitch(degree, octave)
                    word = words[(phrase % 2) * len(rhythm) + i]
                    length = (end - beat) * (0.95 if end - beat <= 1 else 0.85)
                    sung.append((groove.note(bar, beat, length, pitch, 92, loose=0.008), word))
    notes, syllables = zip(*sorted(sung), strict=True)
    return tuple(_one_at_a_time(notes)), syllables


_CONSONANTS = ("", "s", "t", "m", "l", "sh", "n", "k")
_VOWELS = ("a", "e", "i", "o", "u")


def _nearest_chord_tone(degree: int, root: int) -> int:
    chord_tones = (d for d in range(degree - 3, degree + 4) if (d - root) % 7 in (0, 2, 4))
    return min(chord_tones, key=lambda tone: abs(tone - degree))


def _one_at_a_time(notes: Sequence[Note]) -> list[Note]:
    """The notes of a monophonic part, each ended before the next begins."""
    cut = [
        replace(note, offset_s=min(note.offset_s, following.onset_s)) for note, following in pairwise(notes)
    ]
    return [*cut, *notes[-1:]]
