"""What quality control says of each defect of an excerpt."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from resonate_resources.quality.comparison import compare, listen
from resonate_resources.quality.music import Music
from resonate_resources.recordings.recording import write_samples
from resonate_tests.benchmarks.defects.defect import Audible, Defect
from resonate_tests.benchmarks.defects.excerpt import Excerpt

NAMES = {
    "mel_spectrogram_correlation": "spectrum",
    "rms_per_section": "level_per_section",
    "bass_pattern": "bass",
    "kick_pattern": "kick",
    "harmonic_progression": "harmony",
    "dynamic_range": "dynamics",
    "bpm_phase": "beats",
    "onset_pattern": "onsets",
    "section_boundaries": "sections",
}
"""Dimensions of quality control whose names are not those of `defect.DIMENSIONS`."""


@dataclass(frozen=True)
class Measured:
    """scores: dimension → 0…100; amounts: dimension → how much it differs, in its own unit; own: the defect's own
    of them, None where there is none such."""

    song: str
    kind: str
    grade: str
    size: float
    audible: Audible
    own: str | None
    total: float
    accepted: bool
    scores: dict[str, float]
    amounts: dict[str, float]

    @property
    def own_score(self) -> float | None:
        return None if self.own is None else self.scores.get(self.own)

    @property
    def own_first(self) -> bool:
        """Whether no dimension fell further than its own."""
        return self.own_score is not None and self.own_score <= min(self.scores.values()) + 0.01


def measure(excerpt: Excerpt, defects: Sequence[Defect], least: bool = False) -> Iterator[Measured]:
    """Each size of each defect that the excerpt can have, and that changes it. Raises ValueError for one that makes
    no sound. least: only the least size of each that is heard, and what is harmless."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        known = Music(beats_s=excerpt.beats_s, starts_s=(0.0, *excerpt.edges_s))
        reference = listen(write_samples(folder / "reference.wav", excerpt.mix, excerpt.rate), known)
        candidate = folder / "candidate.wav"
        for defect in defects:
            sizes = list(zip(defect.grades, defect.sizes, defect.audible, strict=True))
            if least:
                sizes = [] if defect.least is None else [sizes[defect.least]]
            for grade, size, audible in sizes:
                made = defect.make(excerpt, size)
                if made is None or (defect.own is not None and np.array_equal(made, excerpt.mix)):
                    continue  # chance can leave out what is rare
                if not np.isfinite(made).all():
                    raise ValueError(f"{excerpt.name}: {defect.kind} at {size:g} {defect.unit} is not finite")
                comparison = compare(reference, write_samples(candidate, made, excerpt.rate))
                yield Measured(
                    song=excerpt.name,
                    kind=defect.kind,
                    grade=grade,
                    size=size if math.isfinite(size) else math.copysign(1e9, size),
                    audible=audible,
                    own=defect.own,
                    total=comparison.total,
                    accepted=comparison.accepted,
                    scores={NAMES.get(name, name): score for name, score in comparison.scores.items()},
                    amounts={
                        NAMES.get(name, name): each.amount for name, each in comparison.differences.items()
                    },
                )
