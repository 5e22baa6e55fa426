"""A track's beats as the grids of DJ programs hold them: runs of beats that each keep one tempo.

A beat is what is counted and danced to: a note of the signature's denominator, three eighths in 6/8, 9/8 and 12/8.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from resonate_resources.exporting.song import Song
from resonate_resources.recordings.tempo_map import TICKS_PER_BEAT, TimeSignature, signature_at


@dataclass(frozen=True)
class Run:
    """Beats at bpm from second on, as many as `beats` until the next run begins (in the last run, until the last
    beat that was tracked). place: its first beat's in the bar, from 1. beats_a_bar, beat_note: 4, 4 in 4/4; 2, 4
    in 6/8, whose beats no such fraction has."""

    second: float
    bpm: float
    beats: int
    place: int
    beats_a_bar: int
    beat_note: int


@dataclass(frozen=True)
class _Counted:
    """A tracked beat. number: of the beats before it, those in pauses included."""

    second: float
    number: int
    place: int
    down: bool
    beats_a_bar: int
    beat_note: int


def steady_runs(
    song: Song, within_s: float, *, rounded: bool = False, bars_of: int | None = None
) -> tuple[Run, ...]:
    """Runs that have every tracked beat within `within_s` of where it is; none with fewer than two beats.

    A run ends with the tempo, and where the next downbeat is not where counting on would have it. rounded: seconds
    to thousandths and tempi to hundredths, which within_s then counts in; else a run's tempo is exactly what leads
    to the next. bars_of: a grid that knows only bars of so many beats and begins one with every run.
    """
    beats = _counted(song)
    runs: list[Run] = []
    first = start = 0
    while start < len(beats) - 1:
        end, period = _reach(beats, start, within_s, rounded, bars_of)
        runs.append(_run(beats[start], beats[end].number - beats[start].number, period, rounded))
        first, start = start, end
    if runs and _begins_anew(beats[start], beats[first], bars_of):
        runs.append(_run(beats[start], 0, 60 / runs[-1].bpm, rounded))
    return tuple(runs)


def _counted(song: Song) -> list[_Counted]:
    signatures = sorted(song.grid.time_signatures, key=lambda signature: signature.start_s)
    tracked = song.beats()
    of_each = [signature_at(signatures, beat.second) for beat in tracked]
    numbers = [0] if tracked else []
    for before, beat, signature in zip(tracked, tracked[1:], of_each, strict=False):
        quarters = signature.beat_ticks / TICKS_PER_BEAT
        numbers.append(numbers[-1] + max(1, round((beat.quarter - before.quarter) / quarters)))
    bar_begins = next((number for number, beat in zip(numbers, tracked, strict=True) if beat.down), 0)
    counted = []
    for number, beat, signature in zip(numbers, tracked, of_each, strict=True):
        if beat.down:
            bar_begins = number
        beats_a_bar, beat_note = _metre(signature)
        place = 1 + (number - bar_begins) % beats_a_bar
        counted.append(_Counted(beat.second, number, place, beat.down, beats_a_bar, beat_note))
    return counted


def _metre(signature: TimeSignature) -> tuple[int, int]:
    beats_a_bar = signature.bar_ticks // signature.beat_ticks
    return beats_a_bar, signature.denominator if beats_a_bar == signature.numerator else 4


def _reach(
    beats: list[_Counted], start: int, within_s: float, rounded: bool, bars_of: int | None
) -> tuple[int, float]:
    """(the beat that a run from `start` leads to, its seconds a beat)."""
    first = beats[start]
    second = round(first.second, 3) if rounded else first.second
    shortest, longest = 0.0, math.inf  # periods that pass within reach of all beats so far
    end, chosen = start + 1, 0.0
    for at in range(start + 1, len(beats)):
        count = beats[at].number - first.number
        period = (beats[at].second - second) / count
        shortest = max(shortest, period - within_s / count)
        longest = min(longest, period + within_s / count)
        if shortest > longest:
            break
        held = _hundredths(shortest, longest) if rounded else period
        if chosen == 0.0 or (held is not None and shortest <= held <= longest):
            end, chosen = at, held or period
        if _begins_anew(beats[at], first, bars_of):
            break
    return end, chosen


def _hundredths(shortest: float, longest: float) -> float | None:
    """The period of the BPM with two decimals that lies in the middle of what these periods allow."""
    if shortest <= 0:
        return None
    bpm = round(60 / ((shortest + longest) / 2), 2)
    return 60 / bpm if bpm and shortest <= 60 / bpm <= longest else None


def _begins_anew(beat: _Counted, first: _Counted, bars_of: int | None) -> bool:
    """Whether who counts bars on from `first` would not have one begin with this downbeat, or other bars."""
    if bars_of:
        return beat.down and (beat.number - first.number) % bars_of != 0
    if (beat.beats_a_bar, beat.beat_note) != (first.beats_a_bar, first.beat_note):
        return True
    return beat.down and (first.place - 1 + beat.number - first.number) % first.beats_a_bar != 0


def _run(first: _Counted, beats: int, period: float, rounded: bool) -> Run:
    second, bpm = first.second, 60 / period
    if rounded:
        second, bpm = round(second, 3), round(bpm, 2)
    return Run(second, bpm, beats, first.place, first.beats_a_bar, first.beat_note)
