"""How dense a master may become, by preset. Finished music is dense enough, unless the brief wants more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from resonate_resources.mastering.multiband import Bands
from resonate_resources.preset import Preset
from resonate_resources.signal.compression import Compression


@dataclass(frozen=True)
class Density:
    """bands: how it is compressed. clipped_db: what is then taken off the highest peak; 0 for none."""

    bands: Bands
    clipped_db: float


# Usual starting points of mastering practice, no standard.
DENSITY: Mapping[Preset, Density | None] = {
    "conservative": None,
    "balanced": Density(
        Bands(
            (
                Compression(threshold_db=6.0, ratio=1.5, attack_ms=50.0, release_ms=400.0, look_ahead_ms=3.0),
                Compression(threshold_db=6.0, ratio=1.5, attack_ms=30.0, release_ms=200.0, look_ahead_ms=3.0),
                Compression(threshold_db=6.0, ratio=1.5, attack_ms=20.0, release_ms=150.0, look_ahead_ms=3.0),
            ),
            most_db=3.0,
        ),
        clipped_db=0.0,
    ),
    "aggressive": Density(
        Bands(
            (
                Compression(threshold_db=3.5, ratio=2.5, attack_ms=30.0, release_ms=300.0, look_ahead_ms=3.0),
                Compression(threshold_db=3.5, ratio=2.5, attack_ms=15.0, release_ms=120.0, look_ahead_ms=3.0),
                Compression(threshold_db=3.5, ratio=2.5, attack_ms=10.0, release_ms=100.0, look_ahead_ms=3.0),
            ),
            most_db=6.0,
        ),
        clipped_db=2.0,
    ),
}
