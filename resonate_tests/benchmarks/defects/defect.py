"""What a defect is: how it is made, whose it is, and whether anybody would hear it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from resonate_resources.recordings.recording import Samples
from resonate_tests.benchmarks.defects.excerpt import Excerpt

Audible = Literal["yes", "hardly", "no"]
Make = Callable[[Excerpt, float], Samples | None]

GRADES = ("slight", "clear", "gross")
DIMENSIONS = (
    "spectrum",
    "octave_balance",
    "level_per_section",
    "stereo_width",
    "bass",
    "kick",
    "harmony",
    "melody",
    "energy_curve",
    "reverb",
    "dynamics",
    "beats",
    "sections",
    "onsets",
    "timbre",
    "noise_floor",
    "tuning",
)


@dataclass(frozen=True)
class Defect:
    """A kind of defect in up to three sizes, the last of them gross; the only one of what is harmless is slight.

    own: the dimension of DIMENSIONS that should fall most, None where none should fall. make: excerpt and size →
    (channels, frames) of another length where time is changed; None where the excerpt has nothing to damage.
    sizes are in `unit`. audible: of each size, by a musician on good headphones who knows the original; why it is
    so, by which source or reason.
    """

    kind: str
    own: str | None
    make: Make
    sizes: tuple[float, ...]
    unit: str
    why: str
    audible: tuple[Audible, ...] = ("hardly", "yes", "yes")

    @property
    def least(self) -> int | None:
        """Which size is the least that is heard; of what is harmless the only one. None where none is."""
        if self.own is None:
            return 0
        return self.audible.index("yes") if "yes" in self.audible else None

    @property
    def grades(self) -> tuple[str, ...]:
        """A name of GRADES for each size."""
        return GRADES[:1] if self.own is None else GRADES[-len(self.sizes) :]
