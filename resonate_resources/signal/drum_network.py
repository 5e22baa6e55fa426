"""Which drums are struck when: what a small network says of every 10 ms of a drum stem.

It looks at the levels of 43 bands over a fifth of a second, against the recording where it is loud. Fitted by
`resonate_tests.benchmarks.drum_strokes.fit`, together with the odds from which on a drum counts as struck. Notes of
`transcription` and envelopes of `analysis` stand on the same strokes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Progress, Recording, silent
from resonate_resources.signal.band_levels import Bands, Floats, band_levels, ratio_bands
from resonate_resources.signal.network import Network
from resonate_resources.signal.onsets import find_onsets

Frames = npt.NDArray[np.intp]

SAMPLE_RATE = 44100
HOP = 441
FRAMES_PER_S = SAMPLE_RATE // HOP
DRUMS = ("kick", "snare", "tom", "closed hat", "open hat", "crash", "ride")
"""In the order of the network's outputs."""
OFFSETS = (-10, -6, -4, -3, -2, -1, 0, 1, 2, 3, 4, 6, 9, 13)
"""Frames, from the one that is told of, that the network looks at."""

_FILE = resources.files("resonate_resources.signal") / "drum_strokes.npz"
_FRAME = 1024  # 23 ms: strokes follow each other in rolls
_LOW_RATE, _LOW_FRAME = 4000, 256  # 64 ms: tells a tom's pitch from a kick's
_PER_OCTAVE = 5
_LOWEST_HZ, _MEET_HZ, _HIGHEST_HZ = 28.0, 400.0, 16000.0
_FLOOR_DB = -70.0  # against the recording where it is loud; what is quieter is silence
_SILENCE_DB = -85.0  # of full scale: 16-bit dither lies at −93
_AT_ONCE = 6000  # frames: 14 MB of inputs
_APART = 5  # frames: the fastest roll that is still heard as strokes
_EITHER = {"closed hat": "open hat", "open hat": "closed hat"}
"""Of these that begin together one is struck."""
_NEAR = 2  # frames
_FEWEST = 3  # strokes of a recording: fewer are a click, a door, a cough
_LEAST_SHARE = 0.8
"""Of a drum stem's power sounds near its strokes: of 62 songs for fitting, true and separated, at least 0.92. Of
speech (0.10; under noise 0.67), voices (0.42 at most), an organ and strings it does not: consonants are no hats."""
_RING = 3
"""Frames after a stroke, against as many before it: so much louder is what was struck."""
_KINDS = (DRUMS, ("kick",), ("snare", "tom"), ("closed hat", "open hat", "crash", "ride"))
"""Of these the one that rings most tells: a drum machine's hats, its most strokes, are gone after 30 ms."""
_LEAST_PART = 0.1  # of the strokes a kind has: some crackles and drops are taken for a kick or a snare
_STILL_DB = 40.0  # under the recording where it is loud: what dies away down there does not ring
_ENOUGH = 8  # strokes: of fewer none can tell whether they are regular
_STRETCH = 10 * FRAMES_PER_S  # over more a tempo may drift
_AGAIN = slice(FRAMES_PER_S * 15 // 100, FRAMES_PER_S * 5 // 2 + 1)
"""Frames after which strokes come again: what repeats faster is a roll, what does so later is seldom struck."""
_LEAST_REGULAR, _LEAST_RING_DB = 0.24, 2.25
"""Played is what comes again after the same time: 0.30 and more of it in songs and recordings; of rain, crackle,
fire, typing 0.18 at most, by chance. The less regular, the more it must ring: in dB times that part 3.0 and
more, of a few who clap 1.7, of noise and waves 0.8, of a metronome's clicks none."""


class Strokes(NamedTuple):
    """bands: as `levels` gives them. loud_db: as `loud_level`. frames: drum → (strokes,), rising, in frames of
    10 ms; odds: drum → (strokes,), the log odds of each."""

    bands: Floats
    loud_db: float
    frames: Mapping[str, Frames]
    odds: Mapping[str, Floats]


def hear_strokes(stem: Recording, progress: Progress = silent) -> Strokes | None:
    """Of a drum stem. None where nobody drums: silence, under three strokes, too much that sounds between them,
    nothing that rings, or no time that strokes keep."""
    bands = levels(stem, progress)
    loud_db = loud_level(bands)
    if loud_db is None:
        return None
    odds = log_odds(fitted().network, bands, loud_db)
    frames = struck(odds, fitted().least)
    every = np.unique(np.concatenate([*frames.values()]))
    if len(every) < _FEWEST or _share(every, bands) < _LEAST_SHARE:
        return None
    regular = _regular(every, len(bands))
    if regular < _LEAST_REGULAR or regular * _ring(frames, bands, loud_db) < _LEAST_RING_DB:
        return None
    own = {drum: odds[at, DRUMS.index(drum)] for drum, at in frames.items()}
    return Strokes(bands, loud_db, frames, own)


def struck(odds: Floats, least: Mapping[str, float]) -> dict[str, Frames]:
    """Drum → the frames, rising, in which log odds of (frames, 7) peak at `least` or more."""
    from scipy.ndimage import maximum_filter1d

    found = {}
    for number, drum in enumerate(DRUMS):
        own = odds[:, number]
        frames = find_onsets(np.maximum(own - least[drum], -1e-6), 0.0, _APART)
        if drum in _EITHER:
            other = maximum_filter1d(odds[:, DRUMS.index(_EITHER[drum])], 2 * _NEAR + 1)
            frames = frames[own[frames] >= other[frames]]
        found[drum] = frames
    return found


def _share(frames: Frames, bands: Floats) -> float:
    """Which part of a recording's power sounds within 0.2 s of strokes."""
    power = (10 ** (bands / 10)).sum(axis=1)
    near = np.zeros(len(bands), np.bool_)
    for frame in frames.tolist():
        near[max(frame - 2, 0) : frame + FRAMES_PER_S // 5] = True
    return float(power[near].sum() / power.sum())


def _ring(frames: Mapping[str, Frames], bands: Floats, loud_db: float) -> float:
    """How much louder it is 30 ms after strokes than 30 ms before, in dB: the median of the kind that rings most.
    Before the first frame is silence."""
    level = np.pad(together(bands), _RING, constant_values=_SILENCE_DB).clip(min=loud_db - _STILL_DB)
    kinds = [np.unique(np.concatenate([frames[drum] for drum in kind])) for kind in _KINDS]
    enough = max(_FEWEST, _LEAST_PART * len(kinds[0]))
    return max(
        float(np.median(level[kind + 2 * _RING] - level[kind])) for kind in kinds if len(kind) >= enough
    )


def _regular(frames: Frames, length: int) -> float:
    """Which part of the strokes comes again after one and the same time, beyond chance, 0 to 1: the highest
    autocorrelation, 20 ms more or less, the mean over stretches of 10 s by how many strokes they have."""
    if len(frames) < _ENOUGH:
        return 1.0
    struck = np.zeros(length)
    struck[frames] = 1
    regular = 0.0
    for stretch in np.array_split(
        np.convolve(struck, (0.5, 1, 0.5), "same"), max(round(length / _STRETCH), 1)
    ):
        varying = stretch - stretch.mean()
        alike = np.correlate(varying, varying, "full")[len(varying) - 1 :]
        if alike[0] > 0:
            regular += stretch.sum() * alike[_AGAIN].max(initial=0) / alike[0]
    return float(regular / (2 * len(frames)))


def levels(stem: Recording, progress: Progress = silent) -> Floats:
    """(frames, 43): of each band every 10 ms, in dB. Kept for the whole recording: 62 MB an hour."""
    low, high = _bands()
    below = band_levels(stem, low, _LOW_RATE, _LOW_RATE // FRAMES_PER_S, lambda done: progress(done / 2))
    above = band_levels(stem, high, SAMPLE_RATE, HOP, lambda done: progress(0.5 + done / 2))
    frames = min(len(below), len(above))
    return np.concatenate([below[:frames], above[:frames]], axis=1)


def _bands() -> tuple[Bands, Bands]:
    return (
        ratio_bands(_PER_OCTAVE, _LOWEST_HZ, _MEET_HZ, _LOW_RATE, _LOW_FRAME),
        ratio_bands(_PER_OCTAVE, _MEET_HZ, _HIGHEST_HZ, SAMPLE_RATE, _FRAME),
    )


def centres_hz() -> Floats:
    """(43,): where each band lies, the mean of its lines."""
    rows = []
    for bands, line_hz in zip(_bands(), (_LOW_RATE / _LOW_FRAME, SAMPLE_RATE / _FRAME), strict=True):
        rows.append((np.arange(len(bands)) * line_hz) @ bands / bands.sum(axis=0))
    return np.concatenate(rows).astype(np.float32)


def together(bands: Floats) -> Floats:
    """(frames,): all bands' power, in dB."""
    return np.asarray(10 * np.log10((10 ** (bands / 10)).sum(axis=1) + 1e-12), np.float32)


def loud_level(bands: Floats) -> float | None:
    """How loud the recording is where it is loud, in dB: the 90th percentile of the peaks in each second that are
    within 30 dB of the highest. None of silence."""
    level = together(bands)
    whole = level[: max(len(level) // FRAMES_PER_S, 1) * FRAMES_PER_S]
    peaks = (
        whole.reshape(-1, FRAMES_PER_S).max(axis=1)
        if len(whole) >= FRAMES_PER_S
        else level[level.argmax() :][:1]
    )
    highest = float(peaks.max())
    return None if highest < _SILENCE_DB else float(np.percentile(peaks[peaks >= highest - 30], 90))


def log_odds(network: Network, bands: Floats, loud_db: float) -> Floats:
    """(frames, 7): that each of DRUMS is struck there, within 10 ms."""
    told = [
        network(inputs(bands, loud_db, np.arange(start, min(start + _AT_ONCE, len(bands)))))
        for start in range(0, len(bands), _AT_ONCE)
    ]
    return np.concatenate(told)


def inputs(bands: Floats, loud_db: float, frames: Frames) -> Floats:
    """(frames, 14 · 43): what the network is given of those frames. Before the start and behind the end is
    silence."""
    around = frames[:, np.newaxis] + OFFSETS
    seen = (np.maximum(bands - loud_db, _FLOOR_DB) / 20 + 1.5)[np.clip(around, 0, len(bands) - 1)]
    seen[(around < 0) | (around >= len(bands))] = _FLOOR_DB / 20 + 1.5
    return np.asarray(seen.reshape(len(frames), -1), np.float32)


class Fitted(NamedTuple):
    """least: drum → log odds from which on it is struck. usual_db: drum → the level of its loud strokes where it is
    loud (`transcription.drum_strokes`), against the recording where that is loud."""

    network: Network
    least: Mapping[str, float]
    usual_db: Mapping[str, float]


@lru_cache(maxsize=1)
def fitted() -> Fitted:
    with _FILE.open("rb") as opened, np.load(opened) as arrays:
        least, usual_db = (
            dict(zip(DRUMS, arrays[name].tolist(), strict=True)) for name in ("least", "usual_db")
        )
    return Fitted(Network.read(_FILE), least, usual_db)
