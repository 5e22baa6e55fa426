"""Excerpts of a part that stand for the whole where every sound that could play it is to be tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Recording

Floats = npt.NDArray[np.float32]

RATE: Final = 22_050
"""Hz, at which sounds are compared."""
EXCERPT_S: Final = 2.0
_BEFORE_ONSET_S: Final = 0.03
_LEAD_S: Final = 3.0  # how long before an excerpt a note may have begun to be played in it


def excerpts(notes: Sequence[Note], number: int = 2) -> list[tuple[float, tuple[Note, ...]]]:
    """Where in seconds the busiest 2 s of each half (third, …) of the part begin, and their notes from there.

    notes: by onset, at least one.
    """
    onsets = np.array([note.onset_s for note in notes])
    following = np.searchsorted(onsets, onsets + EXCERPT_S) - np.arange(onsets.size)
    found = []
    for at in range(number):
        edges = onsets[0] + np.ptp(onsets) * np.array([at, at + 1]) / number
        within = np.flatnonzero((onsets >= edges[0]) & (onsets <= edges[1]))
        if not within.size:
            continue
        start = max(0.0, float(onsets[within[np.argmax(following[within])]]) - _BEFORE_ONSET_S)
        heard = tuple(
            replace(note, onset_s=note.onset_s - start, offset_s=note.offset_s - start)
            for note in notes
            if note.offset_s > start and start - _LEAD_S < note.onset_s < start + EXCERPT_S
        )
        found.append((start, heard))
    return found


def sound_of(recording: Recording, windows: Sequence[tuple[float, Sequence[Note]]]) -> Floats:
    """(excerpts × EXCERPT_S × RATE,) mono of those excerpts, one after another; silent past the recording's end."""
    import soxr

    rate, frames = recording.sample_rate, round(EXCERPT_S * RATE)
    sounds = []
    for start, _ in windows:
        read = recording.read(round(start * rate), round((start + EXCERPT_S) * rate)).mean(axis=0)
        sound = soxr.resample(read, rate, RATE)[:frames]
        sounds.append(np.pad(sound, (0, frames - sound.size)))
    return np.concatenate(sounds).astype(np.float32)


def power_of(sound: Floats, size: int, hop: int) -> Floats:
    """(frames, size / 2 + 1), Hann windows of size samples, hop apart, of each excerpt, none over two."""
    window = np.hanning(size).astype(np.float32)
    frames = np.concatenate(
        [
            np.lib.stride_tricks.sliding_window_view(excerpt, size)[::hop]
            for excerpt in sound.reshape(-1, round(EXCERPT_S * RATE))
        ]
    )
    from scipy import fft  # numpy works in 64 bits

    return np.asarray(np.abs(fft.rfft(frames * window)) ** 2, np.float32)
