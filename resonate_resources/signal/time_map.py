"""Where each moment of a recording goes when its time is stretched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.tempo_map import TICKS_PER_BEAT, Anchor, TempoMap

LEAST, MOST = 0.5, 2.0
"""How many times as long anything may become."""
_LAST_S = 1e6  # later than any recording ends


@dataclass(frozen=True)
class TimeMap:
    """Straight lines between knots, both rising, in seconds; the outermost ones go on beyond them."""

    source_s: Sequence[float]
    target_s: Sequence[float]

    @classmethod
    def steady(cls, ratio: float) -> TimeMap:
        """Everything ratio times as long."""
        return cls((-_LAST_S, _LAST_S), (-ratio * _LAST_S, ratio * _LAST_S))

    @classmethod
    def straightened(cls, tempo: TempoMap, tempo_bpm: float) -> TimeMap:
        """Every tick of a tempo map where one steady tempo has it, in quarter notes a minute."""
        first, last = tempo.anchors[0], tempo.anchors[-1]
        quarter_s = 60 / tempo_bpm
        source = [-_LAST_S, *(anchor.second for anchor in tempo.anchors), _LAST_S]
        quarters = [
            (source[0] - first.second) * 1e6 / first.tempo,
            *(anchor.tick / TICKS_PER_BEAT for anchor in tempo.anchors),
            last.tick / TICKS_PER_BEAT + (source[-1] - last.second) * 1e6 / last.tempo,
        ]
        return cls(source, [quarter * quarter_s for quarter in quarters])

    def __call__(self, seconds: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Where moments go, of the shape given."""
        return np.interp(np.asarray(seconds, np.float64), self.source_s, self.target_s)

    @property
    def ratios(self) -> npt.NDArray[np.float64]:
        """Of each line: how many times as long it becomes."""
        return np.diff(self.target_s) / np.diff(self.source_s)

    @property
    def changes_nothing(self) -> bool:
        return bool(np.all(np.abs(self.ratios - 1) < 1e-9))


def steadied(tempo: TempoMap, tempo_bpm: float) -> TempoMap:
    """The tempo map of what `TimeMap.straightened` gives."""
    return replace(tempo, anchors=TempoMap.steady(tempo_bpm).anchors)


def scaled(tempo: TempoMap, ratio: float) -> TempoMap:
    """The tempo map of what is ratio times as long."""
    return replace(
        tempo,
        anchors=tuple(
            Anchor(each.tick, each.second * ratio, round(each.tempo * ratio)) for each in tempo.anchors
        ),
    )
