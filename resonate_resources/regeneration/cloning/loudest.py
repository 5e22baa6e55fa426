"""Where a recording is loudest."""

from __future__ import annotations

import numpy as np

from resonate_resources.recordings.recording import Recording

_PARTS_PER_SECOND = 10
_PARTS_AT_ONCE = 64


def loudest_span(recording: Recording, seconds: float) -> tuple[int, int]:
    """Start and stop, in frames, of the span of that length with the most energy; all of a shorter recording.

    Starts are a tenth of a second apart.
    """
    part = max(1, recording.sample_rate // _PARTS_PER_SECOND)
    energies = np.concatenate(
        [np.zeros(1)]
        + [
            np.add.reduceat(
                np.square(block, dtype=np.float64).sum(axis=0), np.arange(0, block.shape[1], part)
            )
            for block in recording.blocks(part * _PARTS_AT_ONCE)
        ]
    )
    whole = round(seconds * recording.sample_rate / part)
    if energies.size - 1 <= whole:
        return 0, recording.frames
    reached = np.cumsum(energies)
    start = int(np.argmax(reached[whole:] - reached[:-whole])) * part
    return start, min(start + whole * part, recording.frames)
