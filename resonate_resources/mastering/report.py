"""What became of a track: original, mix and master side by side, at equal loudness."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from resonate_resources.mastering.facts import Facts
from resonate_resources.signal.chart import balances
from resonate_resources.signal.octaves import OCTAVES_HZ
from resonate_resources.signal.sound_quality import Score

REPORT, PICTURE = "report.json", "picture.png"

_NONE: Mapping[str, Score] = {}
_SHOWN = {
    "integrated_lufs": ("loudness", "LUFS"),
    "loudness_range_lu": ("loudness range", "LU"),
    "true_peak_dbtp": ("true peak", "dBTP"),
    "crest_db": ("peak over RMS", "dB"),
    "width_db": ("side over mid", "dB"),
    "centroid_hz": ("spectral centroid", "Hz"),
}


def report(
    found: Mapping[str, Facts], into: Path, moved: Sequence[str] = (), quality: Mapping[str, Score] = _NONE
) -> dict[str, Path]:
    """Write report.json and picture.png of recordings, the original first, into that folder.

    found: by name, what was measured. Told is that, octaves as they would be at the original's loudness; null for
    what is no finite number; and what was moved and why, a line each. quality: by name, of some of them, as a
    score and its parts.
    """
    reference = next(iter(found.values())).integrated_lufs
    matched = {name: _at(facts, reference) for name, facts in found.items()}
    told = {name: _finite(asdict(facts)) for name, facts in matched.items()}
    scores = {name: _finite(asdict(score)) for name, score in quality.items() if score.total is not None}
    text = json.dumps(
        {"octaves_hz": OCTAVES_HZ, **told, "quality": scores, "moved": list(moved)},
        indent=1,
        ensure_ascii=False,
        allow_nan=False,
    )
    (into / REPORT).write_text(text + "\n", encoding="utf-8")
    numbers = {
        words: {name: _said(getattr(facts, key), unit) for name, facts in matched.items()}
        for key, (words, unit) in _SHOWN.items()
    }
    if scores:
        numbers["quality"] = {
            name: f"{scores[name]['total']:.0f} of 100" if name in scores else "–" for name in matched
        }
    levels = {name: facts.octaves_db for name, facts in matched.items()}
    (into / PICTURE).write_bytes(balances(OCTAVES_HZ, levels, numbers, moved))
    return {name: into / name for name in (REPORT, PICTURE)}


def _at(facts: Facts, lufs: float) -> Facts:
    gain_db = lufs - facts.integrated_lufs
    if not math.isfinite(gain_db):
        return facts
    return replace(facts, octaves_db=tuple(level + gain_db for level in facts.octaves_db))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 2) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    return [_finite(each) for each in value]


def _said(value: float, unit: str) -> str:
    return f"{value:.1f} {unit}" if math.isfinite(value) else "–"
