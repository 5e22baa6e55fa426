"""Vibrato on notes that are held more steadily than singers can.

Singers' vibrato is of 4 to 7 Hz and begins some tenths of a second into a note (Prame, "Vibrato extent and
intonation in professional Western lyric singing", JASA 1997; Sundberg, "Acoustic and psychoacoustic aspects of
vocal vibrato", 1994). This one is of 4.5 Hz and by 12 cents at most, where they sing 30 to 100. A delay that sways
gives it: by a quarter of a millisecond, and none in the mean, so that the voice stays where it is in time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import numpy.typing as npt

from resonate_resources.naturalisation.changes import Change, told
from resonate_resources.naturalisation.keeping import heard, lost
from resonate_resources.naturalisation.stretches import FRAME_S, Floats, Stretch, held_notes, steadiness
from resonate_resources.recordings.recording import Recording, Samples

RATE_HZ, EXTENT_CENTS = 4.5, 12.0

STEADIEST_CENTS, MACHINE_CENTS = 7.0, 5.0
"""Standard deviation of a held note's pitch. Real singers' are of 8.8 and more, those of the same singers flattened
to one pitch of 4.9 and less (docs/measurements.md)."""

_DELAYED_S, _GROWS_S, _ENDS_S = 0.3, 0.3, 0.12
_LEAST_CENTS = 1.0  # less is not heard, and not worth a change
_CONTEXT_S = 0.25
_TAPS, _BETA, _PHASES = (
    32,
    8.0,
    512,
)  # of the interpolating filter: flat up to 0.85 of the Nyquist frequency, −80 dB
_AT_ONCE = 1 << 15


@dataclass
class Vibrato:
    """Changes notes of a recording. made: start in seconds, extent in cents."""

    amount: float
    held: int = 0
    made: list[tuple[float, float]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def changes(self, recording: Recording, pitch: Floats, one: int | None) -> Iterator[Change]:
        for note in held_notes(pitch):
            self.held += 1
            deviation = steadiness(pitch[note.start : note.stop])
            machine = (STEADIEST_CENTS - deviation) / (STEADIEST_CENTS - MACHINE_CENTS)
            extent = EXTENT_CENTS * self.amount * min(max(machine, 0.0), 1.0)
            if extent >= _LEAST_CENTS:
                yield from self._tried(recording, note, extent, one)

    def _tried(self, recording: Recording, note: Stretch, extent: float, one: int | None) -> Iterator[Change]:
        rate = recording.sample_rate
        start, stop = note.samples(rate, recording.frames)
        context = round(_CONTEXT_S * rate)
        first = max(0, start - context)
        before = recording.read(first, stop + context)
        was = heard(before, rate, one)
        inside = slice(*(round((at - first) / rate / FRAME_S) for at in (start, stop)))
        why: str | None = None
        for begun in (extent, -extent):  # a note of few cycles keeps its median one way or the other
            delay = np.zeros(before.shape[1])
            delay[start - first : stop - first] = swaying_delay(stop - start, rate, begun)
            after = delayed(before, delay)
            now = heard(after, rate, one)
            if steadiness(now.pitch[inside]) > steadiness(was.pitch[inside]):
                why = lost(was, now, note=inside)
            else:
                why = "it would not sway"
            if why is None:
                self.made.append((start / rate, extent))
                yield Change(start, after[:, start - first : stop - first])
                return
        self.refused.append(str(why))

    def measures(self) -> dict[str, float | int]:
        extents = [extent for _, extent in self.made]
        counts: dict[str, float | int] = {"held_notes": self.held, "vibrato_notes": len(extents)}
        return counts | ({"vibrato_cents": float(np.mean(extents))} if extents else {})

    def note(self) -> str:
        return told("vibrato", "held notes", self.held, [start for start, _ in self.made], self.refused)


def swaying_delay(frames: int, sample_rate: int, extent_cents: float) -> Floats:
    """(frames,) in samples: by how much a note is delayed to sway by ± that extent, upwards at first, downwards
    where it is negative. 0 at both ends and in the mean of every cycle."""
    t = np.arange(frames) / sample_rate
    left = (frames - 1) / sample_rate - t
    grown = np.clip((t - _DELAYED_S) / _GROWS_S, 0, 1)
    ending = np.clip(left / _ENDS_S, 0, 1)
    weight = 0.25 * (1 - np.cos(np.pi * grown)) * (1 - np.cos(np.pi * ending))
    turn = 2 * np.pi * RATE_HZ
    most = (2 ** (extent_cents / 1200) - 1) / turn * sample_rate
    return np.asarray(-most * weight * np.sin(turn * (t - _DELAYED_S)))


def delayed(samples: Samples, delay: Floats) -> Samples:
    """(channels, frames), each sample delayed by its own part of samples; what is delayed by 0 is left as it is.
    Silence stands before and after."""
    moved = samples.copy()
    ahead = _TAPS // 2 + int(np.ceil(np.abs(delay).max(initial=0.0)))
    padded = np.pad(samples, ((0, 0), (ahead, ahead + 1)))
    taps: npt.NDArray[np.intp] = np.arange(1 - _TAPS // 2, _TAPS // 2 + 1)
    rows = _interpolating()
    swaying = np.flatnonzero(delay)
    for part in np.array_split(swaying, len(swaying) // _AT_ONCE + 1):
        place = part - delay[part]
        whole = np.floor(place).astype(np.intp)
        phase = (place - whole) * _PHASES
        row = phase.astype(np.intp)
        between = (phase - row)[:, np.newaxis]
        weights = rows[row] + between * (rows[row + 1] - rows[row])
        at = ahead + whole[:, np.newaxis] + taps
        for channel, into in zip(padded, moved, strict=True):
            into[part] = np.einsum("nt,nt->n", channel[at], weights)
    return moved


@cache
def _interpolating() -> Floats:
    """(_PHASES + 1, _TAPS): a windowed sinc for each part of a sample, from 0 to 1."""
    off = np.arange(1 - _TAPS // 2, _TAPS // 2 + 1) - np.arange(_PHASES + 1)[:, np.newaxis] / _PHASES
    span = np.clip(1 - np.square(off / (_TAPS / 2)), 0, None)
    rows = np.sinc(off) * np.i0(_BETA * np.sqrt(span)) / np.i0(_BETA)
    return np.asarray(rows / rows.sum(axis=1, keepdims=True), np.float64)
