"""One stem rebuilt: its notes, played by the instrument that comes nearest, matched to the original."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, inf, isfinite
from pathlib import Path
from typing import Final

import numpy as np

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Recording, Samples, write_recording
from resonate_resources.regeneration.choice import Compared, compared
from resonate_resources.regeneration.comparison_excerpts import Excerpts
from resonate_resources.regeneration.instrument import Instrument, Part
from resonate_resources.regeneration.likeness import stereo
from resonate_resources.regeneration.matching import Levels, bars, levels_of, match
from resonate_resources.regeneration.notes import playable
from resonate_resources.regeneration.playing import play_in_segments
from resonate_resources.regeneration.strikes import struck
from resonate_resources.signal.loudness import measure_loudness
from resonate_resources.signal.resampling import at_rate

_NATIVE_RATES: Final = (44_100, 48_000)
"""Rates in Hz the instruments play at; for any other they play at the last and are resampled."""


@dataclass(frozen=True)
class RebuiltStem:
    """compared: the instruments, what plays first; none where nothing sounds. played, left_out: matched, of two
    channels at the part's rate; left_out with no note played by its own recording. loudness_lufs: of the original,
    -inf where nothing is played. copied: part of the energy that lies in notes which are played by their own
    recordings at their own places, 0…1. missing: why there were no candidates of a kind, a line each."""

    part: Part
    compared: Sequence[Compared]
    played: Recording
    left_out: Recording
    loudness_lufs: float
    copied: float
    missing: Sequence[str] = ()


def part_of(name: str, notes: Sequence[Note], original: Recording, scratch: Path) -> Part:
    """The stem as instruments hear it; notes that begin behind its end are left out."""
    rate = original.sample_rate if original.sample_rate in _NATIVE_RATES else _NATIVE_RATES[-1]
    heard = [note for note in playable(notes) if note.onset_s < original.duration]
    if (original.sample_rate, original.channels) == (rate, 2):
        return Part(name, original, tuple(struck(heard, original)), rate)
    frames = ceil(original.frames * rate / original.sample_rate)
    with write_recording(scratch / f"{name}.original.wav", rate, 2, frames) as writer:
        for block in at_rate(map(stereo, original.blocks()), original.sample_rate, rate, 2, frames):
            writer.write(block)
    return Part(name, writer.recording, tuple(struck(heard, writer.recording)), rate)


def rebuild_stem(
    part: Part, original: Recording, downbeats_s: Sequence[float], wanted: str, scratch: Path
) -> RebuiltStem:
    """Files in scratch, of names of the stem's own. Silent where there are no notes, or where the original is
    silent or shorter than the 400 ms that loudness is measured over."""
    loudness = measure_loudness(original).integrated_lufs
    edges = bars(downbeats_s, part.sample_rate, part.recording.frames)
    if not part.notes or not isfinite(loudness):
        silence = _written(
            (np.zeros_like(block) for block in part.recording.blocks()),
            part,
            scratch / f"{part.stem}.played.wav",
        )
        return RebuiltStem(part, (), silence, silence, -inf, 0.0)
    levels = levels_of(part.recording.blocks(), part.sample_rate, edges)
    ranked, missing = compared(part, Excerpts.of(part, edges), wanted)
    chosen = ranked[0].candidate
    played = _matched(chosen.instrument, part, levels, edges, scratch / f"{part.stem}.played.wav")
    left_out = played
    if chosen.leaving_out is not chosen.instrument:
        left_out = _matched(chosen.leaving_out, part, levels, edges, scratch / f"{part.stem}.left_out.wav")
    copied = _share(played, chosen.copies)
    return RebuiltStem(part, ranked, played, left_out, loudness, copied, missing)


def _matched(
    instrument: Instrument, part: Part, levels: Levels, edges: Sequence[int], path: Path
) -> Recording:
    unmatched = path.with_suffix(".unmatched.wav")
    raw = _written(play_in_segments(instrument, part.notes, part.recording.frames), part, unmatched)
    brought = match(levels, levels_of(raw.blocks(), part.sample_rate, edges), edges, part.sample_rate)
    made = _written(brought.applied(raw.blocks()), part, path)
    unmatched.unlink()
    return made


def _written(blocks: Iterator[Samples], part: Part, path: Path) -> Recording:
    with write_recording(path, part.sample_rate, 2, part.recording.frames) as writer:
        for block in blocks:
            writer.write(block)
    return writer.recording


def _share(recording: Recording, spans: Sequence[tuple[float, float]]) -> float:
    """The part of its energy that lies in the spans, in s, by time."""
    if not spans:
        return 0.0
    edges = np.maximum.accumulate(
        np.array([round(s * recording.sample_rate) for span in spans for s in span])
    )
    inside = whole = 0.0
    start = 0
    for block in recording.blocks():
        energy = np.square(block, dtype=np.float64).sum(axis=0)
        within = np.searchsorted(edges, np.arange(start, start + len(energy)), side="right") % 2 == 1
        inside += float(energy[within].sum())
        whole += float(energy.sum())
        start += len(energy)
    return inside / whole if whole else 0.0
