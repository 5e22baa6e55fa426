"""What a recording sounds like, three seconds at a time: musicnn's network (Pons and Serra 2019), trained on
MagnaTagATune to name instruments, voices and genres.

`musicnn.onnx` (ISC, `musicnn.LICENSE`) is the architecture with the weights of the wheel musicnn 0.1.0, made by
`resonate_tests/benchmarks/musicnn_graph.py`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from resonate_resources.parallel import in_parallel
from resonate_resources.recordings.recording import Progress, Recording, silent
from resonate_resources.signal.band_levels import Bands, Floats
from resonate_resources.signal.mono import Mono, mono_blocks, moved, overlapping_frames

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

MODEL = "musicnn 0.1.0 MTT_musicnn"
LICENCE = "ISC"
SAMPLE_RATE = 16_000
FRAME, HOP, MEL_BANDS = 512, 256, 96
WINDOW = 187
"""Frames that are heard at once: 3 s, as in training."""
MOST_WINDOWS = 30
"""What lies between them, in a track of more than a minute and a half, is not heard: each takes 0.04 s."""
# fmt: off
TAGS = (
    "guitar", "classical", "slow", "techno", "strings", "drums", "electronic", "rock", "fast", "piano", "ambient",
    "beat", "violin", "vocal", "synth", "female", "indian", "opera", "male", "singing", "vocals", "no vocals",
    "harpsichord", "loud", "quiet", "flute", "woman", "male vocal", "no vocal", "pop", "soft", "sitar", "solo",
    "man", "classic", "choir", "voice", "new age", "dance", "male voice", "female vocal", "beats", "harp",
    "cello", "no voice", "weird", "country", "metal", "female voice", "choral",
)
# fmt: on
"""MagnaTagATune's fifty commonest, in the order of the network's outputs."""
_GRAPH = resources.files("resonate_resources.quality") / "musicnn.onnx"

Starts = npt.NDArray[np.int64]
"""First frames of windows, HOP samples at SAMPLE_RATE apart, rising."""


@dataclass(frozen=True)
class Heard:
    """embeddings: (windows, 200), the network's penultimate layer. tags: (windows, 50), how likely each of TAGS
    is, 0…1."""

    embeddings: Floats
    tags: Floats


def window_starts(recording: Recording) -> Starts:
    """Windows from the recording's first frame to its last, so many that they meet, but at most MOST_WINDOWS."""
    frames = recording.duration * SAMPLE_RATE / HOP
    count = min(MOST_WINDOWS, max(1, round(frames / WINDOW)))
    return np.linspace(0, max(0.0, frames - WINDOW), count).astype(np.int64)


def hear(
    recording: Recording,
    starts: Starts,
    *,
    gain_db: float = 0.0,
    skip_s: float = 0.0,
    progress: Progress = silent,
) -> Heard:
    """One pass over the recording; memory does not grow with it. A window that reaches past its end has silence
    there.

    The network hears levels: what is compared is to be equally loud. gain_db: by how much the recording is made
    louder. skip_s: seconds of it that are passed over; negative: of silence before it.
    """
    mono = moved(mono_blocks(recording, SAMPLE_RATE, progress), round(skip_s * SAMPLE_RATE))
    session = _session()
    windows = _windows(mel_spectrogram(mono, gain_db), starts)
    answers = in_parallel(lambda mel: session.run(["penultimate", "tags"], {"mel": mel[np.newaxis]}), windows)
    return Heard(*(np.concatenate(part) for part in zip(*answers, strict=True)))


def mel_spectrogram(blocks: Iterator[Mono], gain_db: float = 0.0) -> Iterator[Floats]:
    """(frames, 96) of samples at 16 kHz: log10(10,000 power + 1), as musicnn computes it with librosa.

    musicnn goes through 16-bit floats, in which 10,000 times the power of loud music is infinite; here is no such
    limit, and no difference below it.
    """
    from scipy.fft import rfft

    window = np.hanning(FRAME + 1)[:-1].astype(np.float32)
    scale = np.float32(10_000 * 10 ** (gain_db / 10))
    for frames in overlapping_frames(blocks, FRAME, HOP):
        spectra = rfft(frames * window)
        yield np.log10(scale * ((spectra.real**2 + spectra.imag**2) @ _mel_bands()) + np.float32(1))


def _windows(mel: Iterator[Floats], starts: Starts) -> Iterator[Floats]:
    """(187, 96) from each start on; zeros, which are silence, behind the end."""
    ahead = deque(starts.tolist())
    kept, first = np.zeros((0, MEL_BANDS), np.float32), 0
    for rows in mel:
        kept = np.concatenate([kept, rows])
        while ahead and ahead[0] + WINDOW <= first + len(kept):
            start = ahead.popleft() - first
            yield kept[start : start + WINDOW]
        passed = min(len(kept), ahead[0] - first if ahead else len(kept))
        kept, first = kept[passed:], first + passed
    for start in ahead:
        rest = kept[start - first : start - first + WINDOW]
        yield np.pad(rest, ((0, WINDOW - len(rest)), (0, 0)))


@cache
def _mel_bands() -> Bands:
    """(257, 96): triangles of equal area over 0–8 kHz, evenly spaced on Slaney's mel scale, linear up to 1 kHz and
    logarithmic above (Auditory Toolbox, 1998): librosa's default."""
    linear_hz, knee, per_mel = 200 / 3, 15, np.log(6.4) / 27
    top = knee + np.log(SAMPLE_RATE / 2 / 1000) / per_mel
    mel = np.linspace(0, top, MEL_BANDS + 2)
    corners = np.where(mel < knee, linear_hz * mel, 1000 * np.exp(per_mel * (mel - knee)))
    hertz = np.arange(FRAME // 2 + 1)[:, np.newaxis] * SAMPLE_RATE / FRAME
    low, middle, high = corners[:-2], corners[1:-1], corners[2:]
    triangles = np.minimum((hertz - low) / (middle - low), (high - hertz) / (high - middle))
    return np.asarray(np.maximum(0, triangles) * 2 / (high - low), np.float32)


@lru_cache(maxsize=1)
def _session() -> InferenceSession:
    """The network, once a process; one thread, as windows run beside each other."""
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    options.intra_op_num_threads = 1
    return InferenceSession(_GRAPH.read_bytes(), options, providers=["CPUExecutionProvider"])
