"""Makes the ONNX graph of BeatNet's networks, whose weights stay in the files of its wheel.

    python -m resonate_tests.benchmarks.beatnet_graph FOLDER OUT.onnx

FOLDER holds `model_1_weights.pt` to `model_3_weights.pt`, the same network trained without GTZAN, Ballroom and the
rock corpus (Heydari et al. 2021). A .pt file is a zip whose members are not compressed, so that the weights lie
in it as they are: where, its pickle says, which is read here without torch.
"""

from __future__ import annotations

import math
import pickle
import sys
import zipfile
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import onnx
from onnx import TensorProto, helper

BANDS, UNITS, KERNEL, NETWORKS = 272, 150, 10, 3
_OPSET, _IR = 13, 8
"""Known to onnxruntime since 1.12."""
_GATES = (0, 3, 1, 2)
"""Where torch's input, forget, cell and output gates stand in ONNX: input, output, forget, cell."""


@dataclass(frozen=True)
class Place:
    """Where a tensor lies in its file, in bytes."""

    offset: int
    shape: tuple[int, ...]


class _Tensors(pickle.Unpickler):
    """Knows tensors and the dictionary they are in; anything else that a pickle names is refused."""

    def find_class(self, module: str, name: str) -> object:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, *_: (storage, offset, shape)
        if (module, name) == ("torch", "FloatStorage"):
            return name
        raise pickle.UnpicklingError(f"{module}.{name} is no tensor of 32-bit floats")

    def persistent_load(self, pid: tuple[str, str, str, str, int]) -> str:
        return pid[2]


def places(file: Path) -> dict[str, Place]:
    """The tensors of a .pt file by name."""
    with zipfile.ZipFile(file) as archive, file.open("rb") as raw:
        starts = {}
        for member in archive.infolist():
            assert member.compress_type == zipfile.ZIP_STORED, f"{member.filename} is compressed"
            raw.seek(member.header_offset + 26)  # the local header is 30 bytes, a name and a field of padding
            name, extra = (int.from_bytes(raw.read(2), "little") for _ in range(2))
            starts[member.filename.rpartition("/")[2]] = member.header_offset + 30 + name + extra
        (index,) = (name for name in archive.namelist() if name.endswith("data.pkl"))
        with archive.open(index) as pickled:
            tensors = _Tensors(pickled).load()
    return {name: Place(starts[key] + 4 * offset, shape) for name, (key, offset, shape) in tensors.items()}


class _Graph:
    """Nodes and initialisers as they are added."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initialisers: list[onnx.TensorProto] = []

    def node(self, kind: str, *inputs: str, outputs: int = 1, **attributes: object) -> list[str]:
        names = [f"{kind}_{len(self.nodes)}_{number}" for number in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, **attributes))
        return names

    def integers(self, *values: int) -> str:
        name = "integers_" + "_".join(str(value) for value in values)
        if name not in {tensor.name for tensor in self.initialisers}:
            self.initialisers.append(helper.make_tensor(name, TensorProto.INT64, [len(values)], values))
        return name

    def tensor(self, file: Path, name: str, place: Place) -> str:
        tensor = onnx.TensorProto(
            name=f"{file.stem}/{name}",
            data_type=TensorProto.FLOAT,
            dims=place.shape,
            data_location=TensorProto.EXTERNAL,
        )
        length = 4 * math.prod(place.shape)
        for key, value in (("location", file.name), ("offset", place.offset), ("length", length)):
            tensor.external_data.add(key=key, value=str(value))
        self.initialisers.append(tensor)
        return tensor.name

    def network(self, file: Path, features: str, state: list[str]) -> tuple[str, list[str]]:
        """Probabilities (frames, 3), and hidden and cell state of both layers, each (1, 1, 150)."""
        tensors = {name: self.tensor(file, name, place) for name, place in places(file).items()}
        (rows,) = self.node("Unsqueeze", features, self.integers(1))
        (heard,) = self.node("Conv", rows, tensors["conv1.weight"], tensors["conv1.bias"])
        (heard,) = self.node("Relu", heard)
        (heard,) = self.node("MaxPool", heard, kernel_shape=[2], strides=[2])
        (heard,) = self.node("Flatten", heard)
        (values,) = self.node("Gemm", heard, tensors["linear0.weight"], tensors["linear0.bias"], transB=1)
        (values,) = self.node("Unsqueeze", values, self.integers(1))
        after = []
        for layer in range(2):
            weights, recurrent, *biases = (
                self.reordered(tensors[f"lstm.{kind}_l{layer}"])
                for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            )
            (bias,) = self.node("Concat", *biases, axis=1)
            values, hidden, cell = self.node(
                "LSTM",
                *(values, weights, recurrent, bias, "", *state[2 * layer : 2 * layer + 2]),
                outputs=3,
                hidden_size=UNITS,
            )
            (values,) = self.node("Squeeze", values, self.integers(1))
            after += [hidden, cell]
        (values,) = self.node("Squeeze", values, self.integers(1))
        (values,) = self.node("Gemm", values, tensors["linear.weight"], tensors["linear.bias"], transB=1)
        (shares,) = self.node("Softmax", values, axis=1)
        return shares, after

    def reordered(self, tensor: str) -> str:
        """Four gates of 150 rows in ONNX's order, with an axis in front for its directions."""
        parts = self.node("Split", tensor, self.integers(*[UNITS] * 4), outputs=4, axis=0)
        (whole,) = self.node("Concat", *(parts[gate] for gate in _GATES), axis=0)
        return self.node("Unsqueeze", whole, self.integers(0))[0]


def model(folder: Path) -> onnx.ModelProto:
    """features (frames, 272) and state (12, 1, 150) → shares (frames, 3) of a beat that is no downbeat, of a
    downbeat and of neither, the mean of the three networks; and the state after the last frame."""
    graph = _Graph()
    states = graph.node("Split", "state", graph.integers(*[1] * 4 * NETWORKS), outputs=4 * NETWORKS, axis=0)
    answers, after = [], []
    for number in range(NETWORKS):
        file = folder / f"model_{number + 1}_weights.pt"
        shares, left = graph.network(file, "features", states[4 * number : 4 * number + 4])
        answers.append(shares)
        after += left
    graph.nodes.append(helper.make_node("Mean", answers, ["shares"]))
    graph.nodes.append(helper.make_node("Concat", after, ["state_after"], axis=0))
    value = helper.make_tensor_value_info
    made = helper.make_graph(
        graph.nodes,
        "BeatNet, three networks",
        [
            value("features", TensorProto.FLOAT, ["frames", BANDS]),
            value("state", TensorProto.FLOAT, [4 * NETWORKS, 1, UNITS]),
        ],
        [
            value("shares", TensorProto.FLOAT, ["frames", 3]),
            value("state_after", TensorProto.FLOAT, [4 * NETWORKS, 1, UNITS]),
        ],
        graph.initialisers,
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)


if __name__ == "__main__":
    Path(sys.argv[2]).write_bytes(model(Path(sys.argv[1])).SerializeToString(deterministic=True))
