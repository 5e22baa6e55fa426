"""All defects, by kind."""

from __future__ import annotations

from resonate_tests.benchmarks.defects import (
    harmless,
    level,
    noise,
    notes,
    space,
    spectrum,
    timbre,
    timing,
    tuning,
)

DEFECTS = (
    *spectrum.DEFECTS,
    *level.DEFECTS,
    *space.DEFECTS,
    *notes.DEFECTS,
    *timing.DEFECTS,
    *timbre.DEFECTS,
    *noise.DEFECTS,
    *tuning.DEFECTS,
    *harmless.DEFECTS,
)
