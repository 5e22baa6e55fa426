"""A part's own sounds, cut and laid out over keys and velocities, as samplers play them.

For players outside, which know keys and not the part: where `Sampler` plays chords by recordings of chords, here
each key has notes that were recorded alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, Protocol, TypeVar

import numpy as np

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.regeneration.additive import AdditiveVoice, learn
from resonate_resources.regeneration.candidate import Part
from resonate_resources.regeneration.drum_hits import HI_HATS, Drum, Hit, best_hits, kit, stroke
from resonate_resources.regeneration.sampler import Moment, bend_of, moments_of
from resonate_resources.regeneration.velocities import db_per_velocity


class _AtVelocity(Protocol):
    @property
    def velocity(self) -> int: ...


_Recorded = TypeVar("_Recorded", bound=_AtVelocity)

MOST_SAMPLES: Final = 64
"""Of one instrument, however long the track."""
LONGEST_S: Final = 4.0
"""Of one sample: 64 of them are 74 MB in 24 bits at 48 kHz."""
MOST_SHIFT: Final = 4
"""Semitones: beyond, formants and attacks sound like another instrument's."""
_LAYERS: Final = 3
_LAYER_STEPS: Final = 24  # of velocity: under it, notes of one strength
_TURNS: Final = 4
_ZONES: Final = 24
_LONE: Final = 0.25
"""Of a part's moments: where fewer are of one note alone, those are another instrument's, or what was misheard."""
_SHORTEST_S: Final = 0.08
_BEFORE_S, _FADE_S = 0.003, 0.03
_SILENT: Final = 10 ** (-60 / 20)  # of the loudest sample's peak
_STEADY_DB_S: Final = 6.0  # what dies away faster than this is not sustained, and has no loop
_LOOPED_S: Final = 0.3
_MADE_VELOCITY: Final = 100
_USUAL_RELEASE_S: Final = 0.25  # where no end is heard
_RELEASE_S: Final = (0.05, 2.0)
_RELEASED_DB: Final = 60.0
_ENDING_DB: Final = 40.0  # as far as ends are heard
_RING_S, _STEP_S = 0.05, 0.01
_ENDS: Final = 48  # that are listened to


@dataclass(frozen=True, eq=False)
class Take:
    """One sample. sound: (2, frames). velocity: at which it is as loud as here. loop: first frame and the one
    behind the last of what may be repeated while a key is held. tune_cents: what brings it to its key."""

    sound: Samples
    velocity: int
    loop: tuple[int, int] | None = None
    tune_cents: int = 0


@dataclass(frozen=True, eq=False)
class Zone:
    """Keys that the same recordings play. layers: from velocity, to velocity, takes that take turns. recorded:
    whether they are the stem's own; else made of partials and noise learned from it. chokes: whether each stroke
    ends the others of its kind."""

    low: int
    high: int
    center: int
    layers: tuple[tuple[int, int, tuple[Take, ...]], ...]
    recorded: bool = True
    chokes: bool = False

    def takes(self) -> Iterator[Take]:
        return (take for _, _, takes in self.layers for take in takes)

    def far(self, used: Iterable[int]) -> list[int]:
        """Of the keys used, those it plays that are over four semitones from its own."""
        return [key for key in used if self.low <= key <= self.high and abs(key - self.center) > MOST_SHIFT]


@dataclass(frozen=True, eq=False)
class SampledInstrument:
    """zones: by key, none of which overlap. slope_db: louder by that for each step of velocity. release_s: how long
    a note dies away after its key is let go; None where it always rings out."""

    zones: tuple[Zone, ...]
    sample_rate: int
    slope_db: float
    release_s: float | None


def sampled(part: Part) -> SampledInstrument | None:
    """Of drums each drum's strokes, of other parts notes that cover the keys used; None where nothing sounds."""
    made = (_drums if part.stem == "drums" else _keys)(part) if part.notes else None
    return made if made and made.zones else None


def _drums(part: Part) -> SampledInstrument:
    found = kit(part)
    most = max(1, MOST_SAMPLES // len(found))
    zones = []
    for pitch, drum in found.items():
        hits = best_hits(part.notes, pitch, part.recording.duration)
        layers = [
            (low, high, tuple(_struck(part.recording, hit, drum) for hit in chosen))
            for low, high, chosen in _layered(drum.hits[: drum.turns], hits, drum.turns, most)
        ]
        zones.append(Zone(pitch, pitch, pitch, tuple(layers), chokes=pitch in HI_HATS))
    slope = float(np.mean([drum.slope_db for drum in found.values()]))
    return SampledInstrument(tuple(_audible(zones)), part.sample_rate, slope, None)


def _struck(recording: Recording, hit: Hit, drum: Drum) -> Take:
    return Take(stroke(recording, hit, drum) * np.float32(10 ** (drum.gain_db / 20)), hit.velocity)


def _keys(part: Part) -> SampledInstrument:
    alone: dict[int, list[Moment]] = {}
    moments = moments_of(part.notes, part.recording.duration)
    for moment in moments:
        if len(moment.struck) == 1 and not moment.held and moment.length_s >= _SHORTEST_S:
            alone.setdefault(moment.struck[0].pitch, []).append(moment)
    used = sorted({note.pitch for note in part.notes})
    lone = sum(map(len, alone.values())) >= _LONE * len(moments)
    recorded = _thinned(sorted(alone), _ZONES) if lone else []
    made = [pitch for pitch in used if all(abs(pitch - center) > MOST_SHIFT for center in recorded)]
    learned = learn(part)
    made = _thinned(made, max(0, _ZONES - len(recorded))) if learned else []
    slope = db_per_velocity(part, part.notes)
    voice = AdditiveVoice(learned, slope, part.sample_rate) if learned else None
    held_s = float(np.clip(np.percentile([note.duration_s for note in part.notes], 90), 0.5, LONGEST_S))
    centers = sorted([*recorded, *made])
    most = max(1, MOST_SAMPLES // max(1, len(centers)))
    zones = []
    for center in centers:
        if center in recorded:
            ranked = sorted(alone[center], key=_worth, reverse=True)
            layers = tuple(
                (soft, loud, tuple(_note(part, moment) for moment in chosen))
                for soft, loud, chosen in _layered(ranked[:1], ranked, _TURNS, most)
            )
            zones.append(Zone(center, center, center, layers))
        elif voice is not None:
            take = _made(voice, center, held_s)
            zones.append(Zone(center, center, center, ((1, 127, (take,)),), recorded=False))
    release = _release_s(part, [moment for moments in alone.values() for moment in moments])
    return SampledInstrument(tuple(_laid_out(_audible(zones), used)), part.sample_rate, slope, release)


def _release_s(part: Part, moments: Sequence[Moment]) -> float:
    """How long the part's notes take to fall by 60 dB behind their ends, in the median of those that are heard."""
    rate, step = part.sample_rate, round(_STEP_S * part.sample_rate)
    times = []
    for moment in [each for each in moments if each.gap_s - each.length_s >= _RING_S][:_ENDS]:
        end, ring = moment.start_s + moment.length_s, min(moment.gap_s - moment.length_s, _RELEASE_S[1])
        sound = part.recording.read(round(end * rate) - step, round((end + ring) * rate))
        powers = np.square(sound[:, : sound.shape[1] // step * step], dtype=np.float64).mean(axis=0)
        levels = 10 * np.log10(powers.reshape(-1, step).mean(axis=1) + 1e-12)
        fallen = levels[0] - levels[1:]
        over = np.flatnonzero(fallen >= _ENDING_DB)
        last = int(over[0]) if len(over) else len(fallen) - 1
        times.append(_RELEASED_DB * (last + 1) * _STEP_S / max(1.0, fallen[last]))
    return float(np.clip(np.median(times), *_RELEASE_S)) if times else _USUAL_RELEASE_S


def _worth(moment: Moment) -> float:
    """Longer is better, and steadier in pitch."""
    bends = [bend for _, bend in moment.struck[0].bends]
    return min(moment.length_s, LONGEST_S) - (max(bends) - min(bends) if bends else 0.0)


def _layered(
    preferred: Sequence[_Recorded], ranked: Sequence[_Recorded], turns: int, most: int
) -> Iterator[tuple[int, int, tuple[_Recorded, ...]]]:
    """From velocity, to velocity, and the takes of each layer, at most `most` in all: those that are preferred
    before the others, by rank."""
    velocities = [take.velocity for take in ranked]
    softest, loudest = min(velocities), max(velocities)
    count = min(_LAYERS, most, 1 + (loudest - softest) // _LAYER_STEPS)
    edges: list[float] = np.linspace(softest, loudest + 1, count + 1).tolist()
    chosen: list[tuple[_Recorded, ...]] = []
    for low, high in pairwise(edges):
        takes = (*preferred, *(take for take in ranked if take not in preferred))
        chosen.append(tuple([take for take in takes if low <= take.velocity < high][:turns]))
    bounds = [1, *(round(edge) for edge in edges[1:-1]), 128]
    filled = [number for number, takes in enumerate(chosen) if takes]
    for place, number in enumerate(filled):
        low = 1 if place == 0 else bounds[number]
        high = 127 if place + 1 == len(filled) else bounds[filled[place + 1]] - 1
        yield low, high, chosen[number][: max(1, most // len(filled))]


def _thinned(pitches: Sequence[int], most: int) -> list[int]:
    """At most that many of them, without those nearest to others."""
    left = list(pitches)
    while len(left) > most:
        gaps = [
            min(abs(pitch - other) for other in (*left[:at], *left[at + 1 :])) if len(left) > 1 else 0
            for at, pitch in enumerate(left)
        ]
        left.pop(int(np.argmin(gaps)))
    return left


def _note(part: Part, moment: Moment) -> Take:
    rate = part.sample_rate
    note = moment.struck[0]
    before = round(_BEFORE_S * rate)
    length_s = min(moment.length_s, LONGEST_S)
    start = round(moment.start_s * rate) - before
    stop = round((moment.start_s + min(moment.gap_s, LONGEST_S)) * rate)
    sound = np.pad(part.recording.read(start, stop), ((0, 0), (max(0, -start), 0)))
    held = min(before + round(length_s * rate), sound.shape[1])
    tune = 0
    if note.bends:
        seconds = np.linspace(0, length_s, 100)
        tune = round(float(np.clip(-100 * np.median(bend_of(note, seconds)), -100, 100)))
    return _cut(sound, held, note.velocity, rate, tune)


def _made(voice: AdditiveVoice, pitch: int, held_s: float) -> Take:
    note = Note(_BEFORE_S, _BEFORE_S + held_s, pitch, _MADE_VELOCITY)
    sound = voice.play([note], round(voice.sounding_until(note) * voice.sample_rate))
    return _cut(sound, round(note.offset_s * voice.sample_rate), _MADE_VELOCITY, voice.sample_rate, 0)


def _cut(sound: Samples, held: int, velocity: int, rate: int, tune: int) -> Take:
    """A sample whose first `held` frames are a note that is held: looped where that goes on as loud as it was."""
    sound = sound[:, : round(LONGEST_S * rate)].copy()
    held = min(held, sound.shape[1])
    loop = None
    if held >= _LOOPED_S * rate and _falls_db_s(sound[:, :held], rate) < _STEADY_DB_S:
        loop = held // 2, held
        cross = held // 8
        ramp = np.sqrt(np.linspace(0, 1, cross, dtype=np.float32))
        into = sound[:, loop[0] - cross : loop[0]]
        sound[:, held - cross : held] = sound[:, held - cross : held] * ramp[::-1] + into * ramp
        sound = sound[:, :held]
    before, fade = round(_BEFORE_S * rate), min(round(_FADE_S * rate), sound.shape[1] // 2)
    sound[:, :before] *= np.linspace(0, 1, before, dtype=np.float32)[: sound.shape[1]]
    if loop is None:
        sound[:, sound.shape[1] - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return Take(sound, velocity, loop, tune)


def _falls_db_s(sound: Samples, rate: int) -> float:
    """By how many dB a second the last third is softer than the one before."""
    third = sound.shape[1] // 3
    powers = [
        float(np.square(sound[:, at * third : (at + 1) * third], dtype=np.float64).mean()) for at in (1, 2)
    ]
    return float(10 * np.log10((powers[0] + 1e-12) / (powers[1] + 1e-12)) / (third / rate))


def _audible(zones: Sequence[Zone]) -> list[Zone]:
    """Without takes in which nothing sounds; layers reach over those that are left out."""
    peaks = {id(take): float(np.abs(take.sound).max(initial=0.0)) for zone in zones for take in zone.takes()}
    least = _SILENT * max(peaks.values(), default=0.0)
    left = []
    for zone in zones:
        heard = [
            (low, audible)
            for low, _, takes in zone.layers
            if (audible := tuple(take for take in takes if peaks[id(take)] > least))
        ]
        if heard:
            lows = [1, *(low for low, _ in heard[1:]), 128]
            layers = [(lows[at], lows[at + 1] - 1, takes) for at, (_, takes) in enumerate(heard)]
            left.append(replace(zone, layers=tuple(layers)))
    return left


def _laid_out(zones: Sequence[Zone], used: Sequence[int]) -> list[Zone]:
    """Each zone's keys: up to halfway to the next one and four semitones, but as far as there are notes."""
    laid = []
    for at, zone in enumerate(zones):
        lowest = (zones[at - 1].center + zone.center) // 2 + 1 if at else 0
        highest = (zone.center + zones[at + 1].center) // 2 if at + 1 < len(zones) else 127
        own = [pitch for pitch in used if lowest <= pitch <= highest]
        low = max(lowest, min([zone.center - MOST_SHIFT, *own]))
        high = min(highest, max([zone.center + MOST_SHIFT, *own]))
        laid.append(replace(zone, low=low, high=high))
    return laid
