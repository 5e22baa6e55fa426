"""Compression of stems that were never mixed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from resonate_resources.mixing.plan import Dynamics
from resonate_resources.preset import Preset
from resonate_resources.signal.compression import Compression

MOST_DB = 6.0
"""Gain falls by no more, whatever a stem's peaks: what is worth less can be bounded beforehand."""

# Usual starting points of mixing practice, no standard. Thresholds are over the stem's own loudness, so that the
# level at which a track came moves nothing.
_GENTLE: Mapping[str, Compression] = {
    "vocals": Compression(threshold_db=4.0, ratio=2.0, attack_ms=8.0, release_ms=120.0, look_ahead_ms=2.0),
    "drums": Compression(threshold_db=10.0, ratio=2.0, attack_ms=20.0, release_ms=120.0, look_ahead_ms=1.0),
    "bass": Compression(threshold_db=3.0, ratio=2.5, attack_ms=20.0, release_ms=150.0, look_ahead_ms=2.0),
}
_DENSE: Mapping[str, Compression] = {
    "vocals": Compression(threshold_db=2.0, ratio=3.0, attack_ms=5.0, release_ms=100.0, look_ahead_ms=3.0),
    "drums": Compression(threshold_db=8.0, ratio=3.0, attack_ms=10.0, release_ms=100.0, look_ahead_ms=1.0),
    "bass": Compression(threshold_db=1.0, ratio=4.0, attack_ms=10.0, release_ms=120.0, look_ahead_ms=3.0),
    "other": Compression(threshold_db=6.0, ratio=2.0, attack_ms=15.0, release_ms=150.0, look_ahead_ms=2.0),
    "piano": Compression(threshold_db=6.0, ratio=2.0, attack_ms=15.0, release_ms=150.0, look_ahead_ms=2.0),
    "guitar": Compression(threshold_db=6.0, ratio=2.0, attack_ms=10.0, release_ms=120.0, look_ahead_ms=2.0),
}
STRIPS: Mapping[Preset, Mapping[str, Compression]] = {
    "conservative": {},
    "balanced": _GENTLE,
    "aggressive": _DENSE,
}


def strip_of(
    stem: str, preset: Preset, wished: float, room: float, loudness_lufs: float | None
) -> Dynamics | None:
    """How a stem is compressed; None where it is not.

    wished: how much of it, 0 to 1: how rough the track is, or what the brief says. room: by how much the stem's
    gain, 1 for none, may still move for what it holds of others, as `wishes` has it. Where gain falls furthest it
    moves by `part` times 1 − 10^(−MOST_DB/20): that is kept within the room. loudness_lufs: of the stem as it comes
    to be compressed; None of silence.
    """
    settings = STRIPS[preset].get(stem)
    part = min(wished, max(room, 0.0) / (1 - 10 ** (-MOST_DB / 20)))
    if settings is None or loudness_lufs is None or part <= 0:
        return None
    threshold_db = loudness_lufs + settings.threshold_db
    return Dynamics(settings=replace(settings, threshold_db=threshold_db), part=part, most_db=MOST_DB)
