"""A voice made more natural, part by part, where it is more machine-like than voices are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from resonate_resources.naturalisation.amounts import Amounts
from resonate_resources.naturalisation.breath import Breath
from resonate_resources.naturalisation.changes import write_changed
from resonate_resources.naturalisation.quieting import Quieting
from resonate_resources.naturalisation.stretches import HIGHEST_HZ, LOWEST_HZ, cents
from resonate_resources.naturalisation.vibrato import Vibrato
from resonate_resources.recordings.recording import Progress, Recording, silent
from resonate_resources.signal.mono import cancelling
from resonate_resources.signal.pitch_track import pitch_track

_TOLD = 6  # places in a line
_LISTENING = 0.4  # of the time


@dataclass(frozen=True)
class Naturalised:
    """The voice, the stem itself where nothing was changed. notes: what was done, and where."""

    recording: Recording
    measures: Mapping[str, float | int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def naturalise(
    stem: Recording, amounts: Amounts, into: Path, progress: Progress = silent, *, part: float = 1.0
) -> Naturalised:
    """Write naturalised.wav into that existing directory, of the stem's shape; only if something is changed.

    part: of the amounts that may be had, 0 to 1, as what is in the stem besides its voice sways and breathes with it.
    It scales what is done, not a mixture of done and not done: two delays at once would be a comb.
    Each part of the work is done where its own measure is beyond real voices', and kept where that improves and
    neither tone, loudness, onsets, pitch, voicing nor levels over time are moved; the rest is left sample for sample.
    """
    wished = amounts.times(part)
    if not any(wished):
        return Naturalised(stem)
    one = cancelling(stem)
    track = pitch_track(stem, LOWEST_HZ, HIGHEST_HZ, lambda done: progress(_LISTENING * done))
    pitch = cents(track.hertz)
    vibrato, breath, quieting = Vibrato(), Breath(), Quieting()
    steps = [
        (step, amount)
        for step, amount in zip((vibrato, breath, quieting), wished, strict=True)
        if amount > 0
    ]
    recording = stem
    with TemporaryDirectory(dir=into) as folder:
        for number, (step, amount) in enumerate(steps):

            def watch(done: float, number: int = number) -> None:
                progress(_LISTENING + (1 - _LISTENING) * (number + done) / len(steps))

            changed = Path(folder) / f"{number}.wav"
            before, changes = recording, step.changes(recording, pitch, amount, one)
            recording = write_changed(before, changes, changed, watch)
            if recording is not before and before is not stem:
                before.path.unlink()
        if recording is not stem:
            recording = Recording.open(recording.path.replace(into / "naturalised.wav"))
    measures: dict[str, float | int] = {}
    notes = []
    if wished.vibrato:
        measures |= {"held_notes": vibrato.held, "vibrato_notes": len(vibrato.made)}
        measures["vibrato_cents"] = _mean([extent for _, extent in vibrato.made])
        notes.append(_told("vibrato", "held notes", vibrato.held, vibrato.made, vibrato.refused))
    if wished.breath:
        measures |= {"sung_windows": breath.sung, "breath_windows": len(breath.made)}
        if breath.made:
            measures["breath_db"] = _mean([level for _, level in breath.made])
        notes.append(_told("breath", "windows sung in", breath.sung, breath.made, breath.refused))
    if wished.shimmer:
        measures |= {"sounding_windows": quieting.sounding, "shimmer_windows": len(quieting.made)}
        if quieting.made:
            measures["shimmer_index_before"] = _mean([index for _, index, _ in quieting.made])
            measures["shimmer_index"] = _mean([index for *_, index in quieting.made])
        notes.append(_told("less shimmer", "windows", quieting.sounding, quieting.made, quieting.refused))
    if part < 1:
        notes.append(f"each to {part:.0%} of what is asked: as far as the stem is a voice's")
    return Naturalised(recording, measures, tuple(notes))


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0


def _told(
    what: str, of: str, count: int, made: Sequence[tuple[float, ...]], refused: Sequence[str]
) -> str:
    """One line for people."""
    at = ", ".join(f"{int(start // 60)}:{start % 60:04.1f}" for start, *_ in made[:_TOLD])
    more = f" and {len(made) - _TOLD} more" if len(made) > _TOLD else ""
    line = f"{what} in {len(made)} of {count} {of}" + (f", at {at}{more}" if made else "")
    reasons = ", ".join(f"{why} ({refused.count(why)})" for why in dict.fromkeys(refused))
    return line + (f"; left alone, as it would move {reasons}" if refused else "")
