"""A voice made more natural, part by part, where it is more machine-like than voices are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from resonate_resources.naturalisation.amounts import Amounts
from resonate_resources.naturalisation.breath import Breath
from resonate_resources.naturalisation.changes import Part, write_changed
from resonate_resources.naturalisation.quieting import Quieting
from resonate_resources.naturalisation.stretches import HIGHEST_HZ, LOWEST_HZ, cents
from resonate_resources.naturalisation.vibrato import Vibrato
from resonate_resources.recordings.recording import Progress, Recording, silent
from resonate_resources.signal.mono import cancelling
from resonate_resources.signal.pitch_track import pitch_track

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

    part: of the amounts that may be had, 0 to 1, as what is in the stem besides its voice sways and breathes with
    it. It scales what is done, not a mixture of done and not done: two delays at once would be a comb.
    Each part of the work is done where its own measure is beyond real voices', and kept where that improves and
    neither tone, loudness, onsets, pitch, voicing nor levels over time are moved; the rest is left sample for
    sample. 1 to 6 channels.
    """
    wished = amounts.times(part)
    if not any(wished):
        return Naturalised(stem)
    one = cancelling(stem)
    track = pitch_track(stem, LOWEST_HZ, HIGHEST_HZ, lambda done: progress(_LISTENING * done))
    pitch = cents(track.hertz)
    every: tuple[Part, ...] = (Vibrato(wished.vibrato), Breath(wished.breath), Quieting(wished.shimmer))
    parts = [each for each, amount in zip(every, wished, strict=True) if amount > 0]
    recording = stem
    with TemporaryDirectory(dir=into) as folder:
        for number, each in enumerate(parts):

            def watch(done: float, number: int = number) -> None:
                progress(_LISTENING + (1 - _LISTENING) * (number + done) / len(parts))

            before, changes = recording, each.changes(recording, pitch, one)
            recording = write_changed(before, changes, Path(folder) / f"{number}.wav", watch)
            if recording is not before and before is not stem:
                before.path.unlink()
        if recording is not stem:
            recording = Recording.open(recording.path.replace(into / "naturalised.wav"))
    measures = {name: value for each in parts for name, value in each.measures().items()}
    lessened = (f"each to {part:.0%} of what is asked: as far as the stem is a voice's",) if part < 1 else ()
    return Naturalised(recording, measures, (*(each.note() for each in parts), *lessened))
