"""Bars that repeat without a seam.

The last milliseconds of a loop become those before its first bar: its end runs into its start as in the recording.
Where nothing is before it, its first ones become those after its last bar.
"""

from __future__ import annotations

import math
import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.recordings.tempo_map import TICKS_PER_BEAT, TempoMap, TimeSignature

_CROSSFADE_S = 0.01
_SILENCE_DB = -60.0  # of full scale: a stem that does not play
_MOST_STARTS = 4  # of each length, where no sections are known
_OF_ANOTHER_METRE = 4  # so many bars in a row are a part in another time signature, fewer are odd bars


@dataclass(frozen=True)
class Bar:
    """Ticks of a tempo map, and the time signature."""

    tick: int
    ticks: int
    numerator: int
    denominator: int

    @property
    def signature(self) -> tuple[int, int]:
        return self.numerator, self.denominator


@dataclass(frozen=True)
class Loop:
    """bar: from which it begins, counted from 1. beats: three eighths each in 6/8, as the track's tempo counts.
    tempo_bpm: beats a minute that its length is exactly."""

    bar: int
    bars: int
    section: str
    start_s: float
    length_s: float
    beats: float
    numerator: int
    denominator: int

    @property
    def tempo_bpm(self) -> float:
        return 60 * self.beats / self.length_s


def bars_of(tempo: TempoMap, duration_s: float) -> list[Bar]:
    """Whole bars of a recording; none where bars are not known."""
    bars: list[Bar] = []
    if not tempo.signatures:
        return bars
    ends = [*(signature[0] for signature in tempo.signatures[1:]), tempo.tick(duration_s)]
    for (at, numerator, denominator), end in zip(tempo.signatures, ends, strict=True):
        ticks = numerator * 4 * TICKS_PER_BEAT // denominator
        bars += [Bar(tick, ticks, numerator, denominator) for tick in range(at, end - ticks + 1, ticks)]
    return bars


def choose_loops(
    tempo: TempoMap,
    bars: Sequence[Bar],
    levels_db: npt.NDArray[np.float64],
    sections: Sequence[tuple[float, str]],
    count: int,
) -> list[Loop]:
    """Loops of so many bars: of each kind of section the loudest that is so long, from the first bar in it that so
    many whole ones begin with; without sections the loudest stretches, no two overlapping.

    levels_db: of each bar. sections: (start in seconds, label), in order of time.
    """
    odd = _odd(tempo, bars)
    whole = [
        first
        for first in range(len(bars) - count + 1)
        if not odd.intersection(range(first, first + count))
        and all(bar.ticks == bars[first].ticks for bar in bars[first : first + count])
        and bars[first + count - 1].tick - bars[first].tick == (count - 1) * bars[first].ticks
    ]
    power = {first: float(np.mean(10 ** (levels_db[first : first + count] / 10))) for first in whole}
    if not sections:
        chosen: dict[int, str] = {}
        for first in sorted(whole, key=lambda each: -power[each]):
            if len(chosen) < _MOST_STARTS and all(abs(first - other) >= count for other in chosen):
                chosen[first] = ""
        return [_loop(tempo, bars, first, count, label) for first, label in sorted(chosen.items())]
    starts = np.array([tempo.second(bar.tick) for bar in bars])
    begun = [int(np.abs(starts - second).argmin()) for second, _ in sections] if len(bars) else []
    best: dict[str, int] = {}
    for (begin, end), (_, label) in zip(pairwise([*begun, len(bars)]), sections, strict=False):
        fitting = [first for first in range(begin, end - count + 1) if first in power][:1]
        if fitting and power[fitting[0]] > power.get(best.get(label, -1), -1.0):
            best[label] = fitting[0]
    return [
        _loop(tempo, bars, first, count, label) for label, first in sorted(best.items(), key=lambda at: at[1])
    ]


def _odd(tempo: TempoMap, bars: Sequence[Bar]) -> set[int]:
    """Bars to loop over none of: those before the first beat, whose tempo nobody heard, and the few in a row of
    another time signature than most of the track has, as where beats before the first downbeat are one."""
    held: Counter[tuple[int, int]] = Counter()
    for bar in bars:
        held[bar.signature] += bar.ticks
    usual = max(held, key=lambda signature: held[signature], default=None)
    odd = {number for number, bar in enumerate(bars) if bar.tick < tempo.first_beat}
    for signature, row in groupby(range(len(bars)), key=lambda number: bars[number].signature):
        numbers = [*row]
        if signature != usual and len(numbers) < _OF_ANOTHER_METRE:
            odd.update(numbers)
    return odd


def _loop(tempo: TempoMap, bars: Sequence[Bar], first: int, count: int, section: str) -> Loop:
    bar = bars[first]
    start, end = tempo.second(bar.tick), tempo.second(bar.tick + count * bar.ticks)
    return Loop(
        bar=first + 1,
        bars=count,
        section=section,
        start_s=start,
        length_s=end - start,
        beats=count * bar.ticks / TimeSignature(start, bar.numerator, bar.denominator).beat_ticks,
        numerator=bar.numerator,
        denominator=bar.denominator,
    )


def levels_of_bars(recording: Recording, tempo: TempoMap, bars: Sequence[Bar]) -> npt.NDArray[np.float64]:
    """RMS of each bar in dB of full scale, −120 at least; read bar by bar."""
    levels = []
    for bar in bars:
        start_s, end_s = tempo.second(bar.tick), tempo.second(bar.tick + bar.ticks)
        samples = recording.read(round(start_s * recording.sample_rate), round(end_s * recording.sample_rate))
        levels.append(10 * math.log10(max(float(np.square(samples, dtype=np.float64).mean()), 1e-12)))
    return np.array(levels)


def looped(recording: Recording, loop: Loop) -> Samples | None:
    """(channels, frames), as long as the loop's length to the frame; None of a stem that does not play there."""
    rate = recording.sample_rate
    start, length = round(loop.start_s * rate), round(loop.length_s * rate)
    fade = min(round(_CROSSFADE_S * rate), length // 2)
    body = recording.read(start, start + length)
    body = np.pad(body, ((0, 0), (0, length - body.shape[1])))
    if 10 * math.log10(max(float(np.square(body, dtype=np.float64).mean()), 1e-12)) < _SILENCE_DB:
        return None
    part = (0.5 - 0.5 * np.cos(np.pi * (np.arange(fade) + 1) / fade)).astype(np.float32)
    if start >= fade:
        lead_in = recording.read(start - fade, start)
        body[:, length - fade :] = (1 - part) * body[:, length - fade :] + part * lead_in
        return body
    after = recording.read(start + length, start + length + fade)
    if after.shape[1] < fade:  # nothing on either side: from silence into silence
        after = np.zeros_like(body[:, :fade])
        body[:, length - fade :] *= 1 - part
    body[:, :fade] = (1 - part) * after + part * body[:, :fade]
    return body


def loop_name(source: str, loop: Loop) -> str:
    """`Loop_vocals_bar017_4bars_128.00bpm.wav`."""
    plural = "s" if loop.bars > 1 else ""
    return f"Loop_{source}_bar{loop.bar:03d}_{loop.bars}bar{plural}_{loop.tempo_bpm:.2f}bpm.wav"


def mark_loop(path: Path, frames: int, sample_rate: int, loop: Loop) -> None:
    """Tell samplers that a WAV file is a loop, and of which tempo: chunks `smpl` (RIFF WAVE, Microsoft 1994) and
    `acid` (Sony ACID; as libsndfile reads it), behind the audio."""
    period = round(1e9 / sample_rate)
    sampler = struct.pack("<9I", 0, 0, period, 60, 0, 0, 0, 1, 0) + struct.pack(
        "<6I", 0, 0, 0, frames - 1, 0, 0
    )
    # 4: goes with the tempo, without a root note. What stands between is not known; others write it so.
    acid = struct.pack(
        "<IHHfIHHf", 4, 60, 0x8000, 0.0, round(loop.beats), loop.denominator, loop.numerator, loop.tempo_bpm
    )
    more = b"".join(
        name + struct.pack("<I", len(body)) + body for name, body in ((b"smpl", sampler), (b"acid", acid))
    )
    with path.open("r+b") as file:
        file.seek(0, 2)
        size = file.tell()
        file.write(more)
        file.seek(4)
        file.write(struct.pack("<I", size + len(more) - 8))
