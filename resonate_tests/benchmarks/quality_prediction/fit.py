"""Fits and calibrates the predictor: `python -m resonate_tests.benchmarks.quality_prediction.fit FOLDER`.

Songs and rows are kept in FOLDER, so that a run that was cut off goes on, and one after a change to the embedded
engine only separates anew. predictor.npz is written to its place, its hash into the table of models. What fitting
has seen, `split.py` says.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import GradientBoostingRegressor

from resonate_resources.separation.prediction.predictor import FILE, HIGHEST_DB, LOWEST_DB, Predictor
from resonate_resources.separation.prediction.trees import Trees
from resonate_tests.benchmarks.model_table import record
from resonate_tests.benchmarks.quality_prediction.degradation import ENGINE_AS_IT_IS, UNSEEN_KINDS
from resonate_tests.benchmarks.quality_prediction.examples import Examples, all_examples
from resonate_tests.benchmarks.quality_prediction.split import (
    calibration_pieces,
    fit_pieces,
    test_pieces,
)

AS_IT_IS = 4.0
"""What a stem counts that is as the embedded engine gives it: most of those that are judged are."""
TREES = 600
DEPTH = 5
FOLDS = 6

Floats = npt.NDArray[np.float64]


def seen(examples: Examples) -> Examples:
    """Without the kinds of error that are kept for the test."""
    return examples[~np.isin(examples.kind, UNSEEN_KINDS)]


def fitted(examples: Examples) -> Predictor:
    """Trees for the value, and for how far they are off voices that they were not fitted on; not yet calibrated."""
    rows = examples[examples.window >= 0]
    target = targets(rows)
    weight = np.where(np.isin(rows.kind, ENGINE_AS_IT_IS), AS_IT_IS, 1.0)
    off = np.empty(len(target))
    for held in folds(rows):
        model = boosted(rows.features[~held], target[~held], weight[~held])
        off[held] = target[held] - model(rows.features[held].astype(np.float64))
    return Predictor(
        boosted(rows.features, target, weight),
        boosted(rows.features, np.log(np.abs(off) + 0.3), weight, TREES // 4),
        1.0,
        1.0,
    )


def targets(rows: Examples) -> Floats:
    """The true values as far as they are told apart. A stem that sounds where its truth is silent is all error."""
    return np.nan_to_num(np.clip(rows.si_sdr_db, LOWEST_DB, HIGHEST_DB), nan=LOWEST_DB)


def folds(rows: Examples) -> Iterator[npt.NDArray[np.bool_]]:
    """Which rows to hold out in turn: all of some companies each time."""
    companies = np.random.default_rng(0).permutation(np.unique(rows.company))
    for fold in range(FOLDS):
        yield np.isin(rows.company, companies[fold::FOLDS])


def boosted(features: npt.NDArray[np.float32], target: Floats, weight: Floats, trees: int = TREES) -> Trees:
    """Of least squares, each tree on a part of rows and features (Friedman 2002)."""
    model = GradientBoostingRegressor(
        n_estimators=trees,
        learning_rate=16 / TREES,
        max_depth=DEPTH,
        subsample=0.5,
        max_features=0.2,
        min_samples_leaf=8,
        random_state=0,
    )
    return trees_of(model.fit(features, target, weight))


def trees_of(model: GradientBoostingRegressor) -> Trees:
    """The arrays of a fitted model of scikit-learn."""
    trees, depth = len(model.estimators_), model.max_depth
    nodes = 2 ** (depth + 1) - 1
    arrays = {
        name: np.zeros((trees, nodes), kind)
        for name, kind in (
            ("feature", "i2"),
            ("threshold", "f4"),
            ("left", "i2"),
            ("right", "i2"),
            ("value", "f4"),
        )
    }
    for number, (stage,) in enumerate(model.estimators_):
        tree, own = stage.tree_, np.arange(stage.tree_.node_count)
        leaf = tree.children_left < 0
        arrays["feature"][number, own] = np.where(leaf, 0, tree.feature)
        arrays["threshold"][number, own] = np.where(leaf, 0, tree.threshold)
        arrays["left"][number, own] = np.where(leaf, own, tree.children_left)
        arrays["right"][number, own] = np.where(leaf, own, tree.children_right)
        arrays["value"][number, own] = model.learning_rate * tree.value[:, 0, 0]
    arrays["value"][0] += float(model.init_.constant_.item())
    return Trees(**arrays, depth=depth)


def calibrated(model: Predictor, examples: Examples) -> Predictor:
    """With error bars that are one standard deviation on these songs: 68 % are within one."""
    value, error, truth = predictions(model, examples, tracks=False)
    model = replace(model, window_factor=_factor(value, error, truth))
    value, error, truth = predictions(model, examples, tracks=True)
    return replace(model, track_factor=_factor(value, error, truth))


def predictions(model: Predictor, examples: Examples, *, tracks: bool) -> tuple[Floats, Floats, Floats]:
    """Predicted value, its error bar and the true value (limited as predictions are) of windows or whole stems.

    One per row of `scored`.
    """
    windows = examples[examples.window >= 0]
    value, error = model.windows(windows.features.astype(np.float64))
    rows = scored(examples, tracks=tracks)
    truth = np.clip(rows.si_sdr_db, LOWEST_DB, HIGHEST_DB)
    if not tracks:
        known = np.isfinite(windows.si_sdr_db)
        return value[known], error[known], truth
    parts: dict[tuple[str, int, str], list[int]] = defaultdict(list)
    for number, key in enumerate(_stems(windows)):
        parts[key].append(number)
    wholes = [
        model.track(value[parts[key]], error[parts[key]], windows.energy[parts[key]]) for key in _stems(rows)
    ]
    whole, whole_error = np.array(wholes).T
    return whole, whole_error, truth


def scored(examples: Examples, *, tracks: bool) -> Examples:
    """The rows whose truth is known: windows, or whole stems that have a window."""
    rows = examples[np.isfinite(examples.si_sdr_db) & ((examples.window < 0) == tracks)]
    if not tracks:
        return rows
    heard = set(_stems(examples[examples.window >= 0]))
    return rows[np.array([key in heard for key in _stems(rows)])]


def _stems(rows: Examples) -> Iterator[tuple[str, int, str]]:
    """Which stem of which separation of which song each row is of."""
    return zip(rows.song.tolist(), rows.separation.tolist(), rows.stem.tolist(), strict=True)


def _factor(value: Floats, error: Floats, truth: Floats) -> float:
    return float(np.quantile(np.abs(truth - value) / error, 0.68))


def main(folder: Path) -> None:
    singers = [
        {piece.company for piece in part if piece.is_recorded}
        for part in (fit_pieces(), calibration_pieces(), test_pieces())
    ]
    assert sum(map(len, singers)) == len(set.union(*singers)), "somebody sings in two of the parts"
    model = fitted(seen(all_examples(fit_pieces(), folder)))
    model = calibrated(model, seen(all_examples(calibration_pieces(), folder)))
    arrays = {
        f"{part}.{name}": values
        for part in ("value", "spread")
        for name, values in asdict(model)[part].items()
    }
    factors = {name: getattr(model, name) for name in ("window_factor", "track_factor")}
    np.savez_compressed(FILE, **arrays, **factors)
    record("resonate/predictor", FILE)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
