"""Quality control as a resource: candidates scored against what they were made from."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from resonate_resources.harmony import chord_network
from resonate_resources.models.weights import models_directory, sha256_of_those_here
from resonate_resources.quality.audio_encoders import folder_in
from resonate_resources.quality.comparison import Comparison, compare, listen
from resonate_resources.quality.music import Music
from resonate_resources.quality.report import Finding, as_json, findings, told
from resonate_resources.quality.scales import Purpose
from resonate_resources.recipe import Engine, Json, Product, Recipe
from resonate_resources.recordings.recording import Progress, Recording, Stems, silent
from resonate_resources.signal.chart import bars
from resonate_resources.signal.summing import sum_recordings

CODE_VERSION = "4"
"""Raised when the algorithm changes in a way that no constant shows."""

REPORT = "qc.json"
SCORES = "qc_scores.parquet"


@dataclass(frozen=True)
class Judged:
    """A recording that is to be judged, as what, and its stems where it has any of its own."""

    recording: Recording
    purpose: Purpose
    stems: Stems | None = None


class QualityResource(dg.ConfigurableResource[None]):
    """Scores recordings against a reference in sixteen dimensions, 0…100 each."""

    def recipe(self) -> Recipe:
        settings: dict[str, Json] = {"chords_sha256": chord_network.SHA256}
        if (folder := folder_in(models_directory())) is not None:
            settings["encoder_sha256"] = sha256_of_those_here(sorted(folder.iterdir()))
        return Recipe.of(__name__, Engine("embedded"), settings, CODE_VERSION)

    def score(
        self,
        reference: Recording,
        music: Music,
        stems: Stems,
        candidates: Mapping[str, Judged],
        into: Path,
        progress: Progress = silent,
    ) -> Product:
        """qc.json: `report.as_json` of each candidate; qc_scores.parquet: a row a candidate and dimension.

        music: what is known of the reference; stems: its own. Measures: <candidate>_total and
        <candidate>_<dimension>, 0…100, <candidate>_accepted, _lowest (a dimension), _lag_s and
        _gain_db.
        """
        heard = listen(reference, music)
        progress(1 / (1 + len(candidates)))
        comparisons: dict[str, tuple[Comparison, tuple[Finding, ...]]] = {}
        for name, judged in candidates.items():
            comparison = compare(heard, judged.recording, judged.purpose)
            comparisons[name] = comparison, findings(comparison, stems, judged.stems)
            progress((1 + len(comparisons)) / (1 + len(candidates)))
        _write(comparisons, into / SCORES)
        reports = {name: as_json(*each) for name, each in comparisons.items()}
        (into / REPORT).write_text(json.dumps(reports, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        shown = {
            f"{name}: {comparison.total:.0f}": dict(comparison.scores)
            for name, (comparison, _) in comparisons.items()
        }
        (into / "picture.png").write_bytes(bars(shown))
        return Product(
            {SCORES: into / SCORES, REPORT: into / REPORT},
            _measures({name: comparison for name, (comparison, _) in comparisons.items()}),
            tuple(f"{name}: {line}" for name, each in comparisons.items() for line in told(*each)),
            reports={"picture.png": into / "picture.png"},
        )

    def judge_of(
        self, reference: Recording, music: Music, stems: Stems
    ) -> Callable[[Stems, Path], dict[str, Any]]:
        """Who scores rebuilt stems: of each set of them `report.as_json`. Their sum is in the folder meanwhile.

        music: what is known of the reference, which is heard once; stems: its own.
        """
        heard = listen(reference, music)

        def judge(rebuilt: Stems, folder: Path) -> dict[str, Any]:
            whole = sum_recordings(rebuilt.values(), folder / "judged.wav")
            comparison = compare(heard, whole)
            report = as_json(comparison, findings(comparison, stems, rebuilt))
            whole.path.unlink()
            return report

        return judge


def _measures(comparisons: Mapping[str, Comparison]) -> dict[str, float | int | str | bool]:
    measures: dict[str, float | int | str | bool] = {}
    for name, comparison in comparisons.items():
        measures |= {
            f"{name}_total": comparison.total,
            f"{name}_accepted": comparison.accepted,
            f"{name}_lowest": comparison.lowest,
        }
        measures |= {f"{name}_{dimension}": score for dimension, score in comparison.scores.items()}
        measures |= {f"{name}_lag_s": comparison.lag_s, f"{name}_gain_db": comparison.gain_db}
    return measures


def _write(comparisons: Mapping[str, tuple[Comparison, tuple[Finding, ...]]], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [
        {
            "candidate": name,
            "dimension": each.dimension,
            "score": each.score,
            "detail": each.detail,
            "start_s": each.start_s,
            "end_s": each.end_s,
            "lowest_hz": each.band_hz and each.band_hz[0],
            "highest_hz": each.band_hz and each.band_hz[1],
            "stem": each.stem,
            "change": each.change,
        }
        for name, (_, found) in comparisons.items()
        for each in found
    ]
    text, number = pa.string(), pa.float64()
    columns = {"candidate": text, "dimension": text, "score": number, "detail": text, "start_s": number}
    columns |= {"end_s": number, "lowest_hz": number, "highest_hz": number, "stem": text, "change": number}
    with path.open("wb") as file:  # Arrow takes no path that is not UTF-8
        pq.write_table(pa.Table.from_pylist(rows, schema=pa.schema(columns)), file)
