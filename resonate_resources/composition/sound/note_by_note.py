"""An instrument that is played note by note, and keeps what it has played: equal notes are rendered once."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from resonate_resources.instruments.instrument import Instrument, PlayedNote
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Samples

SoundOf = Callable[[int, int, float], Samples]
"""Pitch, velocity and how long it is held in s → (2, frames) from its onset until it has fallen silent."""

_VELOCITY_STEP: Final = 8
_LENGTH_STEP: Final = math.log(1.04)  # lengths 4 % apart are not told apart
_KEPT_BYTES: Final = 96 << 20
_CUT_S: Final = 0.006  # of a note that is choked
_SILENT: Final = 1e-5  # of the note's peak: −100 dB
_ENDING_S: Final = 0.004

_OPEN_HAT: Final = 46
_HATS: Final = frozenset({42, 44, 46})
RINGS_OUT_S: Final = 30.0  # longer than any drum
_STRUCK_S: Final = 0.05

_LATEST_S: Final = 0.012  # a second take is that late at most
SHARP: Final = ((0.0, 0.06),)
"""How a second take's notes bend: by 6 cents, so that both together are wide and do not comb."""


class NoteByNote:
    """See `Instrument`. Velocities 8 apart and lengths 4 % apart are one recording, brought to the note's own
    level."""

    def __init__(self, sample_rate: int, sound_of: SoundOf, *, law: float, kit: bool = False) -> None:
        """law: exponent of amplitude over velocity by which sound_of has it. kit: notes ring out, however long
        they are; where the note has an end, as by `choked`, they are cut there."""
        self.sample_rate = sample_rate
        self._sound_of, self._law, self._kit = sound_of, law, kit
        self._kept: OrderedDict[tuple[int, int, int], Samples] = OrderedDict()
        self._kept_bytes = 0

    def sounding_until(self, note: Note) -> float:
        whole = note.onset_s + float(self._sound(note).shape[1]) / self.sample_rate
        return min(whole, note.offset_s + _CUT_S) if self._kit else whole

    def play(self, notes: Sequence[Note], frames: int) -> Samples:
        played = np.zeros((2, frames), np.float32)
        for note in notes:
            start = round(note.onset_s * self.sample_rate)
            sound = self._sound(note)
            if self._kit:
                sound = _cut(
                    sound, round(note.duration_s * self.sample_rate), round(_CUT_S * self.sample_rate)
                )
            heard = sound[:, max(0, -start) : max(0, frames - start)]
            gain = np.float32((note.velocity / _rounded(note.velocity)) ** self._law)
            played[:, max(0, start) : max(0, start) + heard.shape[1]] += gain * heard
        return played

    def _sound(self, note: Note) -> Samples:
        length = 0 if self._kit else round(math.log(max(note.duration_s, 0.01)) / _LENGTH_STEP)
        key = note.pitch, _rounded(note.velocity), length
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        held_s = _STRUCK_S if self._kit else math.exp(length * _LENGTH_STEP)
        sound = self._kept[key] = _until_silent(self._sound_of(key[0], key[1], held_s), self.sample_rate)
        self._kept_bytes += sound.nbytes
        while self._kept_bytes > _KEPT_BYTES and len(self._kept) > 1:
            self._kept_bytes -= self._kept.popitem(last=False)[1].nbytes
        return sound


class DoubleTracked:
    """Two takes of one part, one in each half of the image: what rock does with its rhythm guitars. See
    `Instrument`."""

    def __init__(self, take: Instrument, other_take: Instrument) -> None:
        self.sample_rate = take.sample_rate
        self._takes = take, other_take

    def sounding_until(self, note: Note) -> float:
        return max(take.sounding_until(note) for take in self._takes) + _LATEST_S

    def play(self, notes: Sequence[Note], frames: int) -> Samples:
        left, right = self._takes
        late = [_later(note) for note in notes]
        return np.stack([left.play(notes, frames).mean(axis=0), right.play(late, frames).mean(axis=0)])


def choked(notes: Sequence[Note]) -> list[Note]:
    """Drum notes that ring out, but for an open hi-hat, which the next stroke of the hi-hat ends (GM level 1)."""
    ends: list[Note] = []
    next_hat_s = math.inf
    for note in reversed(notes):
        end_s = note.onset_s + RINGS_OUT_S
        if note.pitch == _OPEN_HAT and next_hat_s > note.onset_s:
            end_s = min(end_s, next_hat_s)
        if note.pitch in _HATS:
            next_hat_s = note.onset_s
        ends.append(replace(note, offset_s=end_s))
    return ends[::-1]


def _later(note: Note) -> Note:
    """By up to 12 ms, otherwise for each note, and always the same."""
    onset_s = note.part_s if isinstance(note, PlayedNote) else note.onset_s
    drawn = np.random.default_rng((round(onset_s * 1000), note.pitch)).random()
    late_s = _LATEST_S * (0.25 + 0.75 * drawn)
    return replace(note, onset_s=note.onset_s + late_s, offset_s=note.offset_s + late_s)


def _rounded(velocity: int) -> int:
    return max(_VELOCITY_STEP // 2, min(127, round(velocity / _VELOCITY_STEP) * _VELOCITY_STEP))


def _cut(sound: Samples, frames: int, fade: int) -> Samples:
    if sound.shape[1] <= frames + fade:
        return sound
    cut = sound[:, : frames + fade].copy()
    cut[:, -fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return cut


def _until_silent(sound: Samples, rate: int) -> Samples:
    """The sound up to where it stays under −100 dB of its peak, ended without a step."""
    peaks = np.abs(sound).max(axis=0)
    heard = np.flatnonzero(peaks > _SILENT * peaks.max(initial=0.0))
    if not heard.size:
        return sound[:, :0]
    ended = sound[:, : int(heard[-1]) + 1].copy()
    fade = min(ended.shape[1], round(_ENDING_S * rate))
    ended[:, -fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return ended
