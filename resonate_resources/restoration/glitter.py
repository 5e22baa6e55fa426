"""Shimmer pulled down: short, narrow peaks between 6 and 10 kHz, no louder than what lies around them.

What counts as such a peak is told in `signal.shimmer`; attacks are none. A fifth of noise's energy is such peaks by
chance, and as much of real music's, so that nothing is done until there are more than any real music has.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resonate_resources.preset import Preset
from resonate_resources.recipe import Engine
from resonate_resources.recordings.recording import Progress, Recording, Samples, write_recording
from resonate_resources.restoration.step import Facts, Mended, StepName
from resonate_resources.signal.shimmer import band_lines, shimmer_peaks, spectrum_size

CHUNK_FRAMES = 1 << 17
_BESIDE = 9  # lines on either side of a peak, as in signal.shimmer
_MEDIAN = math.log(2)  # of a noise's power: its mean is 1
_WORTH_DB = -60.0  # against the whole
_CONTEXT = 12  # spectra: longer than the longest peak and the reach of an onset


@dataclass(frozen=True)
class Glitter:
    """least: the shimmer index from which on it is shimmer; over_db: peaks that stand so far over what is around them
    are pulled down to it."""

    least: float
    over_db: float


GLITTER: Mapping[Preset, Glitter] = {
    "conservative": Glitter(0.38, 12.0),
    "balanced": Glitter(0.34, 9.0),
    "aggressive": Glitter(0.34, 7.0),
}
"""Real recordings have an index of 0.33 at most (docs/measurements.md)."""


class Deshimmer:
    """Lines of single spectra are turned down, all channels alike; what is not turned down stays as it was."""

    name: StepName = "deshimmer"

    @property
    def engine(self) -> Engine:
        return Engine("spectral peak limiter")

    def unavailable(self) -> str | None:
        return None

    def mend(
        self, recording: Recording, facts: Facts, preset: Preset, path: Path, progress: Progress
    ) -> Mended:
        """Read once, in chunks of 3 s."""
        glitter, index = GLITTER[preset], facts.traces.shimmer
        if index is None or index < glitter.least:
            told = "no such band" if index is None else f"an index of {index:.2f}, as real music has"
            return Mended(recording, f"no shimmer: {told}")
        taken = total = 0.0
        with write_recording(path, recording.sample_rate, recording.channels, recording.frames) as writer:
            for block, peaks in zip(
                recording.blocks(CHUNK_FRAMES), glittering(recording, glitter.over_db), strict=True
            ):
                writer.write(block - peaks)
                taken += float(np.square(peaks, dtype=np.float64).sum())
                total += float(np.square(block, dtype=np.float64).sum())
        progress(1.0)
        if taken <= total * 10 ** (_WORTH_DB / 10):
            path.unlink()
            return Mended(recording, "no shimmer: what glitters is too soft to be heard")
        share = float(10 * np.log10(taken / total))
        return Mended(
            writer.recording,
            f"shimmer at {share:.0f} dB against the whole pulled down",
            {"shimmer_db": share},
        )


def glittering(recording: Recording, over_db: float, chunk_frames: int = CHUNK_FRAMES) -> Iterator[Samples]:
    """What peaks have over their surroundings, block by block, (channels, ≤ chunk_frames); its spectra lie a quarter
    of `spectrum_size` apart from the first frame on, wherever chunks begin."""
    size = spectrum_size(recording.sample_rate)
    context = _CONTEXT * size // 4
    for start in range(0, recording.frames, chunk_frames):
        stop = min(start + chunk_frames, recording.frames)
        held = recording.read(start - context, stop + context)
        before, after = max(0, context - start), max(0, stop + context - recording.frames)
        padded = np.pad(held, ((0, 0), (before, after + -(stop - start) % (size // 4))))
        yield _over(padded, recording.sample_rate, over_db)[:, context : context + stop - start]


def _over(held: Samples, sample_rate: int, over_db: float) -> Samples:
    """(channels, frames) → what is to be taken off them."""
    from scipy.fft import irfft, rfft
    from scipy.ndimage import binary_dilation, median_filter

    size = spectrum_size(sample_rate)
    hop, lines = size // 4, band_lines(sample_rate)
    off = np.zeros_like(held)
    if lines.stop <= lines.start:
        return off
    window = np.hanning(size + 1)[:-1].astype(np.float32)
    spectra = rfft(np.lib.stride_tricks.sliding_window_view(held, size, axis=1)[:, ::hop] * window)
    power: npt.NDArray[np.float32] = np.square(np.abs(spectra)).sum(axis=0)
    found = shimmer_peaks(power, sample_rate)[:, lines]
    around = power[:, lines.start - _BESIDE : lines.stop + _BESIDE]
    median = median_filter(around, (1, 2 * _BESIDE + 1))[:, _BESIDE:-_BESIDE]
    own, usual = power[:, lines], median / _MEDIAN
    high = found & (own > 10 ** (over_db / 10) * median)
    near = binary_dilation(high, np.ones((1, 3), np.bool_))
    gain = np.where(near, np.sqrt(usual / np.maximum(own, 1e-20)), 1.0).clip(max=1.0)
    moments = np.flatnonzero((gain < 1).any(axis=1))
    if not len(moments):
        return off
    over = np.zeros((len(held), len(moments), size // 2 + 1), np.complex64)
    over[:, :, lines] = spectra[:, moments, lines] * (1 - gain[moments])
    made = irfft(over, size) * (window / 1.5)  # squares of windows a quarter apart sum to 1.5
    for at, moment in enumerate(moments.tolist()):
        off[:, moment * hop : moment * hop + size] += made[:, at]
    return off
