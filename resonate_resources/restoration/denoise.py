"""The embedded denoiser: steady noise, known from what lies between the notes, taken off line by line.

It acts where noise was heard and was heard to go on (see `noise_floor`), and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from resonate_resources.preset import Preset
from resonate_resources.recipe import Engine
from resonate_resources.recordings.recording import Progress, Recording, write_recording
from resonate_resources.restoration.noise_floor import (
    NoiseFloor,
    band_edges,
    find_noise_floor,
    measure_patches,
    patch_seconds,
)
from resonate_resources.restoration.short_time import (
    Spectra,
    short_time_spectra,
    through_spectra,
    window_size,
)
from resonate_resources.restoration.spectral_suppression import SuppressionGains
from resonate_resources.restoration.step import Facts, Mended, StepName


@dataclass(frozen=True)
class Strength:
    """limit_db: how far noise comes down where nothing else sounds. over: what it is taken for, in parts of what was
    measured."""

    limit_db: float
    over: float


STRENGTHS: Mapping[Preset, Strength] = {
    "conservative": Strength(10.0, 1.0),
    "balanced": Strength(18.0, 1.2),
    "aggressive": Strength(30.0, 1.4),
}
INAUDIBLE_DB = -60.0
"""Of the noise beside the music."""
_SILENT_DBFS = -90.0
_HANN_POWER = 3 / 8


class Denoise:
    name: StepName = "denoise"

    @property
    def engine(self) -> Engine:
        return Engine("log-spectral amplitude")

    def unavailable(self) -> str | None:
        return None

    def mend(
        self, recording: Recording, facts: Facts, preset: Preset, path: Path, progress: Progress
    ) -> Mended:
        size = window_size(recording.sample_rate)
        floor, noise_dbfs, sound_dbfs = listen(recording, size)
        progress(0.4)
        if floor is None:
            return Mended(recording, "no steady noise was heard between the notes")
        measures = {"noise_dbfs": noise_dbfs}
        if noise_dbfs < max(_SILENT_DBFS, sound_dbfs + INAUDIBLE_DB):
            return Mended(recording, f"its noise, {noise_dbfs:.0f} dBFS, can't be heard", measures)
        strength = STRENGTHS[preset]
        gains = SuppressionGains(10 ** (-strength.limit_db / 20), band_edges(size // 2 + 1))
        first = 0

        def quieter(spectra: Spectra) -> Spectra:
            nonlocal first
            noise = floor.around(first, spectra.shape[1]) * np.float32(strength.over)
            first += spectra.shape[1]
            power = (np.square(spectra.real) + np.square(spectra.imag)).mean(axis=0)
            return spectra * gains.of(power, noise)

        done = 0
        with write_recording(path, recording.sample_rate, recording.channels, recording.frames) as writer:
            for block in through_spectra(recording.blocks(), recording.frames, size, quieter):
                writer.write(block)
                done += block.shape[1]
                progress(0.4 + 0.6 * done / recording.frames)
        note = f"steady noise at {noise_dbfs:.0f} dBFS taken down by up to {strength.limit_db:.0f} dB"
        return Mended(writer.recording, note, measures | {"noise_reduction_db": strength.limit_db})


def listen(recording: Recording, size: int) -> tuple[NoiseFloor | None, float, float]:
    """The noise it lies in, None where none is heard; its level and that of all, in dBFS (mean square)."""
    squares = np.zeros(1)

    def metered():
        for block in recording.blocks():
            squares[0] += float(np.vdot(block, block))
            yield block

    patches = measure_patches(short_time_spectra(metered(), size))
    mean = float(squares[0]) / max(1, recording.frames * recording.channels)
    sound_dbfs = 10 * np.log10(mean + 1e-20)
    floor = find_noise_floor(patches, patch_seconds(size, recording.sample_rate))
    if not floor.power.any():
        return None, -200.0, sound_dbfs
    # Parseval: a window's lines hold its samples' energy, weighted by the window.
    mean_noise = 2 * float(floor.power.sum(axis=1).mean()) / (size**2 * _HANN_POWER)
    return floor, float(10 * np.log10(mean_noise + 1e-20)), float(sound_dbfs)
