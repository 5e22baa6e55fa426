"""What became of a track: original, mix and master side by side, at equal loudness."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.chart import balances
from resonate_resources.signal.loudness import measure_loudness
from resonate_resources.signal.octaves import OCTAVES_HZ, octave_levels
from resonate_resources.signal.true_peak import measure_true_peak

REPORT, PICTURE = "report.json", "picture.png"

_FAINTEST = 1e-14


@dataclass(frozen=True)
class Facts:
    """Of one recording. octaves_db: mean square at OCTAVES_HZ, -inf for none. crest_db: true peak over RMS.
    width_db: side over mid, NaN where there is none."""

    octaves_db: tuple[float, ...]
    integrated_lufs: float
    loudness_range_lu: float
    true_peak_dbtp: float
    crest_db: float
    width_db: float


_SHOWN = {
    "integrated_lufs": ("loudness", "LUFS"),
    "loudness_range_lu": ("loudness range", "LU"),
    "true_peak_dbtp": ("true peak", "dBTP"),
    "crest_db": ("peak over RMS", "dB"),
    "width_db": ("side over mid", "dB"),
}


def report(recordings: Mapping[str, Recording], into: Path) -> dict[str, Path]:
    """Write report.json and picture.png of recordings, the original first, into that folder.

    By name: `Facts`, octaves as they would be at the original's loudness; null for what is no finite number.
    """
    with ThreadPoolExecutor(2) as pool:
        found = dict(zip(recordings, pool.map(facts_of, recordings.values()), strict=True))
    reference = next(iter(found.values())).integrated_lufs
    matched = {name: _at(facts, reference) for name, facts in found.items()}
    told = {name: _finite(asdict(facts)) for name, facts in matched.items()}
    text = json.dumps({"octaves_hz": OCTAVES_HZ, **told}, indent=1, allow_nan=False)
    (into / REPORT).write_text(text + "\n")
    numbers = {
        words: {name: _said(getattr(facts, key), unit) for name, facts in matched.items()}
        for key, (words, unit) in _SHOWN.items()
    }
    levels = {name: facts.octaves_db for name, facts in matched.items()}
    (into / PICTURE).write_bytes(balances(OCTAVES_HZ, levels, numbers))
    return {name: into / name for name in (REPORT, PICTURE)}


def facts_of(recording: Recording) -> Facts:
    """Measured in five passes."""
    energy, mid, side = 0.0, 0.0, 0.0
    for block in recording.blocks():
        energy += float(np.square(block, dtype=np.float64).sum())
        if len(block) == 2:
            mid += float(np.square(block[0] + block[1], dtype=np.float64).sum())
            side += float(np.square(block[0] - block[1], dtype=np.float64).sum())
    loudness, peak = measure_loudness(recording), measure_true_peak(recording)
    octaves = [power if power > _FAINTEST else 0.0 for power in octave_levels(recording).tolist()]
    return Facts(
        tuple(decibels(power) for power in octaves),
        loudness.integrated_lufs,
        loudness.range_lu,
        peak,
        peak - decibels(energy / (recording.frames * recording.channels)) if energy else math.nan,
        decibels(side / mid) if side and mid else math.nan,
    )


def decibels(power: float) -> float:
    """10·log10, -inf for 0."""
    return 10 * math.log10(power) if power > 0 else -math.inf


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
