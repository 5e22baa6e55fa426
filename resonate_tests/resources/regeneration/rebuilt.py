"""Facts, candidates and reports as the stages give them, and worlds in which it is known what would be right."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from resonate_resources.regeneration.decisions import Decisions, InstrumentChoice, StemDecision
from resonate_resources.regeneration.facts import Facts, Ranked, StemFacts, SweepFacts
from resonate_resources.regeneration.quality_report import QualityReport

DIMENSIONS = (
    *("mel_spectrogram_correlation", "rms_per_section", "stereo_width", "bass_pattern", "kick_pattern"),
    *("harmonic_progression", "energy_curve", "reverb", "dynamic_range", "bpm_phase", "section_boundaries"),
    *("timbre", "octave_balance", "noise_floor", "tuning", "onset_pattern"),
)
"""Quality control's, as issue 17 names them."""

CANDIDATES = {
    "drums": [
        Ranked(kind="sampler", label="own strokes", distance_db=3.0),
        Ranked(kind="sampler", label="drum hits", distance_db=7.0),
    ],
    "bass": [
        Ranked(kind="sampler", label="own notes", distance_db=3.5),
        Ranked(kind="soundfont", label="Fingered Bass", distance_db=4.0),
        Ranked(kind="faust", label="bass voice", distance_db=6.0),
    ],
    "other": [
        Ranked(kind="additive", label="learned", distance_db=4.1),
        Ranked(kind="soundfont", label="Electric Piano 1", distance_db=5.6),
    ],
}
DECISIONS = Decisions(stems={"drums": StemDecision(), "bass": StemDecision(), "other": StemDecision()})
FACTS = Facts(
    seconds=180.0,
    tempo_bpm=120.0,
    metre="4/4",
    key="A minor",
    bars=90,
    rt60_s=0.8,
    sections=(),
    sections_left_out=0,
    stems={
        "drums": StemFacts(candidates=tuple(CANDIDATES["drums"])),
        "bass": StemFacts(candidates=tuple(CANDIDATES["bass"]), pumping_db=6.0),
        "other": StemFacts(
            candidates=tuple(CANDIDATES["other"]),
            sweeps=(
                SweepFacts(kind="low-pass", bar=13, end_bar=17, from_hz=300, to_hz=9000, at_section=True),
                SweepFacts(kind="low-pass", bar=40, end_bar=42, from_hz=900, to_hz=300, at_section=False),
            ),
        ),
    },
)


def report(scores: Mapping[str, float], stem: str | None = None, **found: Any) -> QualityReport:
    """Of those scores, 100 in all other dimensions. found: of every finding."""
    whole = {name: float(scores.get(name, 100.0)) for name in DIMENSIONS}
    total = 100 - math.sqrt(sum((100 - score) ** 2 for score in whole.values()) / len(whole))
    return QualityReport.model_validate(
        {
            "total": total,
            "accepted": total >= 85 and min(whole.values()) >= 50,
            "matched": total >= 90 and min(whole.values()) >= 50,
            "lag_s": 0.0,
            "dimensions": {name: {"score": score, "stem": stem, **found} for name, score in whole.items()},
        }
    )


@dataclass
class World:
    """A bass that would be right with those decisions: what is off by how much costs so many points. remade:
    what was made, each time."""

    gate: float = 1.0
    shift_ms: float = 0.0
    instrument: InstrumentChoice | None = None
    told: bool = False  # whether the report says by how much
    remade: list[frozenset[str]] = field(default_factory=list)

    def rebuild(self, decisions: Decisions, parts: frozenset[str], before: Decisions | None) -> Decisions:
        self.remade.append(parts)
        return decisions

    def judge(self, made: Decisions) -> QualityReport:
        bass = made.stems["bass"]
        longer = math.log2(bass.gate / self.gate)
        late = bass.shift_ms - self.shift_ms
        scores = {
            "reverb": 100 - min(100, 40 * abs(longer)),
            "bpm_phase": 100 - min(100, 3 * abs(late)),
            "timbre": 100 if bass.instrument == self.instrument else 55,
        }
        judged = report(scores, "bass")
        if not self.told:
            return judged
        dimensions = dict(judged.dimensions)
        for name, change in (("reverb", longer), ("bpm_phase", late)):
            dimensions[name] = dimensions[name].model_copy(update={"change": change})
        return judged.model_copy(update={"dimensions": dimensions})
