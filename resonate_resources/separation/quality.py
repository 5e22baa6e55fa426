"""How good stems are, window by window: measured where the truth is known, predicted where it is not."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from resonate_resources.recordings.recording import Recording, Stems
from resonate_resources.signal.si_sdr import measure_si_sdr, si_sdr

WINDOW_SECONDS = 10.0
SILENCE_DBFS = -70.0
"""RMS below which a window holds no sound: the absolute gate of ITU-R BS.1770-4, without its weighting."""


@dataclass(frozen=True)
class WindowQuality:
    """Of start_s…stop_s in seconds. error_db: one standard deviation; 0 where measured."""

    start_s: float
    stop_s: float
    si_sdr_db: float
    error_db: float


@dataclass(frozen=True)
class StemQuality:
    """Of a stem of a whole track. Only where kind is "measured" is si_sdr_db an SI-SDR; else it is a guess at one.

    A stem without windows is silent throughout: predicted, its si_sdr_db and error_db are NaN, for there is nothing
    to judge (and nan < 7 is false: silence is no reason for another attempt). Measured, si_sdr_db may be ±inf.
    """

    kind: Literal["predicted", "measured"]
    si_sdr_db: float
    error_db: float
    windows: tuple[WindowQuality, ...]


@dataclass(frozen=True)
class Instrumental:
    """When a track is taken for one without vocals: their stem is, in every window, at once fainter than level_db
    against the track and predicted worse than quality_db. With -inf, none is.

    Leakage alone can be as loud as a soft voice, and a prediction alone is sometimes far too low.
    """

    level_db: float = -math.inf
    quality_db: float = -math.inf

    def holds(self, vocals: StemQuality, levels_db: Sequence[float]) -> bool:
        """levels_db: of the windows of the quality. Where it was measured, there are true vocals."""
        return vocals.kind == "predicted" and all(
            level < self.level_db and window.si_sdr_db < self.quality_db
            for window, level in zip(vocals.windows, levels_db, strict=True)
        )


def levels_in_windows(stem: Recording, track: Recording, windows: Iterable[WindowQuality]) -> list[float]:
    """Energy of the stem over that of the track in each of the windows, in dB. Reads one window at a time."""
    levels = []
    for window in windows:
        bounds = round(window.start_s * track.sample_rate), round(window.stop_s * track.sample_rate)
        own, whole = (float((sound.read(*bounds).astype("f8") ** 2).sum()) for sound in (stem, track))
        levels.append(decibels(own / whole) if whole else math.inf)
    return levels


def window_bounds(frames: int, sample_rate: int) -> Iterator[tuple[int, int]]:
    """Start and stop of windows of WINDOW_SECONDS; an end of at most half of one belongs to the window before it.

    No frames, no windows.
    """
    length = round(WINDOW_SECONDS * sample_rate)
    count = max(min(frames, 1), round(frames / length - 1e-9))
    for number in range(count):
        yield number * length, frames if number == count - 1 else (number + 1) * length


def measure_quality(stems: Stems, truth: Mapping[str, Recording]) -> dict[str, StemQuality]:
    """SI-SDR of the stems whose truth is known, as a whole and by window, read in blocks and windows.

    Windows in which the truth has no sound are left out. Raises AudioError where rate, channels or length differ.
    """
    return {name: _measured(stem, truth[name]) for name, stem in stems.items() if name in truth}


def _measured(stem: Recording, truth: Recording) -> StemQuality:
    whole = measure_si_sdr(stem, truth)
    windows = []
    for start, stop in window_bounds(truth.frames, truth.sample_rate):
        reference = truth.read(start, stop)
        if has_sound(float((reference.astype("f8") ** 2).sum()), reference.size):
            value = si_sdr(stem.read(start, stop), reference)
            windows.append(WindowQuality(start / truth.sample_rate, stop / truth.sample_rate, value, 0.0))
    return StemQuality("measured", whole, 0.0, tuple(windows))


def has_sound(energy: float, values: int) -> bool:
    """Whether the sum of the squares of that many values is that of more than silence."""
    return energy > values * 10 ** (SILENCE_DBFS / 10)


def decibels(ratio: float) -> float:
    """10·log10, -inf for 0."""
    return 10 * math.log10(ratio) if ratio > 0 else -math.inf
