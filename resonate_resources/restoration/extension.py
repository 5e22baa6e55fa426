"""Which of a track's stems lack an octave above or below, and how loud it is put back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from resonate_resources.recordings.recording import Recording, Samples, Stems, write_recording
from resonate_resources.restoration import rumble
from resonate_resources.restoration.excitation import Exciter, SubBass
from resonate_resources.signal.bandwidth import (
    Bandwidth,
    LineLevels,
    find_upper_edge,
    measure_line_levels,
)

_WIDE_ENOUGH_HZ = 16_000.0  # few adults hear higher
_ROOM_ABOVE = 0.75  # of the Nyquist frequency: less than half an octave above it is not worth filling
_REACHES = 0.8  # a stem whose own spectrum ends lower than this part of the track's ends of itself
_LOW_BAND_HZ, _BASS_BAND_HZ = (30.0, 80.0), (80.0, 200.0)
_LACKING_DB = 6.0
# From 80–200 Hz down to 20–40 Hz: the demo song falls by 4 dB, a filter of 18 dB/octave at 100 Hz by 24.
_EMPTY_DB = 24.0
_STEEPEST_DB = 18.0  # an octave; steeper falls are a filter's, see signal.bandwidth


class Generator(Protocol):
    """Makes an octave that a recording lacks out of the recording, block by block."""

    def process(self, block: Samples) -> Samples:
        """The octave for the next (channels, frames); (channels or 1, frames)."""
        ...


@dataclass(frozen=True)
class Octave:
    """Something to add to a recording: what makes it, and how much louder than it is made, in dB."""

    make: Callable[[], Generator]
    gain_db: float


@dataclass(frozen=True)
class Track:
    """What the stems' sum shows of how they were recorded.

    upper_hz: where its spectrum ends. lacks_highs: whether more could be heard above. lacks_lows: whether
    30–80 Hz lies 6 dB and more under 80–200 Hz, where a full-range record has as much or more. only_rumbles:
    whether 20–40 Hz lies so far under 80–200 Hz that nothing of the music is there.
    """

    upper_hz: float
    lacks_highs: bool
    lacks_lows: bool
    only_rumbles: bool

    def reached_by(self, bandwidth: Bandwidth) -> bool:
        """Whether a stem sounds up to where the track ends, and so was cut there."""
        return bandwidth.upper_hz >= _REACHES * self.upper_hz


def examine(stems: Stems) -> Track:
    """Track of stems that have one rate and length, by one pass over them all."""
    sample_rate = next(iter(stems.values())).sample_rate
    sums = (
        np.sum(blocks, axis=0) for blocks in zip(*(stem.blocks() for stem in stems.values()), strict=True)
    )
    levels = measure_line_levels(sums, sample_rate)
    upper_hz = find_upper_edge(levels, sample_rate).upper_hz
    lowest, low, bass = (
        _band_db(levels, sample_rate, *band) for band in (rumble.BAND_HZ, _LOW_BAND_HZ, _BASS_BAND_HZ)
    )
    return Track(
        upper_hz,
        lacks_highs=0 < upper_hz < min(_WIDE_ENOUGH_HZ, _ROOM_ABOVE * sample_rate / 2),
        lacks_lows=low < bass - _LACKING_DB,
        only_rumbles=lowest < bass - _EMPTY_DB,
    )


def missing_highs(levels: LineLevels, stem: Recording, upper_hz: float) -> Octave | None:
    """The octave above upper_hz, falling from the one below as that falls from the one below it.

    Only as much as is not there already; None where nothing is missing.
    """
    band = partial(_band_db, levels, stem.sample_rate)
    lower, source = band(upper_hz / 4, upper_hz / 2), band(upper_hz / 2, upper_hz)
    there = band(1.3 * upper_hz, 2 * upper_hz)  # beyond the skirt of the filter that ended the spectrum
    wanted = source + float(np.clip(source - lower, -_STEEPEST_DB, 0.0))
    make = partial(Exciter, stem.sample_rate, stem.channels, upper_hz)
    return _filling(make, wanted, there, source + Exciter.LEVEL_DB)


def missing_lows(levels: LineLevels, stem: Recording) -> Octave | None:
    """The octave under 80–200 Hz, as loud as that; only as much as is not there already."""
    there, source = (_band_db(levels, stem.sample_rate, *band) for band in (_LOW_BAND_HZ, _BASS_BAND_HZ))
    return _filling(partial(SubBass, stem.sample_rate), source, there, source + SubBass.LEVEL_DB)


def _filling(
    make: Callable[[], Generator], wanted_db: float, there_db: float, made_db: float
) -> Octave | None:
    missing = 10 ** (wanted_db / 10) - 10 ** (there_db / 10)
    return Octave(make, float(10 * np.log10(missing)) - made_db) if missing > 0 else None


def _band_db(levels: LineLevels, sample_rate: int, lower_hz: float, upper_hz: float) -> float:
    """Mean level of the lines in a band, in dB; the Nyquist frequency's where the band lies beyond it."""
    lines = len(levels.high_db) - 1
    first, last = (min(round(hz * 2 * lines / sample_rate), lines) for hz in (lower_hz, upper_hz))
    return float(10 * np.log10(np.mean(10 ** (levels.high_db[first : max(last, first + 1)] / 10))))


def extend(
    recording: Recording, octaves: Mapping[str, Octave], limit: float, folder: Path
) -> tuple[Iterator[Samples], dict[str, float]]:
    """The recording with the octaves added, and how loud each is against it in dB.

    limit: energy of them all at most, in parts of the recording's; each may have an equal part of it.
    The first pass makes the octaves, into files <name>.wav in `folder`; the second, in the iterator, adds them.
    """
    energy, made = 0.0, dict.fromkeys(octaves, 0.0)
    generators = {name: octave.make() for name, octave in octaves.items()}
    writers = {}
    with ExitStack() as files:
        for block in recording.blocks():
            energy += _energy(block)
            for name, generator in generators.items():
                octave = generator.process(block)
                if name not in writers:
                    file = write_recording(
                        folder / f"{name}.wav", recording.sample_rate, len(octave), recording.frames
                    )
                    writers[name] = files.enter_context(file)
                writers[name].write(octave)
                made[name] += _energy(np.broadcast_to(octave, block.shape))
    levels = {
        name: min(made[name] / energy * 10 ** (octave.gain_db / 10), limit / len(octaves))
        for name, octave in octaves.items()
        if made[name] > 0 < limit
    }
    gains = {name: np.float32((level * energy / made[name]) ** 0.5) for name, level in levels.items()}

    def blocks() -> Iterator[Samples]:
        added = [writers[name].recording.blocks() for name in gains]
        for block, *parts in zip(recording.blocks(), *added, strict=True):
            yield sum((gain * part for gain, part in zip(gains.values(), parts, strict=True)), start=block)

    return blocks(), {name: float(10 * np.log10(level)) for name, level in levels.items()}


def _energy(block: Samples) -> float:
    return float(np.sum(block.astype(np.float64) ** 2))
