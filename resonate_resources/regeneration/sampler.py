"""A part played by recordings of itself: each moment by the recording of one in which the same notes sound.

What begins together is cut as one, and not note by note: in chords no note stands alone, and a chord that was
recorded holds its instruments and its room as they are. A line of single notes is the case in which every chord is of
one note.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.regeneration.instrument import Candidate, Part, PlayedNote
from resonate_resources.regeneration.velocities import db_per_velocity, gain_between

Floats = npt.NDArray[np.float32]

_TOGETHER_S: Final = 0.05
"""Notes that begin within it are struck as one."""
_MOST_SHIFT: Final = 4  # semitones: beyond, formants and attacks sound like another instrument's
_ALIKE: Final = 4  # recordings kept of the same notes: they take turns, soft and loud ones
_BEFORE_S, _FADE_S = 0.008, 0.04  # a recording comes in just before its onset, and leaves under the next one
_TAIL_S: Final = 1.5  # of what rings on behind the last note's end
_RELEASE_S: Final = 0.06  # fade of a note that ends where its recording goes on
_SHORTEST_LOOP_S: Final = 0.12

# What makes a recording unlike what is to be played; 1 is a note that is missing.
_HELD: Final = 0.7  # of a note that goes on, against one that is struck
_PER_SEMITONE: Final = 0.06
_TOO_SHORT: Final = 0.35  # half as long
_TURN: Final = 0.03
_PER_VELOCITY: Final = 0.004


@dataclass(frozen=True)
class Moment:
    """Notes that begin together. length_s: until they and what they fell in with have ended, or until the next
    moment; gap_s: until the next moment. chord: pitch → 1 for what is struck, less for what goes on."""

    start_s: float
    length_s: float
    gap_s: float
    velocity: int
    struck: tuple[Note, ...]
    held: tuple[int, ...]


def moments_of(notes: Sequence[Note], end_s: float) -> list[Moment]:
    """By time. notes are sorted by onset."""
    starts: list[list[Note]] = []
    for note in notes:
        if starts and note.onset_s - starts[-1][0].onset_s <= _TOGETHER_S:
            starts[-1].append(note)
        else:
            starts.append([note])
    moments = []
    sounding: list[Note] = []
    for number, struck in enumerate(starts):
        start = struck[0].onset_s
        following = starts[number + 1][0].onset_s if number + 1 < len(starts) else end_s
        held = [note for note in sounding if note.offset_s > start + _TOGETHER_S]
        sounding = [*held, *struck]
        until = min(max(note.offset_s for note in sounding), following)
        moments.append(
            Moment(
                start,
                until - start,
                max(following - start, until - start),
                round(float(np.mean([note.velocity for note in struck]))),
                tuple(struck),
                tuple(note.pitch for note in held),
            )
        )
    return moments


class Sampler:
    """Plays a part by moments of a recording."""

    def __init__(
        self,
        recording: Recording,
        bank: Sequence[Moment],
        notes: Sequence[Note],
        slope_db: float,
        *,
        leaving_out: bool = False,
    ) -> None:
        """recording: of two channels. bank: its moments that may be played. notes: the part's, by onset. slope_db:
        by how much louder each step of velocity is."""
        self.sample_rate = recording.sample_rate
        self._recording, self._slope_db = recording, slope_db
        self._moments = moments_of(notes, recording.duration)
        self._first = {
            (moment.struck[0].onset_s, moment.struck[0].pitch): number
            for number, moment in enumerate(self._moments)
        }
        self._choice = _chosen(self._moments, bank, leaving_out)

    def copies(self) -> tuple[tuple[float, float], ...]:
        """When a moment is played by its own recording, in s."""
        return tuple(
            (moment.start_s, moment.start_s + moment.gap_s)
            for moment, choice in zip(self._moments, self._choice, strict=True)
            if choice is not None and choice[0].start_s == moment.start_s
        )

    def sounding_until(self, note: Note) -> float:
        number = self._first.get(_place(note))
        if number is None:
            return note.onset_s
        return note.onset_s + self._moments[number].gap_s + _FADE_S

    def play(self, notes: Sequence[Note], frames: int) -> Samples:
        played = np.zeros((2, frames), np.float32)
        for note in notes:
            number = self._first.get(_place(note))
            if number is None or self._choice[number] is None:
                continue
            sound = self._sound(number)
            start = round((note.onset_s - _BEFORE_S) * self.sample_rate)
            skipped = max(0, -start)
            sound = sound[:, skipped : skipped + max(0, frames - start - skipped)]
            start += skipped
            played[:, start : start + sound.shape[1]] += sound
        return played

    def _sound(self, number: int) -> Samples:
        """From just before the moment until it has faded into the next one."""
        moment, (source, shift) = self._moments[number], self._choice[number]
        rate = self.sample_rate
        # In frames of the recording: what is shifted up is used up faster.
        ratio = 2 ** (shift / 12)
        before, fade = round(_BEFORE_S * rate), round(_FADE_S * rate)
        wanted = round(moment.gap_s * rate) + before + fade
        held = round(moment.length_s * rate) + before
        start = round(source.start_s * rate) - round(before * ratio)
        stop = round((source.start_s + min(source.gap_s, source.length_s + _TAIL_S) - _BEFORE_S) * rate)
        sound = self._recording.read(start, stop)
        sound = np.pad(sound, ((0, 0), (max(0, -start), 0)))
        sustained = round((source.length_s + _BEFORE_S) * rate / ratio)
        sound = _resampled(sound, self._positions(moment, source, ratio, sound.shape[1]))
        sound = _of_length(sound, min(sustained, sound.shape[1]), held, rate)[:, :wanted].copy()
        ahead = min(before, sound.shape[1])
        sound[:, :ahead] *= np.linspace(0, 1, ahead, dtype=np.float32)
        end = min(fade, sound.shape[1])
        sound[:, sound.shape[1] - end :] *= np.linspace(1, 0, end, dtype=np.float32)
        return sound * np.float32(gain_between(self._slope_db, source.velocity, moment.velocity))

    def _positions(self, moment: Moment, source: Moment, ratio: float, frames: int) -> npt.NDArray[np.float64]:
        """Where in the recording each frame of what is played lies. A single note follows its own bends, and
        those of the recording are taken out."""
        count = int((frames - 1) / ratio)
        if len(moment.struck) > 1 or not (moment.struck[0].bends or source.struck[0].bends):
            return np.arange(count) * ratio
        seconds = np.arange(count) / self.sample_rate - _BEFORE_S
        bend = _bend(moment.struck[0], seconds) - _bend(source.struck[0], seconds * ratio)
        at = np.cumsum(ratio * 2 ** (bend / 12))
        return np.asarray(at[at < frames - 1])


def candidates(part: Part) -> Iterator[Candidate]:
    """The sampler of a part with pitches."""
    if part.stem == "drums" or not part.notes:
        return
    bank = _bank(moments_of(part.notes, part.recording.duration))
    slope = db_per_velocity(part, part.notes)
    whole = Sampler(part.recording, bank, part.notes, slope)
    yield Candidate(
        "sampler",
        "own notes",
        "the track's",
        "notes and chords of the stem",
        whole,
        Sampler(part.recording, bank, part.notes, slope, leaving_out=True),
        {"recordings": len(bank)},
        whole.copies(),
    )


def _bank(moments: Sequence[Moment]) -> list[Moment]:
    """Of all with the same notes the longest, soft and loud."""
    alike: dict[tuple[tuple[int, ...], tuple[int, ...]], list[Moment]] = {}
    for moment in moments:
        key = tuple(sorted({note.pitch for note in moment.struck})), tuple(sorted(set(moment.held)))
        alike.setdefault(key, []).append(moment)
    kept = []
    for group in alike.values():
        by_velocity = sorted(group, key=lambda moment: moment.velocity)
        for layer in np.array_split(np.arange(len(group)), min(_ALIKE, len(group))):
            kept.append(max((by_velocity[i] for i in layer), key=lambda moment: moment.length_s))
    return sorted(kept, key=lambda moment: moment.start_s)


def _chosen(
    moments: Sequence[Moment], bank: Sequence[Moment], leaving_out: bool
) -> list[tuple[Moment, int] | None]:
    """For each moment the recording that is most like it, and by how many semitones it is shifted."""
    if not bank:
        return [None] * len(moments)
    shifts = range(-_MOST_SHIFT, _MOST_SHIFT + 1)
    recorded = np.concatenate([np.roll(_chords(bank), shift, axis=1) for shift in shifts])
    sizes = np.square(recorded).sum(axis=1)
    lengths = np.log2([moment.length_s for moment in bank])
    velocities = np.array([moment.velocity for moment in bank])
    starts = np.array([moment.start_s for moment in bank])
    wanted = _chords(moments)
    used = np.zeros(len(bank))
    choice: list[tuple[Moment, int] | None] = []
    for moment, chord in zip(moments, wanted, strict=True):
        unlike = (sizes + chord @ chord - 2 * (recorded @ chord)).reshape(len(shifts), -1)
        unlike = unlike + _PER_SEMITONE * np.abs(np.array(shifts))[:, None]
        short = np.maximum(0, np.log2(moment.length_s) - lengths)
        unlike += _TOO_SHORT * short + _PER_VELOCITY * np.abs(velocities - moment.velocity) + _TURN * used
        if leaving_out:
            unlike[:, np.abs(starts - moment.start_s) <= 1e-6] = np.inf
        shift, best = np.unravel_index(int(unlike.argmin()), unlike.shape)
        if not np.isfinite(unlike[shift, best]):
            choice.append(None)
            continue
        used *= 0.5
        used[best] += 1
        choice.append((bank[best], int(shifts[shift])))
    return choice


def _chords(moments: Sequence[Moment]) -> Floats:
    """(moments, 128): what sounds in each."""
    chords = np.zeros((len(moments), 128), np.float32)
    for row, moment in zip(chords, moments, strict=True):
        row[list(moment.held)] = _HELD
        row[[note.pitch for note in moment.struck]] = 1.0
    return chords


def _of_length(sound: Samples, sustained: int, wanted: int, sample_rate: int) -> Samples:
    """The sound with its first `sustained` frames made `wanted` long, and what it rings on with after them: the
    middle is repeated where it is too short, and left early where it is too long."""
    blend = round(_RELEASE_S * sample_rate)
    if wanted <= sustained:
        tail = sound[:, sustained:]
        held = sound[:, : wanted + blend].copy()
        fall = held[:, wanted:]
        fall *= np.linspace(1, 0, fall.shape[1], dtype=np.float32)
        if tail.shape[1] == 0 or wanted == sustained:
            return sound if wanted == sustained else held
        whole = np.zeros((2, max(held.shape[1], wanted + tail.shape[1])), np.float32)
        whole[:, : held.shape[1]] = held
        rise = tail.copy()
        rise[:, :blend] *= np.linspace(0, 1, min(blend, rise.shape[1]), dtype=np.float32)
        whole[:, wanted : wanted + rise.shape[1]] += rise
        return whole
    loop = sound[:, sustained // 2 : sustained]
    if loop.shape[1] < _SHORTEST_LOOP_S * sample_rate:
        return sound
    cross = loop.shape[1] // 4
    pieces = [sound[:, :sustained]]
    length = sustained
    ramp = np.linspace(0, 1, cross, dtype=np.float32)
    while length < wanted:
        last = pieces[-1]
        joined = last[:, -cross:] * np.sqrt(1 - ramp) + loop[:, :cross] * np.sqrt(ramp)
        pieces[-1] = last[:, :-cross]
        pieces += [joined, loop[:, cross:]]
        length += loop.shape[1] - cross
    whole = np.concatenate(pieces, axis=1)
    tail = sound[:, sustained:]
    return np.concatenate([whole[:, :wanted], tail], axis=1) if tail.shape[1] else whole[:, : wanted + blend]


def _resampled(sound: Samples, positions: npt.NDArray[np.float64]) -> Samples:
    """The sound at those places between its frames: cubic (Catmull–Rom)."""
    at = positions.astype(np.intp)
    if np.array_equal(positions, at):
        return sound[:, at]
    padded = np.pad(sound, ((0, 0), (1, 2)), mode="edge")
    x = (positions - at).astype(np.float32)
    a, b, c, d = (padded[:, at + k] for k in range(4))
    return np.asarray(
        b + 0.5 * x * (c - a + x * (2 * a - 5 * b + 4 * c - d + x * (3 * (b - c) + d - a))), np.float32
    )


def _bend(note: Note, seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Semitones from the key, so many seconds from the note's onset."""
    if not note.bends:
        return np.zeros_like(seconds)
    times, semitones = np.array(note.bends).T
    return np.asarray(np.interp(seconds, times, semitones))


def _place(note: Note) -> tuple[float, int]:
    return note.part_s if isinstance(note, PlayedNote) else note.onset_s, note.pitch
