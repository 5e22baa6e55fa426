"""One channel of a recording: what waveforms and spectrograms show."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.signal.mono import cancelling

_kept_channel = lru_cache(1024)(cancelling)  # takes as long as a picture does, for which it is asked


def one_channel(recording: Recording, block: Samples) -> npt.NDArray[np.float32]:
    """The mean of the channels of a block, (channels, frames); of channels that cancel each other, the loudest."""
    kept = _kept_channel(recording)
    if kept is not None:
        return np.asarray(block[kept], np.float32)
    # As a product of matrices: numpy's mean takes ten times as long over so few.
    parts = np.full(len(block), 1 / len(block), np.float32)
    return np.asarray(parts @ block, np.float32)
