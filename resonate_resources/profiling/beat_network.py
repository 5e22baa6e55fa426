"""Where beats and downbeats are heard, frame by frame: BeatNet's networks (Heydari, Cwitkowitz and Duan 2021).

Their trained weights (CC BY 4.0) come in the wheel `BeatNet` and are read there as they lie: `beatnet.onnx` is the
architecture, and says where in the files each tensor is (`resonate_tests/benchmarks/beatnet_graph.py`). The mean of
all three is taken: each was trained without another collection.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from importlib.metadata import PackageNotFoundError, distribution
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from resonate_resources.models.weights import ModelError, sha256_of_weights
from resonate_resources.recordings.recording import Progress, Recording, silent
from resonate_resources.signal.band_levels import Bands, Floats
from resonate_resources.signal.mono import Mono, mono_blocks, moved, overlapping_frames

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

MODEL = "BeatNet 1.1.3"
LICENCE = "CC-BY-4.0"
INSTALL = "pip install --no-deps BeatNet==1.1.3"
SHA256 = {
    "model_1_weights.pt": "619091bc317ca3e83b45591d46f6de3d5a41588bcb39fe9fe7be30cffa6aca84",
    "model_2_weights.pt": "5878a18c079fa0b0139879b14ed2b5b7595faef8c3d16210aed141fd00fa2d58",
    "model_3_weights.pt": "0c52a074ea38e8cb4a760ecfa3747c9cf91a1e3cd19f238eed80b0de763989ca",
}
SAMPLE_RATE = 22050
HOP = 441
FRAME_RATE = SAMPLE_RATE / HOP  # 50 frames a second
FRAME = 1411  # 64 ms
_BANDS_PER_OCTAVE, _LOWEST_HZ, _HIGHEST_HZ, _TUNING_HZ = 24, 30.0, 17_000.0, 440.0
EDGES_HZ = (0.0, 130.0, 300.0, 1000.0, 3000.0, 7000.0, 12_000.0)
"""Kick and bass; toms; body of a snare; its noise; hi-hats; cymbals."""
_TONAL_HZ = (180.0, 4000.0)
_STATE = (12, 1, 150)  # hidden and cell state of two layers of three networks
_BEFORE = 50  # frames: 1 s
_BLOCK = 500  # frames the networks take at a time: 10 s
_GRAPH = resources.files("resonate_resources.profiling") / "beatnet.onnx"


@dataclass(frozen=True)
class Heard:
    """What beats are found in, at 50 Hz, frame 0 centred on the first sample.

    activations: (frames, 3), how sure it is, 0…1, that a frame is a beat but no downbeat, a downbeat, neither.
    rises: (frames, 6), mean rise of log10(1 + magnitude) in bands between EDGES_HZ.
    pitch_classes: (frames, 12), mean log10(1 + magnitude) upward from A.
    """

    activations: Floats
    rises: Floats
    pitch_classes: Floats


def hear_beats(recording: Recording, progress: Progress = silent) -> Heard:
    """One pass over the recording; 4 KB a second are kept. Raises ModelError where the weights are not installed,
    or damaged."""
    session = _session()
    bands, pitches = _summaries()
    state = np.zeros(_STATE, np.float32)
    parts = []
    # With silence before it, what a file begins with is seen to rise.
    for block in features(moved(mono_blocks(recording, SAMPLE_RATE, progress), -_BEFORE * HOP)):
        for start in range(0, len(block), _BLOCK):
            rows = block[start : start + _BLOCK]
            shares, state = session.run(None, {"features": rows, "state": state})
            levels, rises = np.split(rows, 2, axis=1)
            parts.append((shares, rises @ bands, levels @ pitches))
    return Heard(*(np.concatenate(part)[_BEFORE:] for part in zip(*parts, strict=True)))


def features(blocks: Iterator[Mono]) -> Iterator[Floats]:
    """(frames, 272) of samples at 22050 Hz: logarithmic magnitudes in 136 bands, and how far each has risen.

    As madmom computes them (Böck et al. 2016) with BeatNet's settings.
    """
    from scipy.fft import rfft

    bands = _filterbank()
    window = np.hanning(FRAME).astype(np.float32)
    before: Floats | None = None
    for frames in overlapping_frames(blocks, FRAME, HOP):
        spectra = np.abs(rfft(frames * window)[:, : len(bands)])
        levels = np.log10(spectra @ bands + np.float32(1))
        before = levels[:1] if before is None else before
        rise = np.diff(levels, axis=0, prepend=before)
        before = levels[-1:]
        yield np.concatenate([levels, np.maximum(rise, 0)], axis=1)


@lru_cache(maxsize=1)
def _filterbank() -> Bands:
    """(705, 136): triangles over lines of the spectrum, their corners 24 an octave from A4, each of area 1.

    madmom spaces the lines of 1411 samples as if they were 1410.
    """
    lines = FRAME // 2
    hertz = np.arange(lines) * SAMPLE_RATE / (2 * lines)
    low, high = np.log2(np.array([_LOWEST_HZ, _HIGHEST_HZ]) / _TUNING_HZ) * _BANDS_PER_OCTAVE
    wanted = _TUNING_HZ * 2 ** (np.arange(np.floor(low), np.ceil(high)) / _BANDS_PER_OCTAVE)
    wanted = wanted[(wanted >= _LOWEST_HZ) & (wanted <= _HIGHEST_HZ)]
    above = np.clip(hertz.searchsorted(wanted), 1, lines - 1)
    corners = np.unique(above - (wanted - hertz[above - 1] < hertz[above] - wanted))
    bands = np.zeros((lines, len(corners) - 2), np.float32)
    for band, (start, middle, end) in enumerate(zip(corners, corners[1:], corners[2:], strict=False)):
        centre, stop = (middle, end) if end - start >= 2 else (start, start + 1)
        bands[start:centre, band] = np.arange(centre - start) / max(centre - start, 1)
        bands[centre:stop, band] = 1 - np.arange(stop - centre) / (stop - centre)
    bands /= bands.sum(axis=0)
    return bands


@lru_cache(maxsize=1)
def _summaries() -> tuple[Floats, Floats]:
    """(136, 6) and (136, 12): means over bands of frequency, and over pitch classes where these are apart."""
    filters = _filterbank()
    hertz = np.arange(len(filters)) * SAMPLE_RATE / (2 * len(filters)) @ filters
    between = np.stack([(low <= hertz) & (hertz < high) for low, high in pairwise(EDGES_HZ)], axis=1)
    semitones = np.round(12 * np.log2(hertz / _TUNING_HZ)) % 12
    tonal = (hertz > _TONAL_HZ[0]) & (hertz < _TONAL_HZ[1])
    pitches = (semitones[:, np.newaxis] == np.arange(12)) & tonal[:, np.newaxis]
    bands, classes = (np.asarray(one / one.sum(axis=0), np.float32) for one in (between, pitches))
    return bands, classes


def why_missing() -> str | None:
    """Why the networks can't be had, in one line that says what to do; None if they are here, and whole."""
    folder = _folder()
    if folder is None:
        return f"BeatNet's weights are not installed: run `{INSTALL}`"
    for name, sha256 in SHA256.items():
        if not (folder / name).is_file() or sha256_of_weights(folder / name) != sha256:
            return f"{folder / name}: is not the published file of weights; run `{INSTALL} --force-reinstall`"
    return None


def _folder() -> Path | None:
    """Found, not imported: the package would import madmom, torch and a sound card's driver."""
    try:
        return Path(str(distribution("BeatNet").locate_file("BeatNet/models")))
    except PackageNotFoundError:
        return None


@lru_cache(maxsize=1)
def _session() -> InferenceSession:
    """The networks, once a process."""
    from onnxruntime import InferenceSession, SessionOptions

    missing = why_missing()
    if missing is not None:
        raise ModelError(missing)
    options = SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(_folder()))
    return InferenceSession(_GRAPH.read_bytes(), options, providers=["CPUExecutionProvider"])
