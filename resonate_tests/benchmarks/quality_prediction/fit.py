"""Fits and calibrates the predictor: `python -m resonate_tests.benchmarks.quality_prediction.fit FOLDER`.

Songs are rendered into FOLDER (needs FluidSynth and two soundfonts of Debian), predictor.npz is written
there. What fitting has seen, `split.py` says.
"""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import GradientBoostingRegressor

from resonate_resources.separation.prediction.predictor import HIGHEST_DB, LOWEST_DB, Predictor
from resonate_resources.separation.prediction.trees import Trees
from resonate_tests.benchmarks.quality_prediction.degradation import KINDS, UNSEEN_KINDS
from resonate_tests.benchmarks.quality_prediction.examples import Examples, examples_of
from resonate_tests.benchmarks.quality_prediction.split import CALIBRATION_SONGS, FIT_SONGS

TREES = 400
DEPTH = 4
FOLDS = 6

Floats = npt.NDArray[np.float64]


def seen(examples: Examples) -> Examples:
    """Without the kinds of error that are kept for the test."""
    return examples[~np.isin(examples.kind, [KINDS.index(kind) for kind in UNSEEN_KINDS])]


def fitted(examples: Examples) -> Predictor:
    """Trees for the value, and for how far they are off songs that they were not fitted on; not yet calibrated."""
    rows = examples[examples.window >= 0]
    # A stem that sounds where its truth is silent is nothing but error.
    target = np.nan_to_num(np.clip(rows.si_sdr_db, LOWEST_DB, HIGHEST_DB), nan=LOWEST_DB)
    songs = np.random.default_rng(0).permutation(np.unique(rows.song))
    off = np.empty(len(target))
    for fold in range(FOLDS):
        held = np.isin(rows.song, songs[fold::FOLDS])
        off[held] = target[held] - boosted(rows.features[~held], target[~held])(rows.features[held])
    return Predictor(
        boosted(rows.features, target),
        boosted(rows.features, np.log(np.abs(off) + 0.3), TREES // 4),
        1.0,
        1.0,
    )


def boosted(features: npt.NDArray[np.float32], target: Floats, trees: int = TREES) -> Trees:
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
    return trees_of(model.fit(features, target))


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
    """With error bars that hold on these songs: 68 % within one, 95 % within two."""
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
    wholes = []
    for song, separation, stem in zip(rows.song, rows.separation, rows.stem, strict=True):
        own = (windows.song == song) & (windows.separation == separation) & (windows.stem == stem)
        wholes.append(model.track(value[own], error[own], windows.energy[own]))
    whole, whole_error = np.array(wholes).T
    return whole, whole_error, truth


def scored(examples: Examples, *, tracks: bool) -> Examples:
    """The rows whose truth is known: windows, or whole stems that have a window."""
    rows = examples[np.isfinite(examples.si_sdr_db) & ((examples.window < 0) == tracks)]
    return rows[rows.energy > 1e-6] if tracks else rows


def _factor(value: Floats, error: Floats, truth: Floats) -> float:
    off = np.abs(truth - value) / error
    return float(max(np.quantile(off, 0.68), np.quantile(off, 0.95) / 2))


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    model = fitted(seen(Examples.joined([examples_of(song, folder) for song in FIT_SONGS])))
    model = calibrated(
        model, seen(Examples.joined([examples_of(song, folder) for song in CALIBRATION_SONGS]))
    )
    arrays = {
        f"{part}.{name}": values
        for part in ("value", "spread")
        for name, values in asdict(model)[part].items()
    }
    factors = {name: getattr(model, name) for name in ("window_factor", "track_factor")}
    np.savez_compressed(folder / "predictor.npz", **arrays, **factors)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
