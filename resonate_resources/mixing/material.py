"""What kind of track is to be mixed, as far as that tells what may be done to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from resonate_resources.mixing.balance import smoothly
from resonate_resources.signal.octaves import OCTAVES_HZ

_NARROW_HZ, _WIDE_HZ = 9_000.0, 12_000.0  # a phone ends at 8 kHz, an MP3 at 16
_CUT_DB, _WHOLE_DB = -12.0, -8.0  # of 63 Hz under the stronger of the two octaves above it
_ALONE_DB, _TOGETHER_DB = -30.0, -15.0  # of what is the second strongest stem's own, against the mix
_LOW = OCTAVES_HZ.index(63.0)


@dataclass(frozen=True)
class Material:
    """rough: 0 is finished music, 1 a recording that was never mixed; between them, in between. why: one line."""

    rough: float
    why: str

    def played_by(self, together: float) -> Material:
        """The same, once it is known how far more than one part plays, 0 to 1: a part that is alone lacks nothing
        by having no lows, and has nothing to be balanced against."""
        if not self.rough or together == 1:
            return self
        return Material(
            self.rough * together, f"{self.why}; other parts beside the loudest to {together:.0%}"
        )


def together(own_db: Sequence[float]) -> float:
    """How far more than one part plays, 0 to 1, by the level of what is each stem's own against the mix in dB. What
    is separated of a cello is a cello and its remains."""
    return smoothly(sorted(own_db)[-2], _ALONE_DB, _TOGETHER_DB) if len(own_db) > 1 else 0.0


def material_of(bandwidth_hz: float, octaves_db: Sequence[float]) -> Material:
    """Of a track with content up to bandwidth_hz and these levels at OCTAVES_HZ in dB.

    A phone's microphone takes both ends. What only lacks one may be a bass-less piece, or an old record: finished.
    """
    lows_db = octaves_db[_LOW] - max(octaves_db[_LOW + 1 : _LOW + 3])
    narrow = smoothly(bandwidth_hz, _WIDE_HZ, _NARROW_HZ)
    thin = smoothly(lows_db, _WHOLE_DB, _CUT_DB)
    heard = f"up to {bandwidth_hz / 1000:.1f} kHz, 63 Hz at {lows_db:+.0f} dB against the octaves above"
    if narrow * thin == 0:
        return Material(0.0, f"finished music: {heard}")
    return Material(narrow * thin, f"a phone's recording to {narrow * thin:.0%}: {heard}")
