"""One stem rebuilt: its notes, played by the instrument that comes nearest, matched to the original."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, inf, isfinite
from pathlib import Path
from typing import Final

import numpy as np

from resonate_resources.instruments.playing import play_in_segments
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Recording, Samples, write_recording
from resonate_resources.regeneration.brief import Provided
from resonate_resources.regeneration.candidate import Candidate, Part
from resonate_resources.regeneration.choice import NOTHING, Compared, compared
from resonate_resources.regeneration.comparison_excerpts import Excerpts
from resonate_resources.regeneration.decisions import InstrumentChoice, StemDecision, Transition
from resonate_resources.regeneration.likeness import stereo
from resonate_resources.regeneration.matching import bars, levels_of, match
from resonate_resources.regeneration.motion import STILL, Applied, Motion
from resonate_resources.regeneration.notes import playable
from resonate_resources.regeneration.strikes import struck
from resonate_resources.regeneration.transition_search import SEARCHED, find_transitions
from resonate_resources.regeneration.transition_sound import added, sounding, sounds, with_fills, without
from resonate_resources.signal.loudness import measure_loudness
from resonate_resources.signal.resampling import at_rate

_NATIVE_RATES: Final = (44_100, 48_000)
"""Rates in Hz the instruments play at; for any other they play at the last and are resampled."""


Grid = tuple[Sequence[float], Sequence[float]]


@dataclass(frozen=True)
class PreparedStem:
    """compared: what can play it, the nearest first; nothing where nothing sounds. missing: why there were no
    candidates of a kind, a line each. loudness_lufs: of the original, -inf where nothing is played. edges: frames
    where its level may change, by `StemDecision.level_per`. motion: what its sound does beside its notes.
    transitions: what was heard in it that leads from section to section, and is in no note."""

    part: Part
    compared: Sequence[Compared]
    missing: Sequence[str]
    loudness_lufs: float
    edges: Mapping[str, Sequence[int]]
    motion: Motion = STILL
    transitions: Sequence[Transition] = ()

    def chosen(self, decision: StemDecision) -> Candidate:
        """Raises StopIteration where there is none of that name."""
        wanted = decision.instrument
        made = (each.candidate for each in self.compared)
        return next(
            each for each in made if wanted in (None, InstrumentChoice(kind=each.kind, label=each.label))
        )

    def play(
        self,
        decision: StemDecision,
        path: Path,
        leaving_out: bool = False,
        transitions: Sequence[Transition] = (),
    ) -> Recording:
        """Write it as decided, of two channels at the part's rate, matched; silent where nothing sounds.

        leaving_out: with no note played by its own recording. transitions: this stem's. Their level and band are
        those of the original, so they are added once the notes are matched, and the notes are matched to what the
        original has beside them: else its bars would make the notes louder by what the transitions are.
        """
        part = self.part
        if not self.compared:
            return _written((np.zeros_like(block) for block in part.recording.blocks()), part, path)
        candidate, edges = self.chosen(decision), self.edges[decision.level_per]
        instrument = candidate.leaving_out if leaving_out else candidate.instrument
        held = [replace(note, offset_s=note.onset_s + decision.gate * note.duration_s) for note in part.notes]
        notes = part.notes if decision.gate == 1 else playable(held)
        if any(each.kind == "fill" for each in transitions):
            beats_s = [edge / part.sample_rate for edge in self.edges["beat"][1:-1]]
            notes = playable(with_fills(notes, transitions, beats_s))
        unmatched = path.with_suffix(".unmatched.wav")
        sound = play_in_segments(instrument, notes, part.recording.frames)
        raw = _written(moved(sound, round(decision.shift_ms / 1000 * part.sample_rate)), part, unmatched)
        motion = self.motion.decided(decision)
        for change in motion.before_matching(part.recording, raw):
            _apply(change, raw, part)
        original, played = (levels_of(one.blocks(), part.sample_rate, edges) for one in (part.recording, raw))
        leads = bool(sounding(transitions))
        frames, rate = part.recording.frames, part.sample_rate
        if leads:
            original = without(original, levels_of(sounds(transitions, frames, rate), rate, edges))
        brought = match(original, played, edges, part.sample_rate, decision.eq_db, decision.width)
        made = _written(brought.applied(raw.blocks()), part, path)
        unmatched.unlink()
        for change in motion.after_matching(part.recording, made):
            _apply(change, made, part)
        if leads:
            whole = added(made.blocks(), sounds(transitions, frames, rate))
            _written(whole, part, path.with_suffix(".changed.wav")).path.replace(path)
        return made

    def heard(self, path: Path, sections_s: Sequence[float], grid: Grid) -> PreparedStem:
        """With the transitions that it has and its notes, played to path for that, lack. grid: downbeats and beats
        in s."""
        name = next((each for each in SEARCHED if each == self.part.stem), None)
        if name is None or not self.compared or not sections_s:
            return self
        played = self.play(StemDecision(), path)
        found = find_transitions(name, self.part.recording, played, sections_s, *grid)
        played.path.unlink()
        return replace(self, transitions=found)


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


def prepare_stem(
    part: Part,
    original: Recording,
    downbeats_s: Sequence[float],
    beats_s: Sequence[float],
    wanted: str,
    motion: Motion = STILL,
    provided: Provided = NOTHING,
) -> PreparedStem:
    """With what can play it, compared. Nothing plays where there are no notes, or where the original is silent or
    shorter than the 400 ms that loudness is measured over. wanted, provided: see `compared`."""
    loudness = measure_loudness(original).integrated_lufs
    rate, frames = part.sample_rate, part.recording.frames
    edges = {
        "bar": bars(downbeats_s, rate, frames),
        "beat": bars(beats_s, rate, frames),
        "none": [0, frames],
    }
    if not part.notes or not isfinite(loudness):
        return PreparedStem(part, (), (), -inf, edges)
    ranked, missing = compared(part, Excerpts.of(part, edges["bar"]), wanted, provided)
    return PreparedStem(part, ranked, missing, loudness, edges, motion)


def moved(blocks: Iterator[Samples], frames: int) -> Iterator[Samples]:
    """The stream, later by so many frames, earlier where they are negative; of the same length."""
    left = 0
    early = max(0, -frames)
    late = np.zeros((2, max(0, frames)), np.float32)
    for block in blocks:
        left += block.shape[1]
        sound = np.concatenate([late, block[:, early:]], axis=1)
        early = max(0, early - block.shape[1])
        whole = sound[:, : sound.shape[1] - late.shape[1]]
        late = sound[:, whole.shape[1] :]
        left -= whole.shape[1]
        if whole.shape[1]:
            yield whole
    if frames < 0:
        yield np.zeros((2, left), np.float32)


def _apply(change: Applied, recording: Recording, part: Part) -> None:
    """To the file itself, which keeps its form."""
    changed = _written(change.applied(recording.blocks()), part, recording.path.with_suffix(".changed.wav"))
    changed.path.replace(recording.path)


def _written(blocks: Iterator[Samples], part: Part, path: Path) -> Recording:
    with write_recording(path, part.sample_rate, 2, part.recording.frames) as writer:
        for block in blocks:
            writer.write(block)
    return writer.recording


def share_of_energy(
    recording: Recording, spans: Sequence[tuple[float, float]], transitions: Sequence[Transition] = ()
) -> float:
    """The part of its energy that lies in the spans, in s, by time, and is none of the transitions': 0 to 1."""
    if not spans:
        return 0.0
    edges = np.maximum.accumulate(
        np.array([round(s * recording.sample_rate) for span in spans for s in span])
    )
    inside = whole = 0.0
    start = 0
    made = sounds(transitions, recording.frames, recording.sample_rate)
    beside = (-block for block in made)
    for block, notes in zip(recording.blocks(), added(recording.blocks(), beside), strict=True):
        energy = np.square(block, dtype=np.float64).sum(axis=0)
        within = np.searchsorted(edges, np.arange(start, start + len(energy)), side="right") % 2 == 1
        inside += float(np.square(notes[:, within], dtype=np.float64).sum())
        whole += float(energy.sum())
        start += len(energy)
    return inside / whole if whole else 0.0
