"""Before and after in numbers, and the dimensions of quality control, of what stages measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from resonate_assets.acceptance import acceptance
from resonate_resources.quality.report import Finding
from resonate_resources.quality.resource import REPORT
from resonate_resources.signal.sound_quality import Score
from resonate_resources.storage.artefacts import Artefact
from resonate_studio.api import models

_NO_DIMENSIONS = ("total", "accepted", "lowest", "lag_s", "gain_db")
_SPOKEN = {
    "mel_spectrogram_correlation": "tone over time",
    "rms_per_section": "level of sections",
    "bpm_phase": "place of beats",
    "section_boundaries": "places of sections",
}
"""Dimensions whose name says how they are measured, by what they tell."""


_LESSENED_BY = {
    "noise": "less for noise that never rests",
    "hum": "less for hum of the mains",
    "loudness": "less for what is very soft or overdriven",
    "dynamics": "less for what was squashed",
    "balance": "less for what is muffled or shrill",
    "bandwidth": "less for missing highs",
    "clipping": "less for tops that are cut flat",
    "metallic": "less for metallic shimmer",
}
"""Parts of the quality of sound, by what they suffer from."""


@dataclass(frozen=True)
class _Measure:
    """before, after: (stage, measure), of which the first that is there counts. better: which way is an
    improvement; under: where it is one to get under this, if it was over it. moved: what can be heard of it."""

    name: str
    unit: str
    before: tuple[tuple[str, str], ...]
    after: tuple[tuple[str, str], ...]
    better: Literal["up", "taste"] = "taste"
    under: float | None = None
    moved: float = 0.1


_MEASURES = (
    _Measure(
        "sound quality",
        "of 100",
        (("master", "original_quality"), ("profile", "quality")),
        (("master", "master_quality"),),
        better="up",
        moved=1.0,
    ),
    _Measure("loudness", "LUFS", (("raw_track", "loudness_lufs"),), (("master", "loudness_lufs"),)),
    _Measure(
        "true peak",
        "dBTP",
        (("profile", "true_peak_dbtp"),),
        (("master", "true_peak_dbtp"),),
        under=0.0,  # over it, converters clip (EBU R 128 asks for −1, which is taste where nothing clips)
    ),
    _Measure("loudness range", "LU", (("profile", "loudness_range_lu"),), (("master", "loudness_range_lu"),)),
    _Measure(
        "bandwidth",
        "Hz",
        (("profile", "bandwidth_hz"),),
        (("restored_stems", "bandwidth_hz"),),
        better="up",
        moved=500.0,
    ),
)


def quality_of(made: Mapping[str, Artefact]) -> models.Quality:
    """made: stage → what counts now."""
    measured = {stage: artefact.manifest.measures for stage, artefact in made.items()}
    verdict = acceptance(measured)
    scores = measured.get("qc_scores", {})
    details = _details(made["qc_scores"]) if "qc_scores" in made else {}
    dimensions = [
        models.Dimension(
            name=_SPOKEN.get(name, name.replace("_", " ")), score=float(value), detail=details.get(name, "")
        )
        for full, value in scores.items()
        if full.startswith("master_") and (name := full.removeprefix("master_")) not in _NO_DIMENSIONS
    ]
    total = scores.get("master_total")
    return models.Quality(
        total=None if total is None else float(total),
        accepted=verdict.accepted,
        reasons=list(verdict.reasons),
        dimensions=dimensions,
        measures=[row for each in _MEASURES if (row := _row(each, measured)) is not None],
    )


def sound_of(quality: Score) -> models.SoundQuality:
    parts = [
        models.Dimension(name=part, score=score, detail=_LESSENED_BY.get(part, ""))
        for part, score in quality.parts.items()
    ]
    return models.SoundQuality(total=quality.total, parts=parts)


def _row(
    asked: _Measure, measured: Mapping[str, Mapping[str, float | int | str | bool]]
) -> models.BeforeAfter | None:
    """None where neither is known."""
    before, after = (_first(places, measured) for places in (asked.before, asked.after))
    if before is None and after is None:
        return None
    return models.BeforeAfter(
        name=asked.name, unit=asked.unit, before=before, after=after, better=_better(asked, before, after)
    )


def _better(asked: _Measure, before: float | None, after: float | None) -> bool | None:
    if before is None or after is None or abs(after - before) < asked.moved:
        return None
    if asked.under is not None and max(before, after) > asked.under:
        return after < before
    return after > before if asked.better == "up" else None


def _first(
    places: tuple[tuple[str, str], ...], measured: Mapping[str, Mapping[str, float | int | str | bool]]
) -> float | None:
    for stage, name in places:
        value = measured.get(stage, {}).get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    return None


def _details(qc_scores: Artefact) -> dict[str, str]:
    """Dimension → the figures that the master's score came from, and where it is worst."""
    if REPORT not in qc_scores.manifest.files:  # of before there were places
        return {}
    told = qc_scores.read_json(REPORT)["master"]["dimensions"]
    found = (Finding(name, **each) for name, each in told.items())
    return {each.dimension: f"{each.detail} ({each.where})" if each.where else each.detail for each in found}
