"""What DDSP's decoder is told: how loud a stem is, and how loudness goes in its notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Recording
from resonate_resources.regeneration.cloning.ddsp.decoder import Array
from resonate_resources.signal.mono import mono_blocks, overlapping_frames

RELEASE_S = 0.1
_WINDOW = 2048
_LEAST = 1e-7
_LEAST_WEIGHT_DB = -80.0
_LONGEST_S = 2.0
"""How far into notes their course is followed; then it stays."""
_QUIET = 5  # the percentile of loudness that notes fall to
_SILENCE = 1e-5


def loudness_of(recording: Recording, sample_rate: int, block: int) -> Array:
    """(frames,): the mean over frequency of log magnitude plus A weighting in dB, which ddsp_pytorch's
    `extract_loudness` adds up. sample_rate in Hz; frames are block samples apart."""
    window = np.hanning(_WINDOW + 1)[:-1]
    weights = a_weighting(np.fft.rfftfreq(_WINDOW, 1 / sample_rate))
    found = [
        np.log(np.abs(np.fft.rfft(frames * window, axis=1)) + _LEAST).mean(axis=1) + weights.mean()
        for frames in overlapping_frames(mono_blocks(recording, sample_rate), _WINDOW, block)
    ]
    return np.concatenate(found) if found else np.zeros(0)


def a_weighting(frequencies: Array) -> Array:
    """In dB, by IEC 61672-1, annex E, and no less than −80."""
    squared = np.square(frequencies.astype(np.float64))
    low, lower_middle, upper_middle, high = 20.598997, 107.65265, 737.86223, 12_194.217
    response = (high**2 * squared**2) / (
        (squared + low**2)
        * np.sqrt((squared + lower_middle**2) * (squared + upper_middle**2))
        * (squared + high**2)
    )
    weights = 20 * np.log10(np.maximum(response, _SILENCE)) + 2.0
    return np.maximum(weights, _LEAST_WEIGHT_DB)


@dataclass(frozen=True)
class Course:
    """How loudness goes in a part's notes. held: (frames,) from the onset, of a note of velocity 100; the last
    stays. quiet: what it falls to afterwards. frame_rate: in Hz."""

    held: Array
    quiet: float
    frame_rate: float

    @classmethod
    def heard(cls, loudness: Array, notes: Sequence[Note], frame_rate: float) -> Course:
        """The median over notes. loudness: (frames,) of the stem; there is a note, and a frame."""
        longest = max(1, round(min(_LONGEST_S, max(note.duration_s for note in notes)) * frame_rate))
        rows = np.full((len(notes), longest), np.nan)
        for row, note in zip(rows, notes, strict=True):
            start = min(max(0, round(note.onset_s * frame_rate)), loudness.size - 1)
            stop = min(max(round(note.offset_s * frame_rate), start + 1), start + longest)
            heard = loudness[start:stop]
            row[: heard.size] = heard - _louder(note)
        sounding = ~np.isnan(rows).all(axis=0)
        return cls(
            np.nanmedian(rows[:, sounding], axis=0), float(np.percentile(loudness, _QUIET)), frame_rate
        )

    def of(self, note: Note) -> Array:
        """(frames,) from the note's onset to the end of its release."""
        held = max(1, round(note.duration_s * self.frame_rate))
        release = max(1, round(RELEASE_S * self.frame_rate))
        level = np.pad(self.held[:held], (0, max(0, held - self.held.size)), mode="edge") + _louder(note)
        fall = np.linspace(0, 1, release + 1)[1:]
        return np.concatenate([level, level[-1] + fall * min(0.0, self.quiet - level[-1])])


def pitch_of(note: Note, frames: int, frame_rate: float) -> Array:
    """(frames,) in Hz from the note's onset, bends followed."""
    semitones = np.full(frames, float(note.pitch))
    for since_onset_s, bend in note.bends:
        semitones[min(frames, max(0, round(since_onset_s * frame_rate))) :] = note.pitch + bend
    return 440 * 2 ** ((semitones - 69) / 12)


def _louder(note: Note) -> float:
    """Than at velocity 100, in the logarithm of amplitude, which goes with velocity as in our Faust instruments."""
    return float(np.log(note.velocity / 100))
