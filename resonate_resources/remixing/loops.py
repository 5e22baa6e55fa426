"""Bars that repeat without a seam.

The last milliseconds of a loop become those before its first bar: its end runs into its start as in the recording.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.recordings.tempo_map import TICKS_PER_BEAT, TempoMap

_CROSSFADE_S = 0.01
_SILENCE_DB = -60.0  # of full scale: a stem that does not play
_MOST_STARTS = 4  # of each length, where no sections are known


@dataclass(frozen=True)
class Bar:
    """Ticks of a tempo map, and the time signature."""

    tick: int
    ticks: int
    numerator: int
    denominator: int


@dataclass(frozen=True)
class Loop:
    """bar: from which it begins, counted from 1. tempo_bpm: quarter notes a minute that its length is exactly."""

    bar: int
    bars: int
    section: str
    start_s: float
    length_s: float
    quarters: float
    numerator: int
    denominator: int

    @property
    def tempo_bpm(self) -> float:
        return 60 * self.quarters / self.length_s


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
    """Loops of so many bars: of each kind of section the loudest that is so long, from its first bar; without
    sections the loudest stretches, no two overlapping.

    levels_db: of each bar. sections: (start in seconds, label), in order of time.
    """
    # A bar that is shorter or longer than its neighbours is none to loop over.
    whole = [
        first
        for first in range(len(bars) - count + 1)
        if all(bar.ticks == bars[first].ticks for bar in bars[first : first + count])
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
    for (first, end), (_, label) in zip(pairwise([*begun, len(bars)]), sections, strict=False):
        if first in power and first + count <= end and power[first] > power.get(best.get(label, -1), -1.0):
            best[label] = first
    return [
        _loop(tempo, bars, first, count, label) for label, first in sorted(best.items(), key=lambda at: at[1])
    ]


def _loop(tempo: TempoMap, bars: Sequence[Bar], first: int, count: int, section: str) -> Loop:
    bar = bars[first]
    start, end = tempo.second(bar.tick), tempo.second(bar.tick + count * bar.ticks)
    return Loop(
        bar=first + 1,
        bars=count,
        section=section,
        start_s=start,
        length_s=end - start,
        quarters=count * bar.ticks / TICKS_PER_BEAT,
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
    before = min(fade, start)
    samples = np.pad(recording.read(start - before, start + length), ((0, 0), (fade - before, 0)))
    samples = np.pad(samples, ((0, 0), (0, fade + length - samples.shape[1])))
    lead_in, body = samples[:, :fade], samples[:, fade:].copy()
    if 10 * math.log10(max(float(np.square(body, dtype=np.float64).mean()), 1e-12)) < _SILENCE_DB:
        return None
    part = (0.5 - 0.5 * np.cos(np.pi * (np.arange(fade) + 1) / fade)).astype(np.float32)
    body[:, length - fade :] = (1 - part) * body[:, length - fade :] + part * lead_in
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
    beats = round(loop.quarters * loop.denominator / 4)
    # 4: goes with the tempo, without a root note. What stands between is not known; others write it so.
    acid = struct.pack(
        "<IHHfIHHf", 4, 60, 0x8000, 0.0, beats, loop.denominator, loop.numerator, loop.tempo_bpm
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
