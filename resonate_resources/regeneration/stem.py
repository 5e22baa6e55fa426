"""One stem played anew: its notes, its instrument, and the loudness of the original."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf, isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Recording, write_recording
from resonate_resources.regeneration.faust import instrument_for
from resonate_resources.regeneration.instrument import Instrument
from resonate_resources.regeneration.notes import playable
from resonate_resources.regeneration.playing import in_channels, play_in_segments
from resonate_resources.signal.loudness import LoudnessMeter, measure_loudness
from resonate_resources.signal.resampling import at_rate

_NATIVE_RATES: Final = (44_100, 48_000)
"""Rates in Hz the instruments play at; for any other they play at the last and are resampled."""


@dataclass(frozen=True)
class RegeneratedStem:
    """notes_played: those that sound; loudness_lufs: what was aimed at; -inf for silence."""

    recording: Recording
    notes_played: int
    loudness_lufs: float


def regenerate_stem(name: str, notes: Sequence[Note], original: Recording, path: Path) -> RegeneratedStem:
    """Write the notes, played by the stem's instrument, to path: as long, as wide and as loud as the original.

    Silent where there are no notes, or where the original is silent or shorter than the 400 ms that
    loudness is measured over.
    """
    loudness = measure_loudness(original).integrated_lufs
    heard = [note for note in playable(notes) if note.onset_s < original.duration]
    if not heard or not isfinite(loudness):
        return RegeneratedStem(_silence(original, path), 0, -inf)
    rate = original.sample_rate if original.sample_rate in _NATIVE_RATES else _NATIVE_RATES[-1]
    instrument = instrument_for(name, rate)
    with TemporaryDirectory(dir=path.parent) as scratch:
        unlevelled, measured = _play(instrument, heard, original, Path(scratch) / path.name)
        gain = 10 ** ((loudness - measured) / 20) if isfinite(measured) else 0.0
        recording = _amplified(unlevelled, gain, path)
    return RegeneratedStem(recording, len(heard), loudness if isfinite(measured) else -inf)


def _play(
    instrument: Instrument, notes: Sequence[Note], original: Recording, path: Path
) -> tuple[Recording, float]:
    """The part at the instrument's own level, and its loudness in LUFS."""
    rate, channels, frames = original.sample_rate, original.channels, original.frames
    blocks = play_in_segments(instrument, notes, ceil(frames * instrument.sample_rate / rate))
    meter = LoudnessMeter(rate, channels)
    with write_recording(path, rate, channels, frames) as writer:
        for stereo in at_rate(blocks, instrument.sample_rate, rate, 2, frames):
            block = in_channels(stereo, channels)
            meter.update(block)
            writer.write(block)
    return writer.recording, meter.integrated()


def _amplified(recording: Recording, gain: float, path: Path) -> Recording:
    with write_recording(path, recording.sample_rate, recording.channels, recording.frames) as writer:
        for block in recording.blocks():
            writer.write(block * np.float32(gain))
    return writer.recording


def _silence(like: Recording, path: Path) -> Recording:
    with write_recording(path, like.sample_rate, like.channels, like.frames) as writer:
        for block in like.blocks():
            writer.write(np.zeros_like(block))
    return writer.recording
