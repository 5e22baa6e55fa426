"""How far what is played lies from what was recorded: mean difference of log-mel spectrograms, in dB."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import tee
from typing import Final

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.signal.band_levels import mel_bands
from resonate_resources.signal.mono import overlapping_frames

Powers = npt.NDArray[np.float32]
"""(frames, bands): power against a full-scale sine, mean of the channels."""

_BANDS: Final = 64
_LOWEST_HZ, _HIGHEST_HZ = 30.0, 16_000.0
_RANGE_DB: Final = 60.0  # what is further under the original's loudest is as good as silent


def mel_powers(blocks: Iterator[Samples], sample_rate: int) -> Powers:
    """The spectrogram of a stream of two channels: windows of about 46 ms, half overlapping."""
    from scipy.fft import rfft

    size = 1 << round(np.log2(0.046 * sample_rate))
    window = np.hanning(size + 1)[:-1].astype(np.float32)
    bands = mel_bands(_BANDS, _LOWEST_HZ, min(_HIGHEST_HZ, sample_rate / 2), sample_rate, size)
    parts = []
    for frames in frames_of_both(blocks, size):
        power = np.mean([np.square(np.abs(rfft(each * window))) for each in frames], axis=0)
        parts.append(np.asarray(power @ bands / np.float32((size / 4) ** 2), np.float32))
    return np.concatenate(parts)


def frames_of_both(blocks: Iterator[Samples], size: int) -> Iterator[tuple[Powers, Powers]]:
    """Half overlapping frames of a stream of two channels, (n, size) of each at a time."""
    first, second = tee(blocks)
    return zip(
        overlapping_frames((block[0] for block in first), size, size // 2),
        overlapping_frames((block[1] for block in second), size, size // 2),
        strict=True,
    )


def distance_db(original: Powers, played: Powers) -> float:
    """Mean absolute difference in dB, down to 60 dB under the original's loudest band; 0 where both are silent.

    Both are of one length.
    """
    floor = max(float(original.max(initial=0.0)) * 10 ** (-_RANGE_DB / 10), 1e-12)
    levels = [10 * np.log10(np.maximum(powers, np.float32(floor))) for powers in (original, played)]
    return float(np.abs(levels[1] - levels[0]).mean())


def distance_of(original: Recording, played: Recording) -> float:
    """The same, of two recordings of one rate and length."""
    powers = [
        mel_powers((stereo(block) for block in recording.blocks()), recording.sample_rate)
        for recording in (original, played)
    ]
    return distance_db(powers[0], powers[1])


def stereo(block: Samples) -> Samples:
    """(2, frames): one channel twice; of more than two, the front pair (WAVE order)."""
    return np.repeat(block, 2, axis=0) if len(block) == 1 else block[:2]
