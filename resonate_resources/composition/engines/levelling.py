"""A generated stem as loud as the composer has it, in its place on the grid."""

from __future__ import annotations

import math
from collections.abc import Iterator

from resonate_resources.composition.engines.alignment import in_place
from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.signal.loudness import measure_loudness


def as_loud(recording: Recording, composed: Recording, late_s: float) -> Iterator[Samples]:
    """Its blocks, `late_s` earlier. Mono is to be played in both channels."""
    loudness = [measure_loudness(each).integrated_lufs for each in (composed, recording)]
    gain = 10 ** ((loudness[0] - loudness[1]) / 20) if all(map(math.isfinite, loudness)) else 1.0
    if recording.channels == 1:
        gain /= math.sqrt(2)  # metered as one speaker; in two it is twice the power
    return (gain * block for block in in_place(recording, late_s))
