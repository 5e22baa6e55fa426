"""A voice of partials and noise, learned from the stem: spectral modelling after Serra and Smith (Computer Music
Journal 14, 1990), its envelopes those of the stem's own notes near in pitch.

No recording sounds in it. It plays any pitch for any time, bends and vibrato included.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.regeneration.candidate import Candidate, Part
from resonate_resources.regeneration.sampler import bend_of, moments_of
from resonate_resources.regeneration.velocities import db_per_velocity, gain_between
from resonate_resources.signal.band_levels import ratio_bands

Floats = npt.NDArray[np.float64]

_SIZE, _HOP = 4096, 512
_PARTIALS: Final = 32
_HIGHEST_HZ: Final = 16_000.0
_NOISE_FROM_HZ: Final = 60.0
_LEARNED, _NEAREST = 48, 3
"""Notes that are learned from, and of them those that a note is made from."""
_LONGEST_S, _SHORTEST_S = 3.0, 0.08
_RELEASE_S: Final = 0.25
_DECAYS_BY_DB: Final = 240.0  # a second, where no note's end is heard
_SLOWEST_DB, _FASTEST_DB = 30.0, 600.0
_FLOOR_DB, _FAINT_DB = -110.0, -70.0  # partials further under the loudest are not played
_VELOCITY: Final = 100


@dataclass(frozen=True)
class Learned:
    """What one note is made of. partials: (partials, frames) and noise: (bands, frames), in dB against full scale,
    as at velocity 100, each `_HOP` frames; fades_db_s: how fast it dies away behind its end."""

    pitch: int
    partials: Floats
    noise: Floats
    fades_db_s: float


class AdditiveVoice:
    """Plays any note as the learned ones near it sound."""

    def __init__(self, learned: Sequence[Learned], slope_db: float, sample_rate: int) -> None:
        """learned: one at least. slope_db: by how much louder each step of velocity is."""
        self.sample_rate = sample_rate
        self._learned, self._slope_db = learned, slope_db
        self._bands = ratio_bands(2, _NOISE_FROM_HZ, _HIGHEST_HZ, sample_rate, 2 * _HOP)

    def sounding_until(self, note: Note) -> float:
        return note.offset_s + _RELEASE_S

    def play(self, notes: Sequence[Note], frames: int) -> Samples:
        played = np.zeros((2, frames), np.float32)
        for note in notes:
            start = round(note.onset_s * self.sample_rate)
            sound = self._sound(note)[: max(0, frames - start)]
            played[:, start : start + len(sound)] += sound
        return played

    def _sound(self, note: Note) -> npt.NDArray[np.float32]:
        rate = self.sample_rate
        count = round((note.duration_s + _RELEASE_S) * rate)
        partials, noise = self._levels(note, -(-count // _HOP) + 1)
        seconds = np.arange(count) / rate
        hertz = 440 * 2 ** ((note.pitch - 69 + bend_of(note, seconds)) / 12)
        phase = 2 * np.pi * np.cumsum(hertz) / rate
        at, frames = np.arange(count) / _HOP, np.arange(partials.shape[1])
        random = np.random.default_rng(note.pitch)
        sound = self._noise(noise, random)[:count]
        loudest = partials.max()
        for number, levels in enumerate(partials, start=1):
            if number * hertz[0] > min(_HIGHEST_HZ, 0.45 * rate) or levels.max() < loudest + _FAINT_DB:
                continue
            amplitude = np.interp(at, frames, 10 ** (levels / 20))
            sound += amplitude * np.sin(number * phase + random.uniform(0, 2 * np.pi))
        sound *= np.minimum(1.0, np.minimum(seconds, seconds[::-1]) / 0.003)
        return np.asarray(sound * gain_between(self._slope_db, _VELOCITY, note.velocity), np.float32)

    def _levels(self, note: Note, frames: int) -> tuple[Floats, Floats]:
        """Of partials and noise, (…, frames) in dB: the mean of the nearest notes, as long as this one."""
        nearest = sorted(self._learned, key=lambda one: abs(one.pitch - note.pitch))[:_NEAREST]
        weights = np.array([1 / (1 + abs(one.pitch - note.pitch)) for one in nearest])
        held = max(1, round(note.duration_s * self.sample_rate / _HOP))
        made = []
        for rows in ([one.partials for one in nearest], [one.noise for one in nearest]):
            lasting = [
                _lasting(levels, held, frames, one.fades_db_s * _HOP / self.sample_rate)
                for levels, one in zip(rows, nearest, strict=True)
            ]
            made.append(np.average(lasting, axis=0, weights=weights))
        return made[0], made[1]

    def _noise(self, levels: Floats, random: np.random.Generator) -> Floats:
        """Bands of noise at these levels, (frames × _HOP,)."""
        from scipy.fft import irfft

        lines = self._bands.sum(axis=0)
        power = (10 ** (levels / 10) / lines[:, None]).T @ self._bands.T  # of each line
        phases = np.exp(2j * np.pi * random.random(power.shape))
        window = np.sin(np.pi * (np.arange(2 * _HOP) + 0.5) / (2 * _HOP))
        # A line of amplitude a, in a real spectrum of n samples, is a sine of 2a/n.
        parts = irfft(np.sqrt(2 * power) * _HOP * phases, 2 * _HOP) * window
        sound = np.zeros((len(parts) + 1) * _HOP)
        for number, part in enumerate(parts):
            sound[number * _HOP : (number + 2) * _HOP] += part
        return sound[_HOP // 2 :]


def candidates(part: Part) -> Iterator[Candidate]:
    """The voice of a part with pitches, where there are notes to learn it from."""
    if part.stem == "drums":
        return
    learned = learn(part)
    if not learned:
        return
    voice = AdditiveVoice(learned, db_per_velocity(part, part.notes), part.sample_rate)
    yield Candidate(
        "additive", "additive voice", "the track's", "partials and noise of the stem's notes", voice, voice
    )


def learn(part: Part) -> list[Learned]:
    """From the notes that sound alone; where there are none, from those with the fewest beside them."""
    moments = moments_of(part.notes, part.recording.duration)
    slope = db_per_velocity(part, part.notes)
    able = [moment for moment in moments if moment.length_s >= _SHORTEST_S]
    able.sort(key=lambda moment: (len(moment.struck) + len(moment.held), -moment.length_s))
    by_pitch: dict[int, int] = {}
    learned: list[Learned] = []
    for moment in able:
        note = moment.struck[0]
        if by_pitch.get(note.pitch, 0) < _NEAREST and len(learned) < _LEARNED:
            by_pitch[note.pitch] = by_pitch.get(note.pitch, 0) + 1
            learned.append(_heard(part.recording, note, moment.length_s, moment.gap_s, slope))
    return learned


def _heard(recording: Recording, note: Note, length_s: float, gap_s: float, slope_db: float) -> Learned:
    from scipy.fft import rfft

    rate = recording.sample_rate
    start = round(note.onset_s * rate)
    held = round(min(length_s, _LONGEST_S) * rate)
    ring = round(min(gap_s - min(length_s, gap_s), _RELEASE_S) * rate) if length_s <= _LONGEST_S else 0
    sound = recording.read(start - _SIZE // 2, start + held + ring + _SIZE).mean(axis=0, dtype=np.float64)
    sound = np.pad(sound, (max(0, _SIZE // 2 - start), 2 * _SIZE))
    count = (held + ring) // _HOP + 1
    window = np.hanning(_SIZE + 1)[:-1]
    frames = np.lib.stride_tricks.sliding_window_view(sound, _SIZE)[: count * _HOP : _HOP]
    # Squares of amplitudes: what a sine has that lies on a line.
    power = np.square(np.abs(rfft(frames * window)) / (window.sum() / 2))
    seconds = np.arange(count) * _HOP / rate
    pitch = note.pitch + bend_of(note, seconds) + _tuning(power[: held // _HOP + 1], note.pitch, rate)
    lines = 440 * 2 ** ((pitch - 69) / 12) * _SIZE / rate
    numbers = np.arange(1, _PARTIALS + 1)
    at = np.round(numbers[:, None] * lines).astype(int)
    inside = at + 2 < power.shape[1]
    near = np.stack([power[np.arange(count), np.where(inside, at + off, 0)] for off in (-1, 0, 1)])
    partials = np.where(inside, near.max(axis=0), 0.0)
    tonal = np.zeros(power.shape, bool)
    for off in range(-3, 4):
        row, column = np.nonzero(inside)
        tonal[column, np.clip(at[row, column] + off, 0, power.shape[1] - 1)] = True
    bands = ratio_bands(2, _NOISE_FROM_HZ, min(_HIGHEST_HZ, rate / 2), rate, 2 * _HOP)
    edges = np.repeat(bands, _SIZE // (2 * _HOP), axis=0)[: power.shape[1]]
    edges = np.pad(edges, ((0, power.shape[1] - len(edges)), (0, 0)))
    free = np.maximum((~tonal) @ edges, 1e-9)
    # Noise spreads over the window's lines: 1.5 of them for Hann; half, as power is of a sine's square.
    noise = ((power * ~tonal) @ edges / free * edges.sum(axis=0) / 1.5 / 2).T
    louder = 20 * np.log10(gain_between(slope_db, note.velocity, _VELOCITY))
    levels = [10 * np.log10(np.maximum(each, 1e-11)) + louder for each in (partials, noise)]
    last = max(1, held // _HOP)
    fade = _DECAYS_BY_DB
    if ring >= 4 * _HOP:
        whole = 10 * np.log10(power.sum(axis=1) + 1e-12)[last:]
        fade = float(-np.polyfit(np.arange(len(whole)) * _HOP / rate, whole, 1)[0])
    return Learned(
        note.pitch, levels[0][:, :last], levels[1][:, :last], float(np.clip(fade, _SLOWEST_DB, _FASTEST_DB))
    )


def _tuning(power: Floats, pitch: int, rate: int) -> float:
    """By how many semitones a note is off its key: where its first partials are strongest, within 40 cents."""
    mean = power.mean(axis=0)
    offs = np.linspace(-0.4, 0.4, 17)
    numbers = np.arange(1, 9)
    lines = numbers * 440 * 2 ** ((pitch + offs[:, None] - 69) / 12) * _SIZE / rate
    found = np.interp(lines, np.arange(len(mean)), np.sqrt(mean)).sum(axis=1)
    return float(offs[found.argmax()])


def _lasting(levels: Floats, held: int, frames: int, fade_db: float) -> Floats:
    """(…, frames): the levels for `held` frames, going on from their end as they went there, then dying away."""
    count = levels.shape[1]
    at = np.arange(frames)
    lasting = levels[:, np.minimum(at, min(held, count) - 1)]
    half = levels[:, count // 2 :]
    if held > count and half.shape[1] >= 4:
        times = np.arange(half.shape[1]) - (half.shape[1] - 1) / 2
        slope = np.minimum(0.0, half @ times / (times @ times))
        lasting = lasting + slope[:, None] * np.clip(at - count + 1, 0, held - count)
    return np.maximum(lasting - fade_db * np.maximum(0, at - held), _FLOOR_DB)
