"""Makes the ONNX file of musicnn's network that was trained on MagnaTagATune.

    python -m resonate_tests.benchmarks.musicnn_graph FOLDER OUT.onnx

FOLDER is `musicnn/MTT_musicnn` of the wheel musicnn 0.1.0, a checkpoint of TensorFlow 1; two thirds of it are
Adam's moments, which stay there. The architecture is `models.py` of the wheel (Pons and Serra, "musicnn:
Pre-trained convolutional neural networks for music audio tagging", 2019).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from resonate_tests.benchmarks.spleeter_graph import Variable, variables

_OPSET, _IR = 13, 8
"""Known to onnxruntime since 1.12."""
_ROWS_BEFORE_TO_AFTER = {0: (3, 3), 1: (3, 3), 2: (63, 64), 3: (31, 32), 4: (15, 16)}
"""Zeros around the time axis, by convolution of the front end: TensorFlow pads even kernels more at their end."""
_MIDEND = (5, 6, 7)


class Graph:
    """Nodes and initialisers as they are added. Values are shaped (n, channels, frames, bands)."""

    def __init__(self, places: dict[str, Variable], data: bytes) -> None:
        self.places, self.data = places, data
        self.nodes: list[onnx.NodeProto] = []
        self.initialisers: list[onnx.TensorProto] = []

    def node(self, kind: str, *inputs: str, name: str = "", **attributes: object) -> str:
        name = name or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def variable(self, name: str, perm: tuple[int, ...] | None = None) -> str:
        place = self.places[name]
        values = np.frombuffer(self.data, "<f4", place.size // 4, place.offset).reshape(place.shape)
        self.initialisers.append(
            numpy_helper.from_array(
                np.ascontiguousarray(values if perm is None else values.transpose(perm)), name
            )
        )
        return name

    def normalised(self, values: str, number: int, name: str = "") -> str:
        layer = f"batch_normalization_{number}" if number else "batch_normalization"
        parts = [
            self.variable(f"{layer}/{part}") for part in ("gamma", "beta", "moving_mean", "moving_variance")
        ]
        return self.node("BatchNormalization", values, *parts, name=name, epsilon=1e-3)

    def convolved(
        self, values: str, number: int, perm: tuple[int, int, int, int], rows: tuple[int, int]
    ) -> str:
        """perm: brings the kernel to out, in, frames, bands. rows: zeros before and after."""
        layer = f"conv2d_{number}" if number else "conv2d"
        kernel, bias = self.variable(f"{layer}/kernel", perm), self.variable(f"{layer}/bias")
        heard = self.node("Relu", self.node("Conv", values, kernel, bias, pads=[rows[0], 0, rows[1], 0]))
        return self.normalised(heard, number + 1)


def model(index: bytes, data: bytes) -> onnx.ModelProto:
    """mel (n, frames, 96), log10(10,000 power + 1) → penultimate (n, 200), tags (n, 50), each 0…1."""
    graph = Graph(variables(index), data)
    graph.initialisers.append(numpy_helper.from_array(np.array([1]), "one"))
    mel = graph.normalised(graph.node("Unsqueeze", "mel", "one"), 0)
    front = [
        graph.node("ReduceMax", graph.convolved(mel, number, (3, 2, 0, 1), rows), axes=[3], keepdims=1)
        for number, rows in _ROWS_BEFORE_TO_AFTER.items()
    ]
    layers = [graph.node("Concat", *front, axis=1)]
    for number in _MIDEND:  # the kernels are as wide as there are channels, which TensorFlow holds as bands
        heard = graph.convolved(layers[-1], number, (3, 1, 0, 2), (3, 3))
        layers.append(heard if number == _MIDEND[0] else graph.node("Add", heard, layers[-1]))
    pooled = graph.node("Concat", *layers, axis=1)
    pools = [graph.node(kind, pooled, axes=[2], keepdims=1) for kind in ("ReduceMax", "ReduceMean")]
    flat = graph.normalised(graph.node("Flatten", graph.node("Concat", *pools, axis=3)), 9)
    dense = [
        [graph.variable(f"{name}/{part}") for part in ("kernel", "bias")] for name in ("dense", "dense_1")
    ]
    heard = graph.node("Relu", graph.node("Gemm", flat, *dense[0]))
    penultimate = graph.normalised(heard, 10, name="penultimate")
    graph.node("Sigmoid", graph.node("Gemm", penultimate, *dense[1]), name="tags")
    value = helper.make_tensor_value_info
    made = helper.make_graph(
        graph.nodes,
        "musicnn, MagnaTagATune",
        [value("mel", TensorProto.FLOAT, ["n", "frames", 96])],
        [value("penultimate", TensorProto.FLOAT, ["n", 200]), value("tags", TensorProto.FLOAT, ["n", 50])],
        graph.initialisers,
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    made = model((folder / ".index").read_bytes(), (folder / ".data-00000-of-00001").read_bytes())
    Path(sys.argv[2]).write_bytes(made.SerializeToString(deterministic=True))
