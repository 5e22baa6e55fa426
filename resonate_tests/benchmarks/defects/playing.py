"""A stretch of a composed song's stem, played alone: the same notes give the same samples."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Samples
from resonate_tests.benchmarks.music_truth.composing import compose
from resonate_tests.benchmarks.music_truth.rendering import RATE, placed, play, pumped
from resonate_tests.benchmarks.music_truth.song import Song

_BEFORE_S = 6.0  # what still sounds at the start: longer than any release or room


def played(song: Song, stem: str, start_s: float, seconds: float) -> Samples:
    """(2, frames) at RATE, in the song's room and band, ducked by the kicks of the song as it was composed."""
    sung = any(part.program is None for part in song.parts.values() if part.stem == stem)
    # A voice's syllables are drawn from its first note on.
    first_s = 0.0 if sung else max(0.0, start_s - _BEFORE_S)
    end_s, frames = start_s + seconds, round(seconds * RATE)
    parts = {
        name: replace(part, notes=_within(part.notes, first_s, end_s))
        for name, part in song.parts.items()
        if part.stem == stem
    }
    parts = {name: part for name, part in parts.items() if part.notes}
    if not parts:
        return np.zeros((2, frames), np.float32)
    clip = replace(song, duration_s=end_s - first_s + 0.5, parts=parts)
    with TemporaryDirectory() as scratch:
        stems = play(clip, Path(scratch))
    drums = compose(song.seed).parts.get("drums")
    if drums is not None:
        struck = replace(drums, notes=_within(drums.notes, first_s, end_s))
        stems = pumped(replace(clip, parts={**parts, "drums": struck}), stems)
    heard = placed(clip, stems)[stem]
    first = round((start_s - first_s) * RATE)
    return np.asarray(heard[:, first : first + frames], np.float32)


def _within(notes: tuple[Note, ...], start_s: float, end_s: float) -> tuple[Note, ...]:
    """What begins from start_s to end_s, counted from there, ended by end_s."""
    return tuple(
        replace(note, onset_s=note.onset_s - start_s, offset_s=min(note.offset_s, end_s) - start_s)
        for note in notes
        if start_s <= note.onset_s < end_s - 0.05
    )
