"""A recording of a tone brought to another length."""

from __future__ import annotations

from typing import Final

import numpy as np

from resonate_resources.recordings.recording import Samples

_BLEND_S: Final = 0.04
_RELEASE_S: Final = 0.5  # in which a note dies away whose recording has no end
_SHORTEST_LOOP_S: Final = 0.03
_MOST_FALL_DB_S: Final = 12.0  # of what is held: by faster falls a short loop's chance would end the note


def of_length(sound: Samples, sustained: int, wanted: int, sample_rate: int) -> Samples:
    """The sound with its first `sustained` frames made `wanted` long, and what it rings on with after them: a part
    is repeated where it is too short, and left early where it is too long. What has no end of its own dies away."""
    tail = sound[:, sustained:]
    blend = round(_BLEND_S * sample_rate)
    ends = tail.shape[1] > 2 * blend
    further = blend if ends else round(_RELEASE_S * sample_rate)
    held = _held(sound[:, :sustained], wanted + further, sample_rate)
    whole = np.zeros((2, max(held.shape[1], wanted + tail.shape[1])), np.float32)
    whole[:, : held.shape[1]] = held
    if ends:
        ramp = np.linspace(0, 1, blend, dtype=np.float32)
        whole[:, wanted : held.shape[1]] *= 1 - ramp[: max(0, held.shape[1] - wanted)]
        whole[:, wanted : wanted + blend] += tail[:, :blend] * ramp
        whole[:, wanted + blend : wanted + tail.shape[1]] = tail[:, blend:]
    else:
        seconds = np.arange(held.shape[1] - wanted) / sample_rate
        whole[:, wanted : held.shape[1]] *= (10 ** (-3 * seconds / _RELEASE_S)).astype(np.float32)
    return whole


def _held(sound: Samples, wanted: int, sample_rate: int) -> Samples:
    """The first `wanted` frames, for which a later part is repeated, each time softer by as much as it fell; as it
    is where that would be a stutter."""
    frames = sound.shape[1]
    if frames >= wanted:
        return sound[:, :wanted]
    half = frames - frames // 2
    if half < _SHORTEST_LOOP_S * sample_rate:
        return sound
    cross = half // 4
    start, alike, fall = _loop(sound.mean(axis=0, dtype=np.float64), half, cross)
    loop = sound[:, start:]
    fall = max(fall, 10 ** (-_MOST_FALL_DB_S * (loop.shape[1] - cross) / sample_rate / 20))
    rise = np.sin(np.linspace(0, np.pi / 2, cross)) ** 2
    # As loud within the seam as beside it, however alike the two are.
    level = np.sqrt(rise**2 + (1 - rise) ** 2 + 2 * alike * rise * (1 - rise))
    fading, coming = ((1 - rise) / level).astype(np.float32), (rise / level).astype(np.float32)
    pieces, length = [sound], frames
    while length < wanted:
        loop = loop * np.float32(fall)
        last = pieces.pop()
        joined = last[:, -cross:] * fading + loop[:, :cross] * coming
        pieces += [last[:, :-cross], joined, loop[:, cross:]]
        length += loop.shape[1] - cross
    return np.concatenate(pieces, axis=1)[:, :wanted]


def _loop(
    sound: np.ndarray[tuple[int], np.dtype[np.float64]], half: int, cross: int
) -> tuple[int, float, float]:
    """Where in the second quarter begins what is most like the end, so that whole periods are repeated; how alike
    they are, 0 to 1; and the end's amplitude against it, 1 at most."""
    from scipy.signal import correlate

    first, end = len(sound) - half - half // 2, sound[-cross:]
    searched = sound[first : len(sound) - half + cross]
    powers = np.cumsum(np.concatenate([[0.0], np.square(searched)]))
    powers = powers[cross:] - powers[:-cross] + 1e-12
    likeness = correlate(searched, end, "valid") / np.sqrt(powers * (end @ end + 1e-12))
    best = int(likeness.argmax())
    return first + best, max(0.0, float(likeness[best])), min(1.0, float(np.sqrt(end @ end / powers[best])))
