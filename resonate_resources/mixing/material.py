"""What kind of track is to be mixed, as far as that tells what may be done to it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from resonate_resources.signal.octaves import OCTAVES_HZ
from resonate_resources.signal.smoothly import smoothly

_NARROW_HZ, _WIDE_HZ = 9_000.0, 12_000.0  # a phone ends at 8 kHz, an MP3 at 16
_CUT_DB, _WHOLE_DB = -12.0, -8.0  # of 63 Hz under the stronger of the two octaves above it
_ROOM_DB, _STILL_DB = 50.0, 65.0  # SNR: microphones hear rooms, and a voice in a quiet one has 46 dB
_DENSE_DB, _OPEN_DB = 6.0, 9.0  # crest: what was limited has the less
_WIDE, _NEAR = 0.2, 0.5  # correlation: a phone's microphones are a hand apart
_ALONE_DB, _TOGETHER_DB = -30.0, -15.0  # of what is the second strongest stem's own, against the mix
_LOW = OCTAVES_HZ.index(63.0)


@dataclass(frozen=True)
class TrackFacts:
    """What a profile knows of a track, in its own words (`profiling.profile.Profile`): content up to bandwidth_hz,
    levels at OCTAVES_HZ in dB, and what None is unknown of. plr_db: true peak over loudness. sections: when
    they start and end, in s."""

    bandwidth_hz: float
    octaves_db: Sequence[float]
    snr_db: float | None = None
    plr_db: float | None = None
    correlation: float | None = None
    sections: Sequence[tuple[float, float]] = ()


FINISHED = TrackFacts(math.inf, (0.0,) * len(OCTAVES_HZ))
"""Stems without a track are taken for those of finished music."""


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


def material_of(track: TrackFacts) -> Material:
    """A phone's microphone takes both ends. What only lacks one may be a bass-less piece, or an old record:
    finished. So is what lacks both and has rests without a room, is as dense as a limiter makes it, or wide."""
    lows_db = track.octaves_db[_LOW] - max(track.octaves_db[_LOW + 1 : _LOW + 3])
    narrow = smoothly(track.bandwidth_hz, _WIDE_HZ, _NARROW_HZ)
    thin = smoothly(lows_db, _WHOLE_DB, _CUT_DB)
    heard = f"up to {track.bandwidth_hz / 1000:.1f} kHz, 63 Hz at {lows_db:+.0f} dB against the octaves above"
    rough = narrow * thin
    for value, finished, unmixed, told in (
        (track.snr_db, _STILL_DB, _ROOM_DB, "noise at least {:.0f} dB down"),
        (track.plr_db, _DENSE_DB, _OPEN_DB, "PLR {:.1f} dB"),
        (track.correlation, _WIDE, _NEAR, "left and right correlate by {:.2f}"),
    ):
        part = 1.0 if value is None else smoothly(value, finished, unmixed)
        if part < 1 and value is not None:
            rough *= part
            heard += ", " + told.format(value)
    if rough == 0:
        return Material(0.0, f"finished music: {heard}")
    return Material(rough, f"a phone's recording to {rough:.0%}: {heard}")
