"""Quality control as a resource: candidates scored against what they were made from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import dagster as dg

from resonate_resources.quality.comparison import Comparison, compare, listen
from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.recordings.recording import Progress, Recording, silent
from resonate_resources.signal.chart import bars

CODE_VERSION = "2"
"""Raised when the algorithm changes in a way that no constant shows."""


class QualityResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Scores recordings against a reference in twelve dimensions, 0…100 each."""

    def recipe(self) -> Recipe:
        return Recipe.of(__name__, Engine("embedded"), version=CODE_VERSION)

    def score(
        self,
        reference: Recording,
        candidates: Mapping[str, Recording],
        into: Path,
        progress: Progress = silent,
    ) -> Product:
        """qc_scores.parquet: a row (candidate, dimension, score, detail) per candidate and dimension, and `total`.

        Measures: <candidate>_total and <candidate>_<dimension>, 0…100, <candidate>_lag_s and _gain_db.
        """
        heard = listen(reference)
        progress(1 / (1 + len(candidates)))
        comparisons: dict[str, Comparison] = {}
        for name, candidate in candidates.items():
            comparisons[name] = compare(heard, candidate)
            progress((1 + len(comparisons)) / (1 + len(candidates)))
        path = into / "qc_scores.parquet"
        _write(comparisons, path)
        picture = into / "picture.png"
        picture.write_bytes(
            bars(
                {
                    f"{name}: {comparison.total:.0f}": {
                        dimension: score.score for dimension, score in comparison.scores.items()
                    }
                    for name, comparison in comparisons.items()
                }
            )
        )
        return Product({path.name: path}, _measures(comparisons), reports={picture.name: picture})


def _measures(comparisons: Mapping[str, Comparison]) -> dict[str, float]:
    measures: dict[str, float] = {}
    for name, comparison in comparisons.items():
        measures[f"{name}_total"] = comparison.total
        measures |= {f"{name}_{dimension}": score.score for dimension, score in comparison.scores.items()}
        measures |= {f"{name}_lag_s": comparison.lag_s, f"{name}_gain_db": comparison.gain_db}
    return measures


def _write(comparisons: Mapping[str, Comparison], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [
        {"candidate": name, "dimension": dimension, "score": score.score, "detail": score.detail}
        for name, comparison in comparisons.items()
        for dimension, score in comparison.scores.items()
    ]
    columns = {
        "candidate": pa.string(),
        "dimension": pa.string(),
        "score": pa.float64(),
        "detail": pa.string(),
    }
    with path.open("wb") as file:  # Arrow takes no path that is not UTF-8
        pq.write_table(pa.Table.from_pylist(rows, schema=pa.schema(columns)), file)
