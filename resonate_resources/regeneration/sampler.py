"""A part played by recordings of itself: each moment by the recording of one in which the same notes sound.

What begins together is cut as one, and not note by note: in chords no note stands alone, and a chord that was
recorded holds its instruments and its room as they are. A line is the case in which every chord is of one note.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from resonate_resources.instruments.instrument import PlayedNote
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.regeneration.candidate import Candidate, Part
from resonate_resources.regeneration.lengths import of_length
from resonate_resources.regeneration.likeness import mel_powers
from resonate_resources.regeneration.ringing import rung_on
from resonate_resources.regeneration.velocities import db_per_velocity, gain_between
from resonate_resources.signal.mono import overlapping_frames

Floats = npt.NDArray[np.float32]

_TOGETHER_S: Final = 0.05
"""Notes that begin within it are struck as one."""
_MOST_SHIFT: Final = 4  # semitones: beyond, formants and attacks sound like another instrument's
_BANK: Final = 3000  # recordings that are looked through, evenly chosen
_BEFORE_S, _FADE_S = 0.008, 0.04  # a recording comes in just before its onset, and leaves under the next one
_LONGEST_BEFORE_S, _PERIODS = 0.03, 2  # low tones that are joined within a period click
_CUT_S: Final = 0.1  # in which a recording dies away that ends before the next one begins
_TAIL_S: Final = 8.0  # of what rings on behind the last note's end

# What makes a recording unlike what is to be played; 1 is a note that is missing.
_HELD: Final = 0.7  # of a note that goes on, against one that is struck
_PER_SEMITONE: Final = 0.06
_TOO_SHORT: Final = 0.8  # half as long
_RINGS_SHORTER: Final = 0.2  # until the next moment is half as far off
_TURN: Final = 0.03  # as often as it was played lately
_GOES_ON: Final = 0.5  # less for the recording that follows the last one: there is no seam
_UNLIKE: Final = 2.0
_PER_VELOCITY: Final = 0.004
_PER_DB: Final = 0.25  # of the difference in sound
_ATTACK_S, _HEARD_S, _RANGE_DB = 0.08, 0.8, 60.0
_KEY_DB: Final = 35.0
"""A key that is so much louder makes a recording as unlike as a note that is missing. On composed songs 0 to 2
log-mel L1 falls by 5 to 17 % against none, with no note played by its own recording."""
_KEY_RANGE_DB, _KEYS_HZ, _KEY_SIZE = 50.0, (40.0, 5000.0), 8192


@dataclass(frozen=True)
class Moment:
    """Notes that begin together. length_s: until they and what they fell in with have ended, or until the next
    moment; gap_s: until the next moment. held: pitches that go on."""

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
        notes: Sequence[Note],
        slope_db: float,
        most_shift: int = _MOST_SHIFT,
        *,
        leaving_out: bool = False,
    ) -> None:
        """recording: of two channels. notes: the part's, by onset. slope_db: by how much louder each step of
        velocity is. most_shift: semitones; 0 where keys are no pitches."""
        self.sample_rate = recording.sample_rate
        self._recording, self._slope_db = recording, slope_db
        self._pitched = most_shift > 0
        self._moments = moments_of(notes, recording.duration)
        self._first = {
            (moment.struck[0].onset_s, moment.struck[0].pitch): number
            for number, moment in enumerate(self._moments)
        }
        sounds, keys = _sounds(recording, self._moments), _keys(recording, self._moments)
        self._choice = _chosen(self._moments, sounds, keys, most_shift, leaving_out)

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
            choice = None if number is None else self._choice[number]
            if number is None or choice is None:
                continue
            sound = self._sound(_as_long(self._moments[number], note), *choice)
            start = round((note.onset_s - self._before_s(self._moments[number])) * self.sample_rate)
            skipped = max(0, -start)
            sound = sound[:, skipped : skipped + max(0, frames - start - skipped)]
            start += skipped
            played[:, start : start + sound.shape[1]] += sound
        return played

    def _sound(self, moment: Moment, source: Moment, shift: int) -> Samples:
        """From just before the moment until it has faded into the next one."""
        rate = self.sample_rate
        # In frames of the recording: what is shifted up is used up faster.
        ratio = 2 ** (shift / 12)
        before_s = self._before_s(moment)
        before, fade = round(before_s * rate), round(_FADE_S * rate)
        wanted = round(moment.gap_s * rate) + before + fade
        held = round(moment.length_s * rate) + before
        start = round(source.start_s * rate) - round(before * ratio)
        stop = round((source.start_s + min(source.gap_s, source.length_s + _TAIL_S)) * rate)
        sound = self._recording.read(start, stop)
        sound = np.pad(sound, ((0, 0), (max(0, -start), 0)))
        sustained = round((source.length_s + before_s) * rate / ratio)
        sound = _resampled(sound, self._positions(moment, source, ratio, sound.shape[1]))
        if self._pitched:
            sound = of_length(sound, min(sustained, sound.shape[1]), held, rate)
        if sound.shape[1] < wanted - fade:
            # What was cut by the next stroke ends within its rise.
            sound = rung_on(sound[:, : sound.shape[1] - round(_BEFORE_S * rate)], wanted, rate)
        sound = sound[:, :wanted].copy()
        ahead = min(before, sound.shape[1])
        sound[:, :ahead] *= _rising(ahead)
        # As it is left for the next one; or dying away, where its recording is used up before.
        lacks = wanted - fade - sound.shape[1]
        end = before + min(lacks, round(_CUT_S * rate)) if lacks > 0 else max(before, fade + lacks)
        end = min(end, max(before, sound.shape[1] // 2), sound.shape[1])
        sound[:, sound.shape[1] - end :] *= _rising(end)[::-1]
        return sound * np.float32(gain_between(self._slope_db, source.velocity, moment.velocity))

    def _before_s(self, moment: Moment) -> float:
        if not self._pitched:
            return _BEFORE_S
        lowest = min((*(note.pitch for note in moment.struck), *moment.held))
        return float(np.clip(_PERIODS / (440 * 2 ** ((lowest - 69) / 12)), _BEFORE_S, _LONGEST_BEFORE_S))

    def _positions(
        self, moment: Moment, source: Moment, ratio: float, frames: int
    ) -> npt.NDArray[np.float64]:
        """Where in the recording each frame of what is played lies. A single note follows its own bends, and
        those of the recording are taken out."""
        count = int((frames - 1) / ratio)
        if len(moment.struck) > 1 or not (moment.struck[0].bends or source.struck[0].bends):
            return np.asarray(np.arange(count) * ratio, np.float64)
        seconds = np.arange(count) / self.sample_rate - self._before_s(moment)
        bend = bend_of(moment.struck[0], seconds) - bend_of(source.struck[0], seconds * ratio)
        at = np.cumsum(ratio * 2 ** (bend / 12))
        return np.asarray(at[at < frames - 1])


def _as_long(moment: Moment, note: Note) -> Moment:
    """The moment held longer, or less long, by as much as its first note is."""
    gate = note.duration_s / max(moment.struck[0].duration_s, 1e-3)
    if abs(gate - 1) < 1e-3:
        return moment
    return replace(moment, length_s=min(gate * moment.length_s, moment.gap_s))


def candidates(part: Part) -> Iterator[Candidate]:
    """The sampler of a part with pitches."""
    if not part.notes:
        return
    drums = part.stem == "drums"
    slope = db_per_velocity(part, part.notes)
    shift = 0 if drums else _MOST_SHIFT
    whole = Sampler(part.recording, part.notes, slope, shift)
    yield Candidate(
        "sampler",
        "own strokes" if drums else "own notes",
        "the track's",
        "notes and chords of the stem",
        whole,
        Sampler(part.recording, part.notes, slope, shift, leaving_out=True),
        {},
        whole.copies(),
    )


def _chosen(
    moments: Sequence[Moment], sounds: Floats, keys: Floats, most_shift: int, leaving_out: bool
) -> list[tuple[Moment, int] | None]:
    """For each moment the recording of another one that is most like it, and by how many semitones it is shifted;
    its own where no other is like it, or, where that is left out, the least unlike.

    Which pitches are heard in a recording decides beside those that were written down, which may be wrong; whether
    any is like it is told by what was written.
    """
    step = -(-len(moments) // _BANK)
    numbers = np.arange(0, len(moments), step)
    bank = [moments[int(number)] for number in numbers]
    shifts = np.arange(-most_shift, most_shift + 1)
    chords = _chords(moments)
    recorded = np.concatenate([np.roll(chords[numbers], shift, axis=1) for shift in shifts])
    sizes = np.square(recorded).sum(axis=1)
    heard = np.concatenate([np.roll(keys[numbers], shift, axis=1) for shift in shifts])
    heard_sizes = np.square(heard).sum(axis=1)
    lengths = np.log2([moment.length_s for moment in bank])
    velocities = np.array([moment.velocity for moment in bank])
    gaps = np.log2([moment.gap_s for moment in bank])
    choice: list[tuple[Moment, int] | None] = []
    last: tuple[int, int] | None = None
    used = np.zeros(len(bank))
    for number, (moment, chord) in enumerate(zip(moments, chords, strict=True)):
        unlike = (sizes + chord @ chord - 2 * (recorded @ chord)).reshape(len(shifts), -1)
        unlike += _PER_SEMITONE * np.abs(shifts)[:, None]
        unlike += _TOO_SHORT * np.maximum(0, np.log2(moment.length_s) - lengths) + _TURN * used
        unlike += _RINGS_SHORTER * np.maximum(0, np.log2(moment.gap_s) - gaps)
        unlike += _PER_DB * np.abs(sounds[numbers] - sounds[number]).mean(axis=1)
        unlike += _PER_VELOCITY * np.abs(velocities - moment.velocity)
        if last is not None and step == 1 and last[1] + 1 < len(bank):
            unlike[last[0], last[1] + 1] -= _GOES_ON
        unlike[:, numbers == number] = np.inf
        key = keys[number]
        apart = (heard_sizes + key @ key - 2 * (heard @ key)).reshape(unlike.shape)
        shift, best = (int(at) for at in np.unravel_index(int((unlike + apart).argmin()), unlike.shape))
        if unlike[shift, best] > (np.finfo(np.float32).max if leaving_out else _UNLIKE):
            choice.append(None if leaving_out else (moment, 0))
            last = None
            continue
        used *= 0.5
        used[best] += 1
        last = shift, best
        choice.append((bank[best], int(shifts[shift])))
    return choice


def _sounds(recording: Recording, moments: Sequence[Moment]) -> Floats:
    """(moments, 2 × bands): levels in dB where each begins and while it lasts, down to 60 dB under the loudest."""
    powers = mel_powers(recording.blocks(), recording.sample_rate)
    levels = 10 * np.log10(np.maximum(powers, max(float(powers.max()) * 10 ** (-_RANGE_DB / 10), 1e-12)))
    per_s = (len(levels) - 1) / max(recording.duration, 1e-3)
    rows = []
    for moment in moments:
        first = min(round(moment.start_s * per_s), len(levels) - 1)
        attack = first + max(1, round(_ATTACK_S * per_s))
        last = max(attack + 1, round((moment.start_s + min(moment.gap_s, _HEARD_S)) * per_s))
        lasting = levels[attack:last] if attack < len(levels) else levels[-1:]
        rows.append(np.concatenate([levels[first:attack].mean(axis=0), lasting.mean(axis=0)]))
    return np.array(rows, np.float32)


def _keys(recording: Recording, moments: Sequence[Moment]) -> Floats:
    """(moments, 128): level where each key has its fundamental while the moment lasts, in _KEY_DB over 50 dB under
    the loudest."""
    from scipy.fft import rfft

    rate = recording.sample_rate
    window = np.hanning(_KEY_SIZE + 1)[:-1].astype(np.float32)
    bands = _key_bands(rate)
    mono = ((block[:1] + block[1:]) / 2 for block in recording.blocks())
    frames = overlapping_frames((block[0] for block in mono), _KEY_SIZE, _KEY_SIZE // 2)
    power = np.concatenate([np.square(np.abs(rfft(each * window))) @ bands for each in frames])
    per_s = 2 * rate / _KEY_SIZE
    rows = []
    for moment in moments:
        first = min(round((moment.start_s + _ATTACK_S) * per_s), len(power) - 1)
        last = max(first + 1, round((moment.start_s + min(moment.gap_s, _HEARD_S)) * per_s))
        rows.append(power[first:last].mean(axis=0))
    levels = 10 * np.log10(np.maximum(np.array(rows), 1e-12))
    return np.asarray(np.maximum(levels - levels.max() + _KEY_RANGE_DB, 0) / _KEY_DB, np.float32)


def _key_bands(sample_rate: int) -> Floats:
    """(lines, 128): a triangle a semitone to either side of each key, or a line where that is less."""
    lines = np.arange(_KEY_SIZE // 2 + 1) * sample_rate / _KEY_SIZE
    hertz = 440 * 2 ** ((np.arange(128) - 69) / 12)
    semitones = 12 * np.log2(np.maximum(lines, 1)[:, None] / hertz)
    reach = np.maximum(1, 12 * np.log2(1 + sample_rate / _KEY_SIZE / hertz))
    heard = (hertz > _KEYS_HZ[0]) & (hertz < _KEYS_HZ[1])
    return np.asarray(np.maximum(0, 1 - np.abs(semitones) / reach) * heard, np.float32)


def _chords(moments: Sequence[Moment]) -> Floats:
    """(moments, 128): what sounds in each."""
    chords = np.zeros((len(moments), 128), np.float32)
    for row, moment in zip(chords, moments, strict=True):
        row[list(moment.held)] = _HELD
        row[[note.pitch for note in moment.struck]] = 1.0
    return chords


def _rising(frames: int) -> Floats:
    """From 0 to 1, without a corner, which would click under what is soft."""
    return np.asarray(np.sin(np.linspace(0, np.pi / 2, frames)) ** 2, np.float32)


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


def bend_of(note: Note, seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Semitones from the key, so many seconds from the note's onset."""
    if not note.bends:
        return np.zeros_like(seconds)
    times, semitones = np.array(note.bends).T
    return np.asarray(np.interp(seconds, times, semitones))


def _place(note: Note) -> tuple[float, int]:
    return note.part_s if isinstance(note, PlayedNote) else note.onset_s, note.pitch
