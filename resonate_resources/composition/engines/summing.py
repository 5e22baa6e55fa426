"""Stems of a model into stereo of the plan's length, and their sum, within full scale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from itertools import zip_longest
from pathlib import Path
from typing import Final

import numpy as np

from resonate_resources.composition.plan import Plan
from resonate_resources.composition.sound.automation import ending, total_s
from resonate_resources.recordings.recording import Recording, Samples, Stems, write_blocks, write_recording
from resonate_resources.signal.blocks import in_blocks, within

_FRAMES: Final = 1 << 16
_LOUDEST: Final = 0.89  # 1 dB under full scale


def summed(
    plan: Plan, made: Mapping[str, Iterator[Samples] | None], into: Path, rate: int
) -> tuple[Stems, Recording]:
    """stems/NAME.wav and mix.wav in a folder: 32-bit float, of exactly the plan's length with its tail.

    made: mono or stereo at that rate, of any length; None: silence. What sums to more than full scale is softer in
    all.
    """
    frames = round(total_s(plan) * rate)
    (into / "stems").mkdir(parents=True, exist_ok=True)
    with ExitStack() as open_files:
        paths = {name: into / "stems" / f"{name}.raw.wav" for name in made}
        writers = {
            name: open_files.enter_context(write_recording(path, rate, 2, frames))
            for name, path in paths.items()
        }
        peak = 0.0
        streams = [_exact(blocks, plan, rate, frames) for blocks in made.values()]
        for blocks in zip(*streams, strict=True):
            for writer, block in zip(writers.values(), blocks, strict=True):
                writer.write(block)
            peak = max(peak, float(np.abs(np.sum(blocks, axis=0)).max()))
    gain = np.float32(min(1.0, _LOUDEST / peak) if peak else 1.0)
    raw = {name: writer.recording for name, writer in writers.items()}
    stems = {
        name: write_blocks(into / "stems" / f"{name}.wav", (gain * block for block in one.blocks()), like=one)
        for name, one in raw.items()
    }
    like = next(iter(stems.values()))
    sums = (np.sum(blocks, axis=0) for blocks in zip(*(one.blocks() for one in stems.values()), strict=True))
    mix = write_blocks(into / "mix.wav", sums, like=like)
    for one in raw.values():
        one.path.unlink()
    return stems, mix


def _exact(blocks: Iterator[Samples] | None, plan: Plan, rate: int, frames: int) -> Iterator[Samples]:
    """Stereo in blocks of one size, faded out as the plan ends."""
    fade = ending(plan)
    lengths = (min(_FRAMES, frames - at) for at in range(0, frames, _FRAMES))
    pieces = within(in_blocks(blocks, _FRAMES), 0, frames) if blocks else iter(())
    at = 0
    for length, piece in zip_longest(lengths, pieces):
        sound = np.zeros((1, 0), np.float32) if piece is None else piece
        whole = np.pad(sound, ((0, 0), (0, length - sound.shape[1]))) * fade.over(at, length, rate)
        yield np.repeat(whole, 2 // whole.shape[0], axis=0)
        at += length
