"""Bars, and what each of them is like: the rows of an arrangement, and what its form is found in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from resonate_resources.harmony.chords import NO_CHORD, Chord
from resonate_resources.signal.spelling import pitch_class
from resonate_resources.signal.timbre import TIMBRE_SECONDS

Floats = npt.NDArray[np.float64]

STRETCH_S = 2.0
"""Of what stands for bars where there are none: a bar of 4/4 at 120 BPM."""

_SLOTS = 4
_DEGREES = {
    "maj": (0, 4, 7), "min": (0, 3, 7), "sus4": (0, 5, 7), "sus2": (0, 2, 7), "dim": (0, 3, 6), "aug": (0, 4, 8),
    "maj7": (0, 4, 7, 11), "7": (0, 4, 7, 10), "min7": (0, 3, 7, 10), "hdim7": (0, 3, 6, 10), "dim7": (0, 3, 6, 9),
}  # fmt: skip


def bar_edges(downbeats_s: Sequence[float], duration_s: float) -> tuple[Floats, bool]:
    """Seconds at which bars begin and the last one ends, from 0 to the track's end, and whether they are bars: with
    fewer than two downbeats they are stretches of 2 s. What is shorter than half a bar belongs to its neighbour."""
    downbeats = np.asarray([at for at in downbeats_s if 0 <= at < duration_s], np.float64)
    if len(downbeats) < 2:
        count = max(1, round(duration_s / STRETCH_S))
        return np.linspace(0.0, duration_s, count + 1), False
    usual = float(np.median(np.diff(downbeats)))
    before = np.arange(downbeats[0] - usual, 0, -usual)[
        ::-1
    ]  # where nothing is struck before the first downbeat
    behind = np.arange(downbeats[-1] + usual, duration_s, usual)
    edges = [0.0]
    for edge in [*before, *downbeats, *behind]:
        if edge - edges[-1] >= usual / 2:
            edges.append(float(edge))
        elif len(edges) > 1 or edge > 0:
            edges[-1] = float(edge) if len(edges) > 1 else 0.0
    if duration_s - edges[-1] < usual / 2 and len(edges) > 1:
        edges.pop()
    return np.array([*edges, duration_s]), True


def parts_of_bars(edges_s: Floats, parts: int) -> Floats:
    """Seconds at which so many equal parts of each bar begin, and the last one ends."""
    steps = np.arange(parts) / parts
    starts = edges_s[:-1, np.newaxis] + np.diff(edges_s)[:, np.newaxis] * steps
    return np.asarray([*starts.ravel(), edges_s[-1]], np.float64)


def timbre_of_bars(timbre: npt.NDArray[np.float32], edges_s: Floats) -> Floats:
    """(bars, bands): mean level in dB. timbre: as of `hear_timbre`, a vector each 0.51 s."""
    if not len(timbre):
        return np.zeros((len(edges_s) - 1, timbre.shape[1]))
    centres = (np.arange(len(timbre)) + 0.5) * TIMBRE_SECONDS
    sums = np.concatenate([np.zeros((1, timbre.shape[1])), np.cumsum(timbre, axis=0, dtype=np.float64)])
    first = np.searchsorted(centres, edges_s[:-1]).clip(0, len(timbre) - 1)
    last = np.maximum(np.searchsorted(centres, edges_s[1:]), first + 1).clip(1, len(timbre))
    return np.asarray((sums[last] - sums[first]) / (last - first)[:, None], np.float64)


def chords_of_bars(chords: Sequence[Chord], edges_s: Floats) -> list[tuple[str, ...]]:
    """The labels of the chords that sound in each bar for a tenth of it and more, in order."""
    told = []
    for start, end in pairwise(edges_s.tolist()):
        inside = [
            chord.label
            for chord in chords
            if min(end, chord.end_s) - max(start, chord.start_s) >= 0.1 * (end - start)
        ]
        told.append(tuple(inside))
    return told


def harmony_of_bars(chords: Sequence[Chord], edges_s: Floats) -> Floats:
    """(bars, 4, 12): what sounds in each quarter of a bar, by pitch class from C, of length 1; 0 of no chord."""
    starts = np.array([chord.start_s for chord in chords])
    harmony = np.zeros((len(edges_s) - 1, _SLOTS, 12))
    if not len(starts):
        return harmony
    templates = [tones(chord.label) for chord in chords]
    for bar, (start, end) in enumerate(pairwise(edges_s.tolist())):
        for slot in range(_SLOTS):
            at = start + (slot + 0.5) / _SLOTS * (end - start)
            harmony[bar, slot] = templates[max(0, int(np.searchsorted(starts, at, side="right")) - 1)]
    return harmony


def tones(label: str) -> Floats:
    """(12,) from C, of length 1: the pitch classes of a chord, "Eb:min7/b3"; 0 for none."""
    found = np.zeros(12)
    if label == NO_CHORD:
        return found
    root, _, quality = re.sub(r"/.*", "", label).partition(":")
    for degree in _DEGREES[quality or "maj"]:
        found[(pitch_class(root) + degree) % 12] = 1
    return found / np.linalg.norm(found)
