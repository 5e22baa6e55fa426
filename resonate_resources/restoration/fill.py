"""Holes that coders of low rates leave in a spectrum, filled with noise.

MP3 at 64 to 96 kbit/s leaves out bands of the highs for moments, whole ones and often: what comes and goes swirls.
Where a band lies so far under what music has there (by `upper_envelope`, and by what this recording has between its
holes) that nothing is left of it, noise is put at a lower level than that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from resonate_resources.preset import Preset
from resonate_resources.recipe import Engine
from resonate_resources.recordings.recording import BLOCK_FRAMES, Progress, Recording, write_recording
from resonate_resources.restoration.short_time import (
    Spectra,
    overlap_added,
    root_hann,
    short_time_spectra,
    window_frames,
)
from resonate_resources.restoration.step import Facts, Mended, StepName
from resonate_resources.restoration.upper_band import Doubles, Envelope, Floats, power_of
from resonate_resources.restoration.upper_envelope import SECONDS
from resonate_resources.signal.blocks import in_blocks
from resonate_resources.signal.spectral_holes import holes_of


@dataclass(frozen=True)
class Depth:
    """hole_db: under what music has, from where on nothing is left. noise_db: how far under it noise is put."""

    hole_db: float
    noise_db: float


DEPTHS: Mapping[Preset, Depth] = {
    "conservative": Depth(20.0, 10.0),
    "balanced": Depth(15.0, 6.0),
    "aggressive": Depth(10.0, 3.0),
}
_HOLES, _MOST = 0.01, 0.7
_WALL_HZ = 15_200.0  # LAME's at 96 kbit/s; with more it leaves hardly any
_FROM_HZ = 5000.0  # under it coders of 64 kbit/s leave out little
_SMOOTH_HZ, _SMOOTH_TOLD_HZ = 400.0, 1000.0
_TOLD_DB = -12.0, 6.0
_SEED = 2


@dataclass(frozen=True)
class Fill:
    """Noise in the holes of MP3."""

    name: StepName = "fill"

    @property
    def engine(self) -> Engine:
        return Engine("noise filling", "upper_envelope", "GPL-3.0-or-later")

    def unavailable(self) -> str | None:
        return None

    def mend(
        self, recording: Recording, facts: Facts, preset: Preset, path: Path, progress: Progress
    ) -> Mended:
        ends_hz, rate = facts.traces.bandwidth_hz, recording.sample_rate
        if facts.traces.cut != "brick wall" or not 1.5 * _FROM_HZ <= ends_hz <= _WALL_HZ:
            return Mended(recording, "not cut as coders of low rates cut")
        holes = holes_of(recording)
        if holes is None or holes < _HOLES:
            return Mended(recording, "no holes", {} if holes is None else {"holes_percent": 100 * holes})
        filler = _look(recording, ends_hz, DEPTHS[preset])
        progress(0.5)
        size = window_frames(rate, SECONDS)
        added = in_blocks(
            overlap_added(
                filler.made(short_time_spectra(recording.blocks(), size, root_hann)),
                size,
                recording.frames,
                root_hann,
            ),
            BLOCK_FRAMES,
        )
        written = 0
        with write_recording(path, rate, recording.channels, recording.frames) as writer:
            for block, noise in zip(recording.blocks(), added, strict=True):
                writer.write(block + noise)
                written += block.shape[1]
                progress(0.5 + 0.5 * written / recording.frames)
        return Mended(
            writer.recording,
            f"holes of a coder filled ({100 * holes:.1f} % of its highs)",
            {"holes_percent": 100 * holes},
        )


@dataclass(frozen=True)
class _Filler:
    """there: mean power of lines by channel, (channels, lines). told: by how much power the recording's own lines
    differ from what the envelope says of them, where they are no holes."""

    sample_rate: int
    there: Doubles
    told: Floats
    band: slice
    depth: Depth

    def made(self, stream: Iterator[Spectra]) -> Iterator[Spectra]:
        envelope = Envelope(_FROM_HZ, self.sample_rate, self.there.mean(axis=0))
        rng = np.random.default_rng(_SEED)
        share = np.sqrt(self.there / np.maximum(self.there.mean(axis=0), 1e-20))[:, None, self.band].astype(
            np.float32
        )
        hole, noise = (np.float32(10 ** (-db / 10)) for db in (self.depth.hole_db, self.depth.noise_db))
        for each in stream:
            power = power_of(each)
            usual = (envelope.power(power) * self.told)[:, self.band]
            has = smoothed(power, self.sample_rate, _SMOOTH_HZ)[:, self.band]
            holes = has < hole * usual
            holes &= holes.mean(axis=1, keepdims=True) <= _MOST  # else the music itself rests
            missing = np.where(holes, noise * usual - has, 0)
            chance = rng.standard_normal((*missing.shape, 2), np.float32).view(np.complex64)[..., 0]
            added = np.zeros_like(each)
            added[:, :, self.band] = share * np.sqrt(np.maximum(missing, 0) / 2) * chance
            yield added


def _look(recording: Recording, ends_hz: float, depth: Depth) -> _Filler:
    rate = recording.sample_rate
    size = window_frames(rate, SECONDS)
    lines = size // 2 + 1
    there, moments = np.zeros((recording.channels, lines)), 0
    for each in short_time_spectra(recording.blocks(), size, root_hann):
        there += np.square(np.abs(each)).sum(axis=1, dtype=np.float64)
        moments += each.shape[1]
    there /= max(1, moments)
    envelope = Envelope(_FROM_HZ, rate, there.mean(axis=0))
    has, usual = np.zeros(lines), np.zeros(lines)
    for each in short_time_spectra(recording.blocks(), size, root_hann):
        power = power_of(each)
        told = envelope.power(power)
        kept = smoothed(power, rate, _SMOOTH_HZ) >= 10 ** (-depth.hole_db / 10) * told
        has += np.where(kept, power, 0).sum(axis=0, dtype=np.float64)
        usual += np.where(kept, told, 0).sum(axis=0, dtype=np.float64)
    off_db = np.clip(10 * np.log10((has + 1e-9) / (usual + 1e-9)), *_TOLD_DB)
    line_hz = rate / size
    return _Filler(
        rate,
        np.asarray(smoothed(there, rate, _SMOOTH_TOLD_HZ), np.float64),
        np.asarray(10 ** (smoothed(off_db, rate, _SMOOTH_TOLD_HZ) / 10), np.float32),
        slice(round(_FROM_HZ / line_hz), round(0.98 * ends_hz / line_hz)),
        depth,
    )


def smoothed(lines: Floats | Doubles, sample_rate: int, hertz: float) -> Floats:
    """(…, lines), each the mean of those so many hertz around it."""
    from scipy.ndimage import uniform_filter1d

    width = max(1, round(2 * hertz * (lines.shape[-1] - 1) / sample_rate))
    return np.asarray(uniform_filter1d(lines, width, axis=-1), lines.dtype)
