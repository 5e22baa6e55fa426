"""Music of which everything is known, for steps and the panel."""

from __future__ import annotations

import numpy as np

from resonate_resources.recordings.recording import Samples


def struck_notes(
    seconds: float,
    channels: int,
    rate: int,
    *,
    a_second: int,
    lowest_hz: float,
    partials: int,
    decay_hz: float,
    seed: int,
) -> Samples:
    """Notes of two octaves one after the other, each with falling partials, over noise 60 dB under them: nothing in
    it is steady. decay_hz: amplitudes fall by e in one over it."""
    chance = np.random.default_rng(seed)
    frames, step = round(seconds * rate), rate // a_second
    sound = 1e-4 * chance.standard_normal((channels, frames))
    for start in range(0, frames, step):
        time = np.arange(min(step, frames - start)) / rate
        pitch = lowest_hz * 2 ** (chance.integers(0, 24) / 12)
        for partial in range(1, partials + 1):
            tone = np.exp(-decay_hz * time) * np.sin(2 * np.pi * pitch * partial * time) / partial
            sound[:, start : start + len(time)] += 0.2 * chance.uniform(0.5, 1, (channels, 1)) * tone
    return sound.astype(np.float32)
