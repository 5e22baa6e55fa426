"""Notes brought to where their stem is struck: notes are told to ten milliseconds, and ears hear two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Recording

TOGETHER_S: Final = 0.05
"""Notes that begin within it are struck as one."""
_FARTHEST_S: Final = 0.03
_SHORTEST_S: Final = 0.02
_STEP_S, _WINDOW_S = 0.002, 0.012
_DOUBT_S: Final = 0.015  # how far off notes usually are
_LEAST_DB: Final = 3.0  # a rise that is told from what is there anyway


def struck(notes: Sequence[Note], recording: Recording) -> list[Note]:
    """The notes, each moved with those that begin together to the steepest rise within 30 ms, less likely the
    farther off it is; left where nothing rises. notes are sorted by onset, and so is what is returned."""
    moved: list[Note] = []
    group: list[Note] = []
    for note in [*notes, None]:
        if note is not None and (not group or note.onset_s - group[0].onset_s <= TOGETHER_S):
            group.append(note)
            continue
        if group:
            shift = _shift(recording, group[0].onset_s)
            moved += [_moved(each, shift) for each in group]
        group = [] if note is None else [note]
    return sorted(moved)


def _moved(note: Note, shift_s: float) -> Note:
    if not shift_s:
        return note
    onset = max(0.0, note.onset_s + shift_s)
    return replace(note, onset_s=onset, offset_s=max(note.offset_s, onset + _SHORTEST_S))


def _shift(recording: Recording, onset_s: float) -> float:
    """Seconds from there to the steepest rise; highs count for more, as attacks are of them."""
    rate = recording.sample_rate
    step, window = round(_STEP_S * rate), round(_WINDOW_S * rate)
    reach = round(_FARTHEST_S * rate) // step
    first = round(onset_s * rate) - reach * step - window
    if first < 0:
        return 0.0
    sound = recording.read(first, first + 2 * (reach * step + window) + 1).mean(axis=0, dtype=np.float64)
    if len(sound) < 2 * (reach * step + window) + 1:
        return 0.0
    energy = np.cumsum(
        np.concatenate([[0.0], np.square(sound - 0.95 * np.concatenate([sound[:1], sound[:-1]]))])
    )
    at = window + step * np.arange(2 * reach + 1)
    floor = 1e-12 * window + 1e-3 * energy[-1] * window / len(sound)
    after, before = energy[at + window] - energy[at], energy[at] - energy[at - window]
    rise_db = 10 * np.log10((after + floor) / (before + floor))
    away = (np.arange(2 * reach + 1) - reach) * step / rate
    likely = rise_db - 4.0 * np.square(away / _DOUBT_S)
    best = int(likely.argmax())
    # Which rise it is depends on how far off it is; where in it the stroke begins does not.
    while 0 < best < 2 * reach and max(rise_db[best - 1], rise_db[best + 1]) > rise_db[best]:
        best += 1 if rise_db[best + 1] > rise_db[best - 1] else -1
    return float(away[best]) if rise_db[best] >= _LEAST_DB else 0.0
