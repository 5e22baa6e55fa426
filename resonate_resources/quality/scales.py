"""What differences are worth: how far apart is heard, is clear, is gross, in each dimension.

Calibrated on graded defects of rendered and real music: `bench_defects`, docs/quality.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

Purpose = Literal["rebuilt", "master"]
"""What a candidate is: a track made anew, which is to be the original; or a master, which may change some of it."""


@dataclass(frozen=True)
class Scale:
    """Differences in the dimension's own unit, rising: those that begin to be heard score 90, clear ones 70, gross
    ones 40, and those of another song 0; linear between.

    master: what a master may change for nothing.
    """

    heard: float
    clear: float
    gross: float
    other: float
    master: float = 0.0

    def score(self, amount: float, purpose: Purpose) -> float:
        """0…100, 100 for no difference; to two decimals, which hides rounding errors of equal readings."""
        beyond = amount - (self.master if purpose == "master" else 0.0)
        bounds = (0.0, self.heard, self.clear, self.gross, self.other)
        return round(float(np.interp(beyond, bounds, (100, 90, 70, 40, 0))), 2)


SCALES: Final[Mapping[str, Scale]] = {
    "mel_spectrogram_correlation": Scale(0.02, 0.08, 0.2, 0.6, master=0.03),
    "rms_per_section": Scale(0.5, 1.6, 4.5, 10.0, master=2.0),
    "stereo_width": Scale(1.0, 4.0, 10.0, 22.0, master=2.0),
    "bass_pattern": Scale(0.03, 0.14, 0.43, 0.95, master=0.1),
    "kick_pattern": Scale(0.08, 0.2, 0.4, 0.95, master=0.1),
    "onset_pattern": Scale(0.12, 0.45, 0.8, 1.6, master=0.15),
    "harmonic_progression": Scale(0.035, 0.2, 0.45, 0.9),
    "energy_curve": Scale(0.03, 0.15, 0.5, 1.0, master=0.05),
    "reverb": Scale(0.06, 0.13, 0.3, 1.0, master=0.15),
    "dynamic_range": Scale(1.2, 2.7, 4.5, 9.0, master=3.0),
    "bpm_phase": Scale(12.0, 30.0, 70.0, 150.0),
    "section_boundaries": Scale(0.05, 0.18, 0.35, 0.7, master=0.03),
    "timbre": Scale(0.02, 0.1, 0.25, 0.6, master=0.03),
    "octave_balance": Scale(1.0, 2.5, 5.0, 15.0, master=3.0),
    "noise_floor": Scale(0.6, 3.0, 9.0, 25.0, master=1.0),
    "tuning": Scale(2.5, 8.0, 18.0, 30.0),
}
"""Dimension → its scale, in the order that they are told."""

DIMENSIONS: Final = tuple(SCALES)

GATES: Final[Mapping[Purpose, float]] = {"rebuilt": 90.0, "master": 50.0}
"""What no dimension may be under: in a rebuilt track nothing that is heard, in a master nothing that is gross."""

ACCEPTED: Final = 85.0
"""Total, likewise."""
MATCHED: Final = 95.0
"""Total of a rebuilt track that is accepted, from which on there is nothing left to better."""
