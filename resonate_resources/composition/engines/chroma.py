"""What MusicGen Melody is conditioned on: of each moment the loudest pitch class (Copet et al. 2023, §2.3).

As transformers' `MusicgenMelodyFeatureExtractor` has it, which can't be used without torchaudio: power spectrum of
16,384 samples at 32 kHz every 4096, librosa's chroma filters, the greatest of twelve.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from resonate_resources.signal.band_levels import Floats
from resonate_resources.signal.mono import Mono

CHROMA_RATE: Final = 32_000
SIZE, HOP = 16_384, 4096


def loudest_pitch_classes(mono: Mono) -> Floats:
    """(frames, 12) of zeros and a one each, C first (of silence, too), a frame every 0.128 s. mono: at 32 kHz."""
    from scipy.fft import rfft
    from scipy.signal.windows import hann
    from transformers.audio_utils import chroma_filter_bank

    lacking = max(0, SIZE - mono.size)
    padded = np.pad(np.pad(mono, (lacking // 2, lacking - lacking // 2)), SIZE // 2, mode="reflect")
    window = hann(SIZE, sym=False).astype(np.float32)
    spectra = rfft(sliding_window_view(padded, SIZE)[::HOP] * window)
    filters = chroma_filter_bank(num_frequency_bins=SIZE, num_chroma=12, sampling_rate=CHROMA_RATE, tuning=0)
    loudest = (np.abs(spectra) ** 2 @ filters.T).argmax(axis=1)
    one_hot: Floats = np.eye(12, dtype=np.float32)[loudest]
    return one_hot
