"""Noise reduction by noisereduce's stationary spectral gate, streaming.

Sainburg, Thielk, Gentner, "Finding, visualizing, and quantifying latent structure across diverse animal vocal
repertoires", PLoS Comput. Biol. 16 (2020): a spectral line is let through while it is louder than the noise's
mean plus 1.5 standard deviations.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from resonate_resources.parallel import in_parallel
from resonate_resources.recordings.recording import Recording, Samples

CHUNK_FRAMES = 1 << 17  # faster than longer chunks: the spectra stay in the processor's cache
_CONTEXT_WINDOWS = 8  # half a window, and the 50 ms over which noisereduce smooths its mask


def gate(recording: Recording, noise: Samples, chunk_frames: int = CHUNK_FRAMES) -> Iterator[Samples]:
    """The recording with everything shut out that noise could be, in blocks of (channels, ≤ chunk_frames).

    noise: (channels, frames) of the noise alone. Every chunk is processed with context on both sides and on the
    same grid of analysis frames (chunk_frames is a multiple of 4096), so that the result has no seams: it is
    that of the recording processed whole.
    """
    from noisereduce import reduce_noise

    # 1024 points at 44.1 and 48 kHz, noisereduce's own setting, and as many milliseconds at other rates.
    size = 1 << max(8, round(np.log2(1024 * recording.sample_rate / 44_100)))
    context = _CONTEXT_WINDOWS * size

    def gated(start: int) -> Samples:
        stop = min(start + chunk_frames, recording.frames)
        lead = min(context, start)
        chunk = recording.read(start - lead, stop + context)
        let_through = reduce_noise(
            np.pad(chunk, ((0, 0), (0, max(0, size - chunk.shape[1])))),
            recording.sample_rate,
            stationary=True,
            y_noise=noise,
            clip_noise_stationary=False,
            n_fft=size,
            chunk_size=None,
            padding=0,
        )
        return np.asarray(let_through[:, lead : lead + stop - start], np.float32)

    return in_parallel(gated, range(0, recording.frames, chunk_frames))
