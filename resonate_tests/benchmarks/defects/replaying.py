"""A composed song's stem played again with other notes or another instrument, all else as it was."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pedalboard

from resonate_resources.recordings.recording import Samples
from resonate_tests.benchmarks.defects.excerpt import Excerpt
from resonate_tests.benchmarks.defects.playing import played
from resonate_tests.benchmarks.music_truth.song import Part

Change = Callable[[str, Part], Part]
"""Name and part → the part as it is to be played; its notes in seconds from the song's start."""


def replayed(
    excerpt: Excerpt, stem: str, change: Change, another_instrument: bool = False, dry: bool = False
) -> Samples | None:
    """That stem with its parts changed, (2, frames), at the gain of the true one.

    another_instrument: at the true one's power instead. dry: without the song's room. None where the excerpt has no
    score or no such stem.
    """
    if excerpt.score is None or stem not in excerpt.stems:
        return None
    score = excerpt.score
    parts = {name: change(name, part) for name, part in score.song.parts.items() if part.stem == stem}
    sound = replace(score.song.sound, rt60_s=None) if dry else score.song.sound
    song = replace(score.song, parts=parts, sound=sound)
    heard = played(song, stem, score.start_s, excerpt.duration_s)
    gain = score.gains[stem]
    if another_instrument:
        gain = math.sqrt(power(excerpt.stems[stem]) / max(power(heard), 1e-20))
    return np.asarray(gain * heard, np.float32)


def unchanged(_: str, part: Part) -> Part:
    return part


def transposed(excerpt: Excerpt, stem: str, semitones: float, start_s: float, end_s: float) -> Samples | None:
    """That stem higher from start_s to end_s of the excerpt: played again where there is a score, else shifted.

    None where the excerpt has no such stem.
    """
    if not excerpt.plays(stem):
        return None
    if excerpt.score is None:
        return between(excerpt, excerpt.stems[stem], _shifted_stem(excerpt, stem, semitones), start_s, end_s)
    # What is played early belongs to the bar it is early for.
    first, last = (excerpt.score.start_s + at - 0.05 for at in (start_s, end_s))
    first = first if start_s > 0 else 0.0

    def higher(name: str, part: Part) -> Part:
        notes = tuple(
            replace(note, pitch=note.pitch + round(semitones)) if first <= note.onset_s < last else note
            for note in part.notes
        )
        return part if name == "lead" and stem == "other" else replace(part, notes=notes)

    return replayed(excerpt, stem, higher)


@lru_cache(maxsize=4)
def _shifted_stem(excerpt: Excerpt, stem: str, semitones: float) -> Samples:
    return shifted(excerpt, excerpt.stems[stem], semitones)


def shifted(excerpt: Excerpt, samples: Samples, semitones: float) -> Samples:
    """By Rubber Band, formants kept; of the same length."""
    moved = pedalboard.time_stretch(samples, excerpt.rate, pitch_shift_in_semitones=semitones)
    return fitted(moved, samples.shape[1])


def between(excerpt: Excerpt, before: Samples, after: Samples, start_s: float, end_s: float) -> Samples:
    """`after` from start_s to end_s, `before` elsewhere, faded over 10 ms."""
    seconds = np.arange(before.shape[1]) / excerpt.rate
    share = np.clip((seconds - start_s) / 0.01 if start_s > 0 else 1.0, 0, 1)
    share = share * np.clip((end_s - seconds) / 0.01 if end_s < excerpt.duration_s else 1.0, 0, 1)
    return np.asarray(before * (1 - share) + after * share, np.float32)


def fitted(samples: Samples, frames: int) -> Samples:
    """Cut, or filled up with silence."""
    return np.asarray(
        np.pad(samples, ((0, 0), (0, max(0, frames - samples.shape[1]))))[:, :frames], np.float32
    )


def power(samples: Samples) -> float:
    return float(np.mean(np.square(samples, dtype=np.float64)))
