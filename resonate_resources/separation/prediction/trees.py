"""Boosted regression trees (Friedman 2001) as arrays, so that predicting needs no more than numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonate_resources.separation.prediction.passage import Floats


@dataclass(frozen=True)
class Trees:
    """All arrays are (trees, nodes), node 0 the root.

    A row goes left where its feature is at most the threshold, else right; a leaf leads to itself. The answer is
    the sum over the trees of the value that it ends at; the first tree's values hold the offset.
    """

    feature: npt.NDArray[np.int16]
    threshold: npt.NDArray[np.float32]
    left: npt.NDArray[np.int16]
    right: npt.NDArray[np.int16]
    value: npt.NDArray[np.float32]
    depth: int

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[np.float32]], prefix: str) -> Trees:
        """The trees whose arrays are named prefix + field."""
        fields = {name: arrays[prefix + name] for name in cls.__dataclass_fields__}
        return cls(**{**fields, "depth": int(fields["depth"])})  # type: ignore[arg-type]

    def __call__(self, rows: Floats) -> Floats:
        """(rows, features) → (rows,)."""
        rows = rows.astype(np.float32)  # as in fitting: thresholds lie between float32 values
        tree = np.arange(len(self.feature))
        node = np.zeros((len(rows), len(tree)), np.intp)
        row = np.arange(len(rows))[:, None]
        for _ in range(self.depth):
            is_left = rows[row, self.feature[tree, node]] <= self.threshold[tree, node]
            node = np.where(is_left, self.left[tree, node], self.right[tree, node])
        answer: Floats = self.value[tree, node].sum(1, dtype=np.float64)
        return answer
