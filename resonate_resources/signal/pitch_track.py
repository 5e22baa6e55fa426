"""The pitch of one voice over time, by Praat's autocorrelation method.

Boersma, "Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a sampled
sound", IFA Proceedings 17 (1993): candidates in every frame, and the cheapest path through them. As near to the
truth as probabilistic YIN on sung stems, at a ninetieth of its cost (docs/measurements.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Progress, Recording, silent
from resonate_resources.signal.mono import Mono, mono_blocks

SAMPLE_RATE = 16000
HOP = 160  # 10 ms

_BLOCK = 3000  # frames whose path is found at once, 30 s …
_CONTEXT = 50  # … with half a second on either side
_PERIODS = 3  # in a window: Praat's own for this method
_CANDIDATES = 15
_VOICING_THRESHOLD, _OCTAVE_COST, _OCTAVE_JUMP_COST, _VOICED_UNVOICED_COST = (
    0.45,
    0.01,
    0.35,
    0.14,
)  # Praat's own


class PitchTrack(NamedTuple):
    """A frame every 10 ms, the first at the start.

    hertz: 0 where nothing is voiced. strength: the autocorrelation at that pitch, 0…1.
    """

    hertz: npt.NDArray[np.float32]
    strength: npt.NDArray[np.float32]


def pitch_track(
    stem: Recording, lowest_hz: float, highest_hz: float, progress: Progress = silent
) -> PitchTrack:
    """The pitch of a whole recording between those bounds; how loud it is does not matter."""
    tracks = [
        _tracked(samples, lead, count, lowest_hz, highest_hz)
        for samples, lead, count in _blocks(mono_blocks(stem, SAMPLE_RATE, progress))
    ]
    return PitchTrack(*(np.concatenate(parts) for parts in zip(*tracks, strict=True)))


def pitch_of(samples: Mono, lowest_hz: float, highest_hz: float) -> PitchTrack:
    """The pitch of some seconds at SAMPLE_RATE, (frames,)."""
    return _tracked(samples, 0, len(samples) // HOP + 1, lowest_hz, highest_hz)


def _blocks(mono: Iterator[Mono]) -> Iterator[tuple[Mono, int, int]]:
    """Samples from the first frame of a block's context on, how many frames of it stand before the block's own, and
    how many of these there are."""
    held: Mono = np.zeros(0, np.float32)
    lead = 0
    for block in mono:
        held = np.concatenate([held, block])
        while len(held) > (lead + _BLOCK + _CONTEXT) * HOP:
            yield held[: (lead + _BLOCK + _CONTEXT) * HOP], lead, _BLOCK
            held = held[(lead + _BLOCK - _CONTEXT) * HOP :]
            lead = _CONTEXT
    yield held, lead, len(held) // HOP + 1 - lead


def _tracked(samples: Mono, lead: int, count: int, lowest_hz: float, highest_hz: float) -> PitchTrack:
    import parselmouth

    frames = len(samples) // HOP + 1
    window = round(_PERIODS * SAMPLE_RATE / lowest_hz)
    # What the frames and half a hop take: Praat centres the frames in it, the first on our first sample.
    before = window // 2 + HOP // 4
    after = window + HOP * (frames - 1) + HOP // 2 - before - len(samples)
    sound = parselmouth.Sound(np.pad(samples.astype(np.float64), (before, max(after, 0))), SAMPLE_RATE)
    found = sound.to_pitch_ac(
        time_step=HOP / SAMPLE_RATE,
        pitch_floor=lowest_hz,
        max_number_of_candidates=_CANDIDATES,
        very_accurate=False,
        silence_threshold=0.0,  # it would be against the loudest sample of a block
        voicing_threshold=_VOICING_THRESHOLD,
        octave_cost=_OCTAVE_COST,
        octave_jump_cost=_OCTAVE_JUMP_COST,
        voiced_unvoiced_cost=_VOICED_UNVOICED_COST,
        pitch_ceiling=highest_hz,
    ).selected_array[lead : lead + count]
    return PitchTrack(found["frequency"].astype(np.float32), found["strength"].astype(np.float32))
