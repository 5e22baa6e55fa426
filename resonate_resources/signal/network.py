"""A small network of full layers, run on numpy arrays: what fits it is in `resonate_tests/benchmarks`."""

from __future__ import annotations

from importlib.resources.abc import Traversable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


class Network:
    """Layers of weights (outputs, inputs) and biases, ReLU between."""

    def __init__(self, *layers: tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]) -> None:
        self._layers = [(weights.astype(np.float32).T, bias.astype(np.float32)) for weights, bias in layers]

    @classmethod
    def read(cls, file: Traversable) -> Network:
        """From a .npz that holds weights_0, bias_0, weights_1 …"""
        with file.open("rb") as opened, np.load(opened) as arrays:
            count = sum(name.startswith("weights_") for name in arrays)
            return cls(*((arrays[f"weights_{layer}"], arrays[f"bias_{layer}"]) for layer in range(count)))

    def __call__(self, rows: Floats) -> Floats:
        for number, (weights, bias) in enumerate(self._layers):
            rows = (np.maximum(rows, 0) if number else rows) @ weights + bias
        return rows
