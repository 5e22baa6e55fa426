"""Audio as other programs write it: FFmpeg's and libsndfile's encoders and muxers."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile as sf

Floats = npt.NDArray[np.float64]

# Encoders that would take more bits of their own accord → their 16-bit sample format
_SIXTEEN_BIT = {"alac": "s16p", "flac": "s16", "wavpack": "s16p", "tta": "s16"}


def noise(frames: int, channels: int, sample_rate: int = 44100) -> Floats:
    """Noise in the middle of the band, (frames, channels), peaks under 0.5: music enough for a codec."""
    from scipy.signal import butter, sosfilt

    white = np.random.default_rng(7).uniform(-1, 1, (frames, channels))
    band = butter(2, [0.01, 0.4], "band", output="sos", fs=1.0) if frames > 64 else None
    shaped = white if band is None else sosfilt(band, white, axis=0)
    return np.asarray(0.4 * shaped / np.abs(shaped).max(), np.float64)


def encode_with_ffmpeg(
    path: Path,
    samples: Floats,
    sample_rate: int,
    codec: str,
    metadata: Mapping[str, str] | None = None,
    **options: str,
) -> Path:
    """Encode (frames, channels) of 16-bit precision with FFmpeg's encoder and muxer."""
    import av

    layout = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}[samples.shape[1]]
    whole = np.round(samples * 32767).astype(np.int16)
    with av.open(str(path), "w", options=options) as output:
        output.metadata.update(metadata or {})
        stream: Any = output.add_stream(codec, rate=sample_rate, layout=layout)
        if codec in _SIXTEEN_BIT:
            stream.format = _SIXTEEN_BIT[codec]
        if codec in ("aac", "libmp3lame", "libopus", "wmav2"):
            stream.bit_rate = 192_000
        frame = av.AudioFrame.from_ndarray(whole.reshape(1, -1), format="s16", layout=layout)
        frame.sample_rate, frame.time_base, frame.pts = sample_rate, Fraction(1, sample_rate), 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def encode_vorbis(path: Path, samples: Floats, sample_rate: int) -> Path:
    """Encode (frames, channels) with libsndfile: PyAV's wheels have no libvorbis."""
    with sf.SoundFile(str(path), "w", sample_rate, samples.shape[1], "VORBIS", format="OGG") as file:
        for start in range(0, len(samples), 4096):  # libsndfile overflows its stack on long Vorbis blocks
            file.write(samples[start : start + 4096])
    return path
