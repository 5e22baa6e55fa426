"""Stems to a mix: every stem through its strip, levelled by loudness, summed, glued, with headroom left."""

from __future__ import annotations

import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from resonate_resources.mixing.balance import balance_error, target_loudness
from resonate_resources.mixing.channel_strip import (
    WORKING_LOUDNESS_LUFS,
    ChannelStrip,
    glue_for,
    strip_for,
)
from resonate_resources.preset import Preset
from resonate_resources.recordings.recording import (
    AudioError,
    Progress,
    Recording,
    Samples,
    Stems,
    silent,
    write_recording,
)
from resonate_resources.signal.compression import LinkedCompressor
from resonate_resources.signal.loudness import LoudnessMeter, measure_loudness
from resonate_resources.signal.true_peak import TruePeakMeter

CEILING_DBTP = -3.0
"""Headroom that a mix leaves for mastering: the most its true peak may be."""

NEARLY_SILENT_LUFS = -60.0
"""What a stem under this holds is residue, not music: it keeps its level beside the others."""

RAISE_BOUND_DB = 20.0
"""A stem is raised at most so much more than the track as a whole."""

_PASSES = 3  # the glue moves stems against each other by tenths of a LU: level, measure, level again
_CLOSE_LU = 0.2


@dataclass(frozen=True)
class StemInMix:
    """A stem as it sits in the mix, after all processing.

    levelled: it has the loudness that the balance asks of it, and was not bounded or left as it was.
    """

    loudness_lufs: float
    levelled: bool


@dataclass(frozen=True)
class Mix:
    recording: Recording
    loudness_lufs: float
    true_peak_dbtp: float
    stems: Mapping[str, StemInMix]


@dataclass(frozen=True)
class _Processed:
    """A stem after its strip, with its loudness before and after in LUFS."""

    recording: Recording
    before_lufs: float
    after_lufs: float


def mix_stems(stems: Stems, path: Path, preset: Preset, progress: Progress = silent) -> Mix:
    """Mix stems of equal rate, length and channels (1 to 6) into path: a recording of the same shape.

    Every stage is float, so nothing clips on the way. Raises AudioError where there are no stems.
    """
    if not stems:
        raise AudioError("there are no stems to mix: separate the track first")
    with TemporaryDirectory(dir=path.parent) as folder:
        with ThreadPoolExecutor(2) as pool:
            jobs = {
                name: pool.submit(_process, stem, Path(folder) / f"{name}.wav", name, preset)
                for name, stem in stems.items()
            }
            processed = {name: job.result() for name, job in jobs.items()}
        progress(0.5)
        levels, levelled = _levels(processed)
        gains_db = {name: level - processed[name].after_lufs for name, level in levels.items()}
        gains_db |= {name: _common_gain(processed) for name in processed.keys() - levels.keys()}
        for _ in range(_PASSES):
            mix = _sum(processed, gains_db, levelled, Path(folder) / "mix.wav", preset)
            if balance_error({name: mix.stems[name].loudness_lufs for name in levelled}) <= _CLOSE_LU:
                break
            for name in levelled:
                gains_db[name] += levels[name] - mix.stems[name].loudness_lufs
        progress(0.9)
        return _with_headroom(mix, path)


def _process(stem: Recording, path: Path, name: str, preset: Preset) -> _Processed:
    """Run a stem through its strip at working loudness; one that is nearly silent goes in as it is."""
    before = measure_loudness(stem).integrated_lufs
    gain = _amplitude(WORKING_LOUDNESS_LUFS - before) if before >= NEARLY_SILENT_LUFS else 1.0
    strip = ChannelStrip(strip_for(name, preset), stem.sample_rate)
    meter = LoudnessMeter(stem.sample_rate, stem.channels)
    with write_recording(path, stem.sample_rate, stem.channels, stem.frames) as writer:
        for block in stem.blocks():
            processed = strip.process(block * np.float32(gain))
            meter.update(processed)
            writer.write(processed)
    return _Processed(writer.recording, before, meter.integrated())


def _levels(processed: Mapping[str, _Processed]) -> tuple[dict[str, float], list[str]]:
    """Loudness in LUFS for each stem that is not nearly silent; and which of these are in balance with it."""
    playing = {
        name: stem
        for name, stem in processed.items()
        if stem.before_lufs >= NEARLY_SILENT_LUFS and stem.after_lufs > -math.inf
    }
    targets = target_loudness(playing, WORKING_LOUDNESS_LUFS)
    bound_db = _common_gain(processed) + RAISE_BOUND_DB
    levels = {name: min(target, playing[name].before_lufs + bound_db) for name, target in targets.items()}
    return levels, [name for name, level in levels.items() if level == targets[name]]


def _common_gain(processed: Mapping[str, _Processed]) -> float:
    """Gain in dB that would bring the stems, as they came, to working loudness together; at most 40 dB."""
    power = sum(
        10 ** (stem.before_lufs / 10) for stem in processed.values() if stem.before_lufs >= NEARLY_SILENT_LUFS
    )
    return WORKING_LOUDNESS_LUFS - 10 * math.log10(power) if power else 0.0


def _sum(
    processed: Mapping[str, _Processed],
    gains_db: Mapping[str, float],
    levelled: list[str],
    path: Path,
    preset: Preset,
) -> Mix:
    """Write the sum of the stems through the bus, and measure all as they are in it."""
    first = next(iter(processed.values())).recording
    settings = glue_for(preset)
    glue = settings and LinkedCompressor(settings, first.sample_rate)
    meters = {name: LoudnessMeter(first.sample_rate, first.channels) for name in ("mix", *processed)}
    true_peak = TruePeakMeter(first.sample_rate, first.channels)
    gains = [np.float32(_amplitude(gains_db[name])) for name in processed]
    with (
        write_recording(path, first.sample_rate, first.channels, first.frames) as writer,
        ThreadPoolExecutor(2) as pool,
    ):
        for blocks in zip(*(stem.recording.blocks() for stem in processed.values()), strict=True):
            parts: list[Samples] = [block * gain for block, gain in zip(blocks, gains, strict=True)]
            total: Samples = np.sum(parts, axis=0)
            if glue:
                gain = glue.gain(total)
                parts = [part * gain for part in parts]
                total *= gain
            metering = [
                pool.submit(meter.update, part)
                for meter, part in zip(meters.values(), (total, *parts), strict=True)
            ]
            true_peak.update(total)
            writer.write(total)
            for meter in metering:
                meter.result()
    loudness = {name: meter.integrated() for name, meter in meters.items()}
    return Mix(
        writer.recording,
        loudness["mix"],
        true_peak.peak(),
        {name: StemInMix(loudness[name], name in levelled) for name in processed},
    )


def _with_headroom(mix: Mix, path: Path) -> Mix:
    """The mix written to path, turned down as far as its true peak is over the ceiling."""
    gain_db = min(0.0, CEILING_DBTP - mix.true_peak_dbtp)
    source = mix.recording
    with write_recording(path, source.sample_rate, source.channels, source.frames) as writer:
        for block in source.blocks():
            writer.write(block * np.float32(_amplitude(gain_db)))
    return Mix(
        writer.recording,
        mix.loudness_lufs + gain_db,
        mix.true_peak_dbtp + gain_db,
        {name: StemInMix(stem.loudness_lufs + gain_db, stem.levelled) for name, stem in mix.stems.items()},
    )


def _amplitude(decibels: float) -> float:
    return float(10 ** (decibels / 20))
