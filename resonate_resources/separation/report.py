"""What there is to report of a separation: for the web UI in numbers and lines, for programs in JSON."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

from resonate_resources.recordings.recording import Stems
from resonate_resources.separation.attempts import Outcome
from resonate_resources.separation.balance import Balance
from resonate_resources.separation.trying import Quality

Measures = dict[str, float | int | str | bool]


@dataclass(frozen=True)
class SeparationReport:
    """What was done and what came of it. raw: of the stems as the engines gave them, where they were changed."""

    outcome: Outcome
    stems: Stems
    quality: Quality
    balance: Balance
    raw: Balance | None

    @property
    def cost_minutes(self) -> float:
        return sum(attempt.cost_minutes for attempt in self.outcome.attempts)

    def measures(self) -> Measures:
        """Levels in dBFS RMS; quality in dB with its error; null depth in dB; paid minutes."""
        measures = measures_of(self.quality, self.balance)
        if self.raw is not None:
            measures["raw_null_depth_db"] = self.raw.null_depth_db
        if self.cost_minutes:
            measures["cost_minutes"] = self.cost_minutes
        return measures

    def notes(self) -> tuple[str, ...]:
        """Every engine that was tried or left out, and why; then what they had to say."""
        told = [
            f"{attempt.engine}{f' {attempt.model}' if attempt.model else ''}: {attempt.outcome} ({attempt.reason})"
            for attempt in self.outcome.attempts
        ]
        if self.raw is not None:
            told.append(
                "what the stems left over of the track was shared out; as they were, they are in raw/"
            )
        return (*told, *self.outcome.notes)

    def quality_json(self) -> bytes:
        """See the function of that name."""
        return quality_json(self.quality, self.balance)

    def to_json(self) -> bytes:
        """Everything, windows included. What is no finite number is null."""
        report = {
            "engine": self.outcome.engine.name,
            "model": self.outcome.separator.recipe().engine.model,
            "quality": {name: asdict(quality) for name, quality in self.quality.items()},
            "null_depth_db": self.balance.null_depth_db,
            "raw_null_depth_db": self.raw.null_depth_db if self.raw else None,
            "cost_minutes": self.cost_minutes,
            "attempts": [asdict(attempt) for attempt in self.outcome.attempts],
            "notes": self.notes(),
        }
        return json.dumps(_finite(report), indent=1, ensure_ascii=False, allow_nan=False).encode()


def measures_of(quality: Quality, balance: Balance) -> Measures:
    """Levels in dBFS RMS; quality in dB with its error; null depth in dB."""
    measures: Measures = {f"{name}_level_dbfs": level for name, level in balance.level_dbfs.items()}
    for name, each in quality.items():
        if each.windows:  # of silence there is nothing to say
            called = "si_sdr" if each.kind == "measured" else "predicted_quality"
            measures[f"{name}_{called}_db"] = each.si_sdr_db
            if each.kind == "predicted":
                measures[f"{name}_{called}_error_db"] = each.error_db
    measures["null_depth_db"] = balance.null_depth_db
    return measures


def quality_json(quality: Quality, balance: Balance) -> bytes:
    """What stems are worth, windows included: content, which later stages go by."""
    found = {
        "quality": {name: asdict(each) for name, each in quality.items()},
        "null_depth_db": balance.null_depth_db,
    }
    return json.dumps(_finite(found), indent=1, allow_nan=False).encode()


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(inner) for inner in value]
    return value
