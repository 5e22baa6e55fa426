"""From activations to notes, after Bittner et al., "A Lightweight Instrument-Agnostic Model" (ICASSP 2022), §2.3.

Gives the same notes as basic_pitch.note_creation at equal thresholds. We do not import that: it brings
in numba and scipy.stats (1.2 s), prints warnings through a root logging handler that it installs, and
looks for the strongest remaining activation anew for every note, which is quadratic in the length.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Activations = npt.NDArray[np.float32]
"""Shaped (frames, 88): one column per piano key from A0 (MIDI 21), 0…1."""

LOWEST_PITCH = 21
# Stricter than basic_pitch.inference.predict's 0.5 and 0.3: what separation leaves behind of other stems is weaker.
ONSET_THRESHOLD = 0.55
FRAME_THRESHOLD = 0.4
ENERGY_TOLERANCE = 11  # frames below the threshold that end a note; from basic_pitch.note_creation


@dataclass(frozen=True, order=True)
class FrameNote:
    """A note in frames: start inclusive, end exclusive; amplitude is its mean activation, 0…1."""

    start: int
    end: int
    pitch: int
    amplitude: float


def create_notes(frames: Activations, onsets: Activations, shortest: int) -> list[FrameNote]:
    """Decode note and onset activations, both (frames, 88), into notes longer than `shortest` frames, in order."""
    from scipy.signal import argrelmax

    if len(frames) < 3 or frames.max() <= 0:
        return []
    onsets = np.maximum(onsets, _inferred_onsets(frames, float(onsets.max())))
    times, keys = argrelmax(onsets, axis=0)
    loud = onsets[times, keys] >= ONSET_THRESHOLD
    energy = frames.copy()
    spans: list[tuple[int, int, int]] = []
    for start, key in zip(times[loud][::-1].tolist(), keys[loud][::-1].tolist(), strict=True):
        followed, below = _follow(energy[start + 1 : -1, key])
        end = start + 1 + followed - below
        if end - start > shortest:
            energy[start:end, max(key - 1, 0) : key + 2] = 0
            spans.append((start, end, key))

    # What is still loud has no onset of its own: take it from the strongest frame outwards ("melodia trick").
    strong = np.flatnonzero(energy > FRAME_THRESHOLD)
    for index in strong[np.argsort(-energy.ravel()[strong], kind="stable")].tolist():
        middle, key = divmod(index, frames.shape[1])
        if energy[middle, key] <= FRAME_THRESHOLD:
            continue
        ahead, below_ahead = _follow(energy[middle + 1 : -1, key])
        behind, below_behind = _follow(energy[1:middle, key][::-1])
        energy[middle, key] = 0
        beside = slice(max(key - 1, 0), key + 2)
        energy[middle + 1 : middle + 1 + ahead, beside] = 0
        energy[middle - behind : middle, beside] = 0
        start, end = middle - behind + below_behind, middle + ahead - below_ahead
        if end - start > shortest:
            spans.append((start, end, key))
    return sorted(
        FrameNote(start, end, key + LOWEST_PITCH, float(frames[start:end, key].mean()))
        for start, end, key in spans
    )


def _inferred_onsets(frames: Activations, scale: float) -> Activations:
    """Rises of the note activations over one and two frames, scaled to a maximum of `scale`."""
    rise = np.zeros_like(frames)
    rise[2:] = np.minimum(frames[2:] - frames[1:-1], frames[2:] - frames[:-2]).clip(min=0)
    peak = float(rise.max())
    return rise * np.float32(scale / peak) if peak > 0 else rise


def _follow(energy: Activations) -> tuple[int, int]:
    """How many frames it takes for the note to be over, and how many of these, at the end, are below threshold."""
    below = 0
    for followed, value in enumerate(energy.tolist()):
        below = below + 1 if value < FRAME_THRESHOLD else 0
        if below == ENERGY_TOLERANCE:
            return followed + 1, below
    return len(energy), below
