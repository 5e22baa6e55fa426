"""Which room, bandwidth, pumping, soundfont and balance a song gets."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from resonate_tests.benchmarks.music_truth.song import STEMS, Part, Sound
from resonate_tests.benchmarks.music_truth.styles import KICK, Style

OCTAVES_HZ = (63, 125, 250, 500, 1000, 2000, 4000, 8000, 16000)
# Rooms are longer in the lows than in the highs, which air and surfaces take.
_BY_OCTAVE = (1.25, 1.2, 1.1, 1.0, 1.0, 0.95, 0.8, 0.6, 0.45)
CUTS_HZ = (4000.0, 8000.0, 11000.0, 12500.0, 14000.0, 15000.0, 16000.0)
FITTED_SOUNDFONTS = ("FluidR3_GM", "MuseScore_General")
JUDGED_SOUNDFONTS = ("TimGM6mb", "FluidR3_GM", "TimGM6mb", "MuseScore_General")
FIRST_JUDGED_SEED = 100
"""Songs from this seed on are for judging only: half of them by a soundfont that no song below has."""


def sound_of(
    seed: int, style: Style, beat_s: float, parts: Mapping[str, Part], rng: np.random.Generator
) -> Sound:
    """Half of the songs in a room, a third cut, machines that play a kick on most beats pumped in half."""
    balance = {"drums": -1.0, "bass": -3.0, "other": -4.0, "vocals": 0.0}
    fonts = JUDGED_SOUNDFONTS if seed >= FIRST_JUDGED_SEED else FITTED_SOUNDFONTS
    middle = float(np.exp(rng.uniform(np.log(0.3), np.log(2.5))))
    rooms = {octave: round(middle * factor, 3) for octave, factor in zip(OCTAVES_HZ, _BY_OCTAVE, strict=True)}
    in_room, wet_db = rng.random() < 0.5, float(rng.uniform(-8, 0))
    cut = float(rng.choice(CUTS_HZ)) if rng.random() < 0.33 else None
    kicks = "drums" in parts and any(note.pitch == KICK for note in parts["drums"].notes)
    pumped = kicks and style.loose <= 0.003 and rng.random() < 0.6
    depth, recovery = float(rng.uniform(3, 15)), float(rng.uniform(0.5, 0.9)) * beat_s
    voice = str(rng.choice(("faust", "formants"))) if any(p.program is None for p in parts.values()) else None
    return Sound(
        soundfont=fonts[seed // 2 % len(fonts)],
        balance_db={stem: round(balance[stem] + float(rng.normal(0, 2)), 2) for stem in STEMS},
        peak_dbfs=round(float(rng.uniform(-9, -0.5)), 2),
        rt60_s=rooms if in_room else None,
        wet_db=round(wet_db, 2) if in_room else 0.0,
        lowpass_hz=cut,
        voice=voice,
        pump_db=round(depth, 2) if pumped else None,
        pump_recovery_s=round(recovery, 3) if pumped else None,
    )
