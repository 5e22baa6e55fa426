"""Trees as arrays beside scikit-learn, which grew them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingRegressor

from resonate_tests.benchmarks.quality_prediction.fit import trees_of


@pytest.mark.parametrize("depth", [1, 3, 5])
def test_trees_answer_as_scikit_learn_does(depth):
    rng = np.random.default_rng(depth)
    features = rng.standard_normal((300, 6)).astype(np.float32)
    target = np.where(features[:, 0] > 0.3, 5 * features[:, 1], -2) + features[:, 2] ** 2
    model = GradientBoostingRegressor(n_estimators=30, max_depth=depth, random_state=0).fit(features, target)
    unseen = rng.standard_normal((200, 6)).astype(np.float32)
    np.testing.assert_allclose(trees_of(model)(unseen), model.predict(unseen), atol=1e-4)
