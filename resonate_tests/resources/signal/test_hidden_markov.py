from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.signal.hidden_markov import decode


@given(
    evidence=st.lists(st.lists(st.floats(-4, 4), min_size=3, max_size=3), min_size=1, max_size=5),
    change=st.floats(0.01, 0.6),
)
def test_path_and_posterior_are_those_of_all_paths_counted_out(
    evidence: list[list[float]], change: float
) -> None:
    values = np.array(evidence, np.float32)
    steps, states = values.shape
    likelihood = {
        path: sum(values[step, state] for step, state in enumerate(path))
        + sum(np.log(1 - change if a == b else change / (states - 1)) for a, b in pairwise(path))
        for path in product(range(states), repeat=steps)
    }
    posterior = np.zeros((steps, states))
    for path, value in likelihood.items():
        for step, state in enumerate(path):
            posterior[step, state] += np.exp(value)
    posterior /= posterior.sum(axis=1, keepdims=True)

    path, found = decode(values, change)

    assert likelihood[tuple(path.tolist())] == pytest.approx(max(likelihood.values()), abs=1e-4)
    np.testing.assert_allclose(found, posterior, atol=1e-4)


def test_a_hundred_thousand_steps_neither_overflow_nor_vanish() -> None:
    evidence = np.zeros((100_000, 2), np.float32)
    evidence[:50_000, 0] = evidence[50_000:, 1] = 9
    path, posterior = decode(evidence, 0.01)
    assert path.tolist() == [0] * 50_000 + [1] * 50_000
    np.testing.assert_allclose(posterior.sum(axis=1), 1, atol=1e-5)
