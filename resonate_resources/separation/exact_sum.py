"""Stems that sum exactly to their track, of stems that nearly do.

The rule: what the stems leave over of the track goes to each in proportion to its power at that time and
frequency (the mixture consistency of Wisdom et al., "Differentiable consistency constraints for improved deep
speech enhancement", ICASSP 2019, weighted by power). Where no stem sounds, it goes to the last one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from resonate_resources.models.chunks import chunk_bounds, joined, write_stems
from resonate_resources.recordings.recording import Progress, Recording, Samples, Stems
from resonate_resources.separation.spectral.stft import Stft

_CHUNK_VALUES = 1 << 20
"""Values (frames × channels) in a chunk: 12 s of stereo at 44.1 kHz, whose spectra take 0.1 GB."""
_FAINTEST = np.float32(1e-20)
"""Power of a cell, full scale 1, under which a stem is silent there."""


def sum_exactly(track: Recording, stems: Stems, into: Path, progress: Progress) -> Stems:
    """Write stems that sum to the track into `into`, up to the rounding of float32 (−140 dB and less).

    All have the track's rate, channels and frames. Memory does not grow with their length.
    """
    stft = Stft.for_rate(track.sample_rate)
    chunk = max(16 * stft.size, _CHUNK_VALUES // track.channels)
    fade = 4 * stft.size
    bounds = list(chunk_bounds(track.frames, chunk, fade))
    chunks = (
        _shared_out(
            track.read(start, stop), {name: stem.read(start, stop) for name, stem in stems.items()}, stft
        )
        for start, stop in bounds
    )
    return write_stems(track, joined(chunks, bounds, fade), tuple(stems), into, progress)


def _shared_out(mix: Samples, stems: dict[str, Samples], stft: Stft) -> dict[str, Samples]:
    """(channels, frames) each; the sum of what is returned is the mix."""
    if not mix.shape[1]:
        return stems
    left = mix - np.sum(list(stems.values()), axis=0)
    *others, last = stems
    powers = {name: _power(stft.forward(samples)) for name, samples in stems.items()}
    share = stft.forward(left) / np.maximum(np.sum(list(powers.values()), axis=0), _FAINTEST)
    exact = {name: stems[name] + stft.inverse(share * powers[name], mix.shape[1]) for name in others}
    # What is due to the last one is what then remains: nothing is lost to the transform's rounding.
    exact[last] = mix - np.sum(list(exact.values()), axis=0) if others else mix
    return {name: exact[name] for name in stems}


def _power(spectra: np.ndarray[tuple[int, ...], np.dtype[np.complex64]]) -> Samples:
    return np.square(spectra.real) + np.square(spectra.imag)
