"""Stems to a mix, as planned: each through its strip, summed, the sum shaped, its peaks kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from resonate_resources.mixing.plan import MixPlan, Section
from resonate_resources.mixing.strip import Strip
from resonate_resources.mixing.tone import Shape, context_frames, shaped
from resonate_resources.parallel import ahead
from resonate_resources.recordings.recording import (
    AudioError,
    Progress,
    Recording,
    Samples,
    Stems,
    silent,
    write_recording,
)
from resonate_resources.signal.blocks import within
from resonate_resources.signal.kicks import kicks
from resonate_resources.signal.linear_phase import goes_on, looped, seam_frames
from resonate_resources.signal.loudness import LoudnessMeter
from resonate_resources.signal.true_peak import TruePeakMeter

CEILING_DBTP = -1.0
"""True peaks of the mix may be up to here, or as high as those of the stems' plain sum, if that is higher."""

_SUMMED = 0.7
"""Part of the time that a sum takes where it is shaped afterwards."""


@dataclass(frozen=True)
class Mix:
    """plain_peak_dbtp: of the sum with nothing moved. gain_db: of all together, for its peaks; 0 or less."""

    recording: Recording
    loudness_lufs: float
    true_peak_dbtp: float
    plain_peak_dbtp: float
    gain_db: float


def mix_stems(stems: Stems, plan: MixPlan, path: Path, progress: Progress = silent) -> Mix:
    """Mix stems of equal rate, length and channels (1 to 6) into path: a recording of the same shape.

    Where the plan moves nothing it is their sum, sample by sample. Everything is float: nothing clips on the way.
    No processor moves a stem in time. Raises AudioError where there are no stems.
    """
    if not stems:
        raise AudioError("there are no stems to mix: separate the track first")
    first = next(iter(stems.values()))
    loop = not plan.moves_nothing and _is_loop(stems)
    with TemporaryDirectory(dir=path.parent) as folder:
        meters = _Meters(first)
        plain_peak = TruePeakMeter(first.sample_rate, first.channels)
        blocks = _summed(stems, plan, loop, None if plan.moves_nothing else plain_peak)
        if plan.shapes_whole:
            total = _written(blocks, Path(folder) / "sum.wav", first, progress, stop=_SUMMED)
            blocks = _whole(total, plan, loop)
            mix = _written(blocks, Path(folder) / "mix.wav", first, progress, _SUMMED, meters=meters)
        else:
            mix = _written(blocks, Path(folder) / "mix.wav", first, progress, meters=meters)
        loudness_lufs, peak_dbtp = meters.loudness.integrated(), meters.peak.peak()
        plain_dbtp = peak_dbtp if plan.moves_nothing else plain_peak.peak()
        gain_db = min(0.0, max(CEILING_DBTP, plain_dbtp) - peak_dbtp)
        if gain_db:
            gain = np.float32(10 ** (gain_db / 20))
            _written((block * gain for block in mix.blocks()), path, first)
        else:
            mix.path.replace(path)
    return Mix(Recording.open(path), loudness_lufs + gain_db, peak_dbtp + gain_db, plain_dbtp, gain_db)


class _Meters:
    def __init__(self, like: Recording) -> None:
        self.loudness = LoudnessMeter(like.sample_rate, like.channels)
        self.peak = TruePeakMeter(like.sample_rate, like.channels)


def _summed(stems: Stems, plan: MixPlan, loop: bool, plain_peak: TruePeakMeter | None) -> Iterator[Samples]:
    """The sum of the stems as they are planned. plain_peak hears their sum as they came."""
    strips = _strips(stems, plan, loop)
    gains = {name: strip.gains(stems[name].channels) for name, strip in strips.items() if strip.is_gain}
    played = {name: ahead(strips[name].played(stems[name])) for name in stems.keys() - gains.keys()}
    for blocks in zip(*(stem.blocks() for stem in stems.values()), strict=True):
        if plain_peak is not None:
            plain_peak.update(np.sum(blocks, axis=0, dtype=np.float32))
        parts = [
            block * gains[name] if name in gains else next(played[name])
            for name, block in zip(stems, blocks, strict=True)
        ]
        total: Samples = np.sum(parts, axis=0, dtype=np.float32)
        yield total


def _strips(stems: Stems, plan: MixPlan, loop: bool) -> dict[str, Strip]:
    ducking = plan.ducking
    depths = dict(ducking.depths_db) if ducking is not None and ducking.key in stems else {}
    strokes = np.zeros(0)
    if ducking is not None and any(depths.values()):
        strokes = kicks(stems[ducking.key])
    release_s = 0.0 if ducking is None else ducking.release_s
    return {name: Strip(plan.stems[name], loop, depths.get(name, 0.0), release_s, strokes) for name in stems}


def _whole(total: Recording, plan: MixPlan, loop: bool) -> Iterator[Samples]:
    """The sum in the tone and width of the whole."""
    around = min(context_frames(total.sample_rate), total.frames) if loop else 0
    shape = Shape(plan.tone_db, plan.width_db, plan.mono_bass, _placed(plan.sections, total.duration, loop))
    stream = shaped(looped(total, around), total.channels, total.sample_rate, shape, -around)
    return within(stream, around, around + total.frames)


def _placed(sections: tuple[Section, ...], duration: float, loop: bool) -> list[Section]:
    """In a loop, sections go on beyond its ends; elsewhere one that reaches an end isn't faded there."""
    placed = []
    for section in sections:
        start_s, stop_s = section.start_s, section.stop_s
        if loop:
            placed += [
                section.model_copy(update={"start_s": start_s + turn, "stop_s": stop_s + turn})
                for turn in (-duration, 0.0, duration)
            ]
        else:
            ends = {
                "start_s": start_s if start_s > 0 else -1.0,
                "stop_s": stop_s if stop_s < duration else duration + 1.0,
            }
            placed.append(section.model_copy(update=ends))
    return placed


def _is_loop(stems: Stems) -> bool:
    """Of the stems' plain sum: it is one for all stems or for none, since they are to sum afterwards."""
    first = next(iter(stems.values()))
    frames = seam_frames(first.sample_rate)
    ends = [stem.read(stem.frames - frames) for stem in stems.values()]
    starts = [stem.read(0, frames) for stem in stems.values()]
    return goes_on(np.sum(ends, axis=0), np.sum(starts, axis=0))


def _written(
    blocks: Iterator[Samples],
    path: Path,
    like: Recording,
    progress: Progress = silent,
    start: float = 0.0,
    stop: float = 1.0,
    meters: _Meters | None = None,
) -> Recording:
    """start, stop: of the progress."""
    written = 0
    with write_recording(path, like.sample_rate, like.channels, like.frames) as writer:
        for block in blocks:
            if meters is not None:
                meters.loudness.update(block)
                meters.peak.update(block)
            writer.write(block)
            written += block.shape[1]
            progress(start + (stop - start) * written / like.frames)
    return writer.recording
