"""The room that one recording was made in, blind, where what is played leaves it time to be heard.

In a room everything dies away at its pace and from everywhere, so that two microphones have little in common; what
a mixer sends into a reverberator stands beside instruments that don't. A full mix hides both: it tells no room, nor
does one channel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.decays import OCTAVES_HZ, decays_of, stereo_levels

_DIFFUSE = 0.45  # coherence of two channels; of composed songs' dry drums nine decays of ten have over 0.6
_FEWEST, _OCTAVES = 4, 3  # decays an octave, and octaves: fewer are instruments'
_ALIKE = 1.6  # an octave's median decay is no longer than that many times its fast ones
_SURE = 0.6
# Nothing falls faster than its room, and much falls more slowly: of speech in known rooms the 10th percentile was
# 1.05 of the truth, the median 1.2.
_FASTEST = 10
_LONGEST_S = 1.8  # of halls that were built to be heard


@dataclass(frozen=True)
class Room:
    """rt60_s: seconds in which it falls by 60 dB, by octave (Hz), of those that tell. confidence: of all decays
    that are heard, the part that is diffuse, 0.6 to 1."""

    rt60_s: Mapping[float, float]
    confidence: float


def room_of(recording: Recording) -> Room | None:
    """None where too little dies away, or too much of it comes from one place. Memory: 120 bytes a 10 ms."""
    if recording.channels < 2:
        return None
    octaves = [decays_of(levels) for levels in stereo_levels(recording)]
    every = [decay for decays in octaves for decay in decays]
    diffuse = sum(decay.coherence <= _DIFFUSE for decay in every)
    times = {}
    for hertz, decays in zip(OCTAVES_HZ, octaves, strict=False):
        seconds = [decay.rt60_s for decay in decays if decay.coherence <= _DIFFUSE]
        if len(seconds) >= max(_FEWEST, _SURE * len(decays)):
            fast, median = np.percentile(seconds, (_FASTEST, 50)).tolist()
            if median <= _ALIKE * fast and fast <= _LONGEST_S:
                times[float(hertz)] = fast
    if len(times) < _OCTAVES or diffuse < _SURE * len(every):
        return None
    return Room(times, diffuse / len(every))
