"""Where the beats and bars of a track lie, and the ticks that a MIDI file counts them in.

A file's first tick is the recording's first sample. So that bars are bars in a sequencer, what comes before the
first beat is a bar of some sixteenths, the beats before the first downbeat one of their own (in one bar of, say,
9/16 a sequencer would count dotted beats); so is a bar that has more or fewer beats than its time signature.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

TICKS_PER_BEAT = 960
"""A quarter note's: 0.5 ms at 120 BPM."""
RULER_BPM = 120.0
"""What a MIDI file without a tempo means (Standard MIDI Files 1.0)."""
_SLOWEST_BPM = 4.0  # set_tempo has 24 bits for the microseconds of a quarter note
_SIXTEENTH = TICKS_PER_BEAT // 4
_TRIPLET = TICKS_PER_BEAT // 3
_USUAL_BEATS = 8  # on either side of a pause tell how many beats it lasts
_WITHIN_S = 0.008
"""How far beats may lie from the ticks of a tempo that holds for several: they are heard in steps of 10 ms; what
is nearer is no change of tempo."""
_FIRST_OFF_S = tuple(0.001 * step for step in range(-6, 7))
_AT_START_S = 0.01  # a first beat so early is the start
_SWUNG = 0.58
"""Half-way from straight eighths (0.5) to triplets (0.67): from here on beats are parted in three."""


@dataclass(frozen=True)
class TimeSignature:
    """numerator notes of that denominator a bar, from start_s on. 6/8, 9/8 and 12/8 have beats of three eighths."""

    start_s: float
    numerator: int
    denominator: int

    @property
    def beat_ticks(self) -> int:
        eighths = 3 if self.denominator == 8 and self.numerator in (6, 9, 12) else 8 // self.denominator
        return eighths * TICKS_PER_BEAT // 2

    @property
    def bar_ticks(self) -> int:
        return self.numerator * 4 * TICKS_PER_BEAT // self.denominator


@dataclass(frozen=True)
class Grid:
    """Beats and downbeats in seconds, rising, downbeats among the beats; none where there are none to be heard.

    swing: where in a beat its second half begins, 0.5 straight, 0.67 in triplets; None is straight.
    """

    beats_s: Sequence[float] = ()
    downbeats_s: Sequence[float] = ()
    time_signatures: Sequence[TimeSignature] = ()
    swing: float | None = None


@dataclass(frozen=True)
class Anchor:
    """A tick, its second by the tempi before it, and the microseconds of a quarter note from it on."""

    tick: int
    second: float
    tempo: int


@dataclass(frozen=True)
class TempoMap:
    """anchors: from tick 0 on, rising. signatures: (tick, numerator, denominator). known: False where it is only a
    ruler. step: ticks of the finest note, to which is quantised, counted from the first beat's tick. beats: ticks
    of the beats that were tracked, whole beats apart; none with fewer than two."""

    anchors: tuple[Anchor, ...]
    signatures: tuple[tuple[int, int, int], ...] = ()
    known: bool = True
    step: int = _SIXTEENTH
    first_beat: int = 0
    beats: tuple[int, ...] = ()

    @classmethod
    def steady(cls, tempo_bpm: float | None) -> TempoMap:
        """One tempo, in quarter notes a minute; None: it is not known. Raises ValueError under 4 BPM."""
        bpm = RULER_BPM if tempo_bpm is None else tempo_bpm
        if not bpm >= _SLOWEST_BPM:
            raise ValueError(f"a MIDI file cannot hold a tempo of {tempo_bpm} BPM")
        return cls((Anchor(0, 0.0, round(6e7 / bpm)),), known=tempo_bpm is not None)

    @classmethod
    def of(cls, grid: Grid, tempo_bpm: float | None) -> TempoMap:
        """Tempi that hold as long as beats fall on their ticks, within 8 ms; with fewer than two beats, tempo_bpm
        all along."""
        if len(grid.beats_s) < 2:
            return cls.steady(tempo_bpm)
        signatures = sorted(grid.time_signatures, key=lambda signature: signature.start_s)
        beats = np.asarray(grid.beats_s, float)
        if beats[0] < _AT_START_S:
            beats[0] = 0.0
        ticks = _beat_ticks(beats, signatures)
        joints = _joints(ticks, beats, free=bool(beats[0]))
        if beats[0] > 0:
            joints = [(0, 0.0), *joints]
        anchors: list[Anchor] = []
        second = 0.0
        for (begins, _), (ends, following) in pairwise(joints):
            # What the file says is rounded to µs a quarter: each tempo makes up for those before it.
            tempo = max(1, round((following - second) * 1e6 * TICKS_PER_BEAT / (ends - begins)))
            if not anchors or anchors[-1].tempo != tempo:
                anchors.append(Anchor(begins, second, tempo))
            second += (ends - begins) * tempo / TICKS_PER_BEAT / 1e6
        at = dict(zip(beats.tolist(), ticks, strict=True))
        downbeats = [at[float(beats[np.abs(beats - second).argmin()])] for second in grid.downbeats_s]
        quarters = all(signature.beat_ticks == TICKS_PER_BEAT for signature in signatures)
        swung = quarters and grid.swing is not None and grid.swing >= _SWUNG
        return cls(
            tuple(anchors),
            tuple(_told(_bars(downbeats, signatures, grid.downbeats_s))) if signatures else (),
            step=_TRIPLET if swung else _SIXTEENTH,
            first_beat=ticks[0],
            beats=tuple(ticks),
        )

    def tick(self, second: float) -> int:
        anchor = self._holding_at(second)
        return anchor.tick + round((second - anchor.second) * 1e6 / anchor.tempo * TICKS_PER_BEAT)

    def quarter(self, second: float) -> float:
        """Quarter notes from tick 0, between ticks where it is."""
        anchor = self._holding_at(second)
        return anchor.tick / TICKS_PER_BEAT + (second - anchor.second) * 1e6 / anchor.tempo

    def _holding_at(self, second: float) -> Anchor:
        return self.anchors[max(bisect_right(self.anchors, second, key=lambda known: known.second) - 1, 0)]

    def second(self, tick: int) -> float:
        anchor = self.anchors[max(bisect_right(self.anchors, tick, key=lambda known: known.tick) - 1, 0)]
        return anchor.second + (tick - anchor.tick) * anchor.tempo / TICKS_PER_BEAT / 1e6

    def quantised(self, tick: int) -> int:
        """The nearest sixteenth, or third of a quarter note where beats are swung."""
        return max(self.first_beat + round((tick - self.first_beat) / self.step) * self.step, 0)

    def place(self, tick: int) -> tuple[int, float]:
        """Bar and beat, both from 1; a beat is a note of the signature's denominator. 4/4 where nothing is said."""
        bar, begun, bar_ticks, beat_ticks = 1, 0, 4 * TICKS_PER_BEAT, TICKS_PER_BEAT
        for at, numerator, denominator in self.signatures:
            if at > tick:
                break
            bar += -(-(at - begun) // bar_ticks)
            begun, beat_ticks = at, 4 * TICKS_PER_BEAT // denominator
            bar_ticks = numerator * beat_ticks
        bars, within = divmod(tick - begun, bar_ticks)
        return bar + bars, 1 + within / beat_ticks


def _joints(
    ticks: Sequence[int], beats: np.typing.NDArray[np.float64], free: bool
) -> list[tuple[int, float]]:
    """(tick, second) of joints between which beats lie within reach of straight lines, each as long as it can be.

    free: the first beat may be off as all others may. A line that had to begin just where it was heard would end
    after a few bars of a steady tempo: heard in steps of 10 ms, two beats may be 10 ms off each other.
    """
    first = float(beats[0])
    begins = [first + off for off in sorted(_FIRST_OFF_S, key=abs) if first + off > 0] if free else [first]
    ends = [_line(ticks, beats, 0, begin)[0] for begin in begins]
    joints = [(ticks[0], begins[int(np.argmax(ends))])]
    start = 0
    while start < len(beats) - 1:
        start, second = _line(ticks, beats, start, joints[-1][1])
        joints.append((ticks[start], second))
    return joints


def _line(
    ticks: Sequence[int], beats: np.typing.NDArray[np.float64], start: int, begin: float
) -> tuple[int, float]:
    """(the last beat that a line from that second at a beat reaches, the line's second there)."""
    end = start + 1
    slowest, fastest = 0.0, np.inf  # seconds a tick of lines that pass within reach of all beats so far
    slopes = (slowest, fastest)
    for at in range(start + 1, len(beats)):
        across = ticks[at] - ticks[start]
        slowest = max(slowest, (beats[at] - begin - _WITHIN_S) / across)
        fastest = min(fastest, (beats[at] - begin + _WITHIN_S) / across)
        if slowest > fastest:
            break
        end, slopes = at, (slowest, fastest)
    # Of these, the nearest to the tempo of the beats themselves: over two or three, where it begins tells nothing.
    tempo = np.polyfit(np.subtract(ticks[start : end + 1], ticks[start]), beats[start : end + 1], 1)[0]
    return end, begin + float(np.clip(tempo, *slopes)) * (ticks[end] - ticks[start])


def _beat_ticks(beats: np.typing.NDArray[np.float64], signatures: Sequence[TimeSignature]) -> list[int]:
    """The tick of every beat. A pause counts as the beats that would have been in it, what is before the first one
    as the sixteenths."""
    gaps = np.diff(beats)
    ticks: list[int] = []
    for number, second in enumerate(beats.tolist()):
        beat = signature_at(signatures, second).beat_ticks
        if not ticks:
            usual = float(np.median(gaps[:_USUAL_BEATS]))
            sixteenths = max(1, round(second / usual * beat / _SIXTEENTH)) if second else 0
            ticks.append(sixteenths * _SIXTEENTH)
            continue
        usual = float(np.median(gaps[max(number - _USUAL_BEATS, 0) : number + _USUAL_BEATS]))
        before = signature_at(signatures, float(beats[number - 1])).beat_ticks
        ticks.append(ticks[-1] + before * max(1, round(float(gaps[number - 1]) / usual)))
    return ticks


def signature_at(signatures: Sequence[TimeSignature], second: float) -> TimeSignature:
    """The one that holds at that time, the first one before it begins; 4/4 where there is none."""
    begun = [known for known in signatures if known.start_s <= second + _AT_START_S]
    return (begun[-1:] or signatures[:1] or [TimeSignature(0.0, 4, 4)])[0]


def _bars(
    downbeats: Sequence[int], signatures: Sequence[TimeSignature], seconds: Sequence[float]
) -> Iterator[tuple[int, int, int]]:
    """(tick, numerator, denominator) of every bar or row of bars. What no bar fills comes first: what no beat
    fills, then beats."""
    told = [signature_at(signatures, second) for second in seconds]
    starts = [0, *downbeats] if downbeats and downbeats[0] > 0 else list(downbeats)
    told = [told[0], *told] if len(starts) > len(told) else told
    for (start, end), signature in zip(pairwise(starts), told, strict=False):
        odd = (end - start) % signature.bar_ticks
        part = odd % signature.beat_ticks
        if part:
            yield start, *_shortest(part)
        if odd > part:
            yield start + part, *_shortest(odd - part)
        if end - start > odd:
            yield start + odd, signature.numerator, signature.denominator
    if starts:
        yield starts[-1], told[-1].numerator, told[-1].denominator


def _shortest(ticks: int) -> tuple[int, int]:
    """A time signature of that length, in the longest notes that fill it: quarters, eighths or sixteenths."""
    return next(
        (ticks * d // 4 // TICKS_PER_BEAT, d) for d in (4, 8, 16) if not ticks * d % (4 * TICKS_PER_BEAT)
    )


def _told(bars: Iterator[tuple[int, int, int]]) -> Iterator[tuple[int, int, int]]:
    """Of signatures that follow each other unchanged the first."""
    last: tuple[int, int] | None = None
    for at, numerator, denominator in bars:
        if (numerator, denominator) != last:
            yield at, numerator, denominator
        last = numerator, denominator
