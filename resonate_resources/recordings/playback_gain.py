"""What a file says of its own loudness, so that players bring all to one."""

from __future__ import annotations

import math
from typing import Literal

REPLAY_GAIN_LUFS = -18.0  # wiki.hydrogenaud.io, "ReplayGain 2.0 specification": reference level
R128_LUFS = -23.0  # RFC 7845, 5.2.1

Kind = Literal["TRACK", "ALBUM"]


def playback_gain(suffix: str, kind: Kind, loudness_lufs: float, peak_dbtp: float) -> dict[str, str]:
    """Keys and texts for a file of that ending: ReplayGain 2.0; in Opus, which forbids it, RFC 7845's gain in
    1/256 dB. None of silence, which has no loudness."""
    if not math.isfinite(loudness_lufs):
        return {}
    if suffix.lower() == ".opus":
        steps = round(256 * (R128_LUFS - loudness_lufs))
        return {f"R128_{kind}_GAIN": str(max(-(1 << 15), min((1 << 15) - 1, steps)))}
    return {
        f"REPLAYGAIN_{kind}_GAIN": f"{REPLAY_GAIN_LUFS - loudness_lufs:.2f} dB",
        f"REPLAYGAIN_{kind}_PEAK": f"{10 ** (peak_dbtp / 20):.6f}",
    }
