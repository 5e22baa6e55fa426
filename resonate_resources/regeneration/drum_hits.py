"""Drums played by their own strokes: the hits, filters and levels that together sound most like the stem.

By search, not by rule: which stroke of a drum is clean can't be told from a mixture of drums, but what all drums
sound like together can be compared with it. Spectrograms of different drums are added by power.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from resonate_resources.instruments.instrument import PlayedNote
from resonate_resources.instruments.playing import play_excerpt
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.regeneration.candidate import Candidate, Part
from resonate_resources.regeneration.common_sound import Magnitudes, common_magnitudes, only_common
from resonate_resources.regeneration.comparison_excerpts import choose_excerpts
from resonate_resources.regeneration.likeness import Powers, distance_db, mel_powers
from resonate_resources.regeneration.velocities import db_per_velocity, gain_between

_HITS: Final = 4
"""Of each drum: they take turns."""
_TRIED: Final = 6
_LONGEST_S, _BEFORE_S, _FADE_S = 2.5, 0.004, 0.012
_TOGETHER_S: Final = 0.03  # strokes of one moment
_COMPARED: Final = 32  # strokes that are asked for what they share
_SHARED_S: Final = 1.2  # behind a stroke; what rings longer than others let it is hardly known
_USUAL_VELOCITY: Final = 100
_ENOUGH_S: Final = 0.6  # alone; longer is no better
_SEARCHED_S: Final = 30
_GAINS_DB: Final = (-6.0, -3.0, 0.0, 3.0)
_ROUNDS: Final = 3
_SHORTEST_FILTERED: Final = 64  # frames: shorter than a filter's own padding
_NEAR_DB: Final = 0.1  # of the whole: hits that cost no more take turns with the best

# What of a stroke is the drum's own where others sound with it, in Hz.
Band = tuple[float, float] | Literal["common"] | None
_KICK: Final[tuple[Band, ...]] = (None, (0.0, 180.0), (0.0, 2500.0))
_SNARE: Final[tuple[Band, ...]] = (None, (120.0, 9000.0), (400.0, 20_000.0))
_TOM: Final[tuple[Band, ...]] = (None, (50.0, 600.0), (50.0, 3000.0))
_METAL: Final[tuple[Band, ...]] = (None, (2000.0, 20_000.0), (6000.0, 20_000.0))
_BANDS: Final[Mapping[int, tuple[Band, ...]]] = {
    **dict.fromkeys((35, 36), _KICK),
    **dict.fromkeys((37, 38, 39, 40), _SNARE),
    **dict.fromkeys((41, 43, 45, 47, 48, 50), _TOM),
}
HI_HATS: Final = frozenset({42, 44, 46})
"""Keys of one pair of cymbals: each stroke ends the one before."""


@dataclass(frozen=True)
class Hit:
    """A stroke that was recorded: when, how long until another one, how long until this drum is struck again, and
    how hard."""

    start_s: float
    length_s: float
    rings_s: float
    velocity: int


@dataclass(frozen=True, eq=False)
class Drum:
    """hits: the best first, of which as many as `turns` are played in turn. slope_db: louder by that for each step
    of velocity. common: what all strokes of the drum share, at velocity 100. band: what is kept of the hits, in Hz
    or what is common; gain_db: on top of their level."""

    hits: tuple[Hit, ...]
    slope_db: float
    common: Magnitudes | None = None
    turns: int = 1
    band: Band = None
    gain_db: float = 0.0


class DrumHits:
    """A kit of recorded strokes, each drum's in turn."""

    def __init__(
        self,
        recording: Recording,
        notes: Sequence[Note],
        drums: Mapping[int, Drum],
        *,
        leaving_out: bool = False,
    ) -> None:
        """recording: of two channels. notes: the part's."""
        self.sample_rate = recording.sample_rate
        self._recording, self._drums = recording, drums
        self._cut: dict[tuple[Hit, Band], Samples] = {}
        self._hit: dict[tuple[float, int], Hit] = {}
        self._next: dict[tuple[float, int], float] = {}
        turns: dict[int, int] = {}
        last: dict[int, tuple[float, int]] = {}
        for note in notes:
            place = note.onset_s, note.pitch
            drum = drums.get(note.pitch)
            if drum is not None:
                others = [hit for hit in drum.hits if abs(hit.start_s - note.onset_s) > _TOGETHER_S]
                in_turn = [hit for hit in drum.hits[: drum.turns] if not leaving_out or hit in others]
                if in_turn or others:
                    turn = turns[note.pitch] = turns.get(note.pitch, -1) + 1
                    self._hit[place] = in_turn[turn % len(in_turn)] if in_turn else others[0]
            group = 42 if note.pitch in HI_HATS else note.pitch
            if group in last:
                self._next[last[group]] = note.onset_s
            last[group] = place

    def copies(self) -> tuple[tuple[float, float], ...]:
        """When a stroke is its own recording, in s."""
        return tuple(
            (onset, onset + hit.length_s)
            for (onset, _), hit in sorted(self._hit.items())
            if abs(hit.start_s - onset) <= 1e-6
        )

    def sounding_until(self, note: Note) -> float:
        return note.onset_s + _LONGEST_S

    def play(self, notes: Sequence[Note], frames: int) -> Samples:
        played = np.zeros((2, frames), np.float32)
        for note in notes:
            place = note.part_s if isinstance(note, PlayedNote) else note.onset_s, note.pitch
            hit = self._hit.get(place)
            if hit is None:
                continue
            drum = self._drums[note.pitch]
            sound = self._sound(hit, drum)
            if place in self._next:
                sound = _ended(
                    sound, round((self._next[place] - place[0]) * self.sample_rate), self.sample_rate
                )
            gain = 10 ** (drum.gain_db / 20) * gain_between(drum.slope_db, hit.velocity, note.velocity)
            start = round((note.onset_s - _BEFORE_S) * self.sample_rate)
            skipped = max(0, -start)
            sound = sound[:, skipped : skipped + max(0, frames - start - skipped)]
            start += skipped
            played[:, start : start + sound.shape[1]] += np.float32(gain) * sound
        return played

    def _sound(self, hit: Hit, drum: Drum) -> Samples:
        key = hit, drum.band
        if key not in self._cut:
            self._cut[key] = stroke(self._recording, hit, drum)
        return self._cut[key]


def stroke(recording: Recording, hit: Hit, drum: Drum) -> Samples:
    """(2, frames): what is kept of a hit, from just before it until it has faded out; without the drum's gain."""
    if drum.band == "common" and drum.common is not None:
        sound = _recorded(recording, hit.start_s, hit.rings_s)
        usual = drum.common * np.float32(gain_between(drum.slope_db, _USUAL_VELOCITY, hit.velocity))
        sound = only_common(sound, usual)
    else:
        sound = _recorded(recording, hit.start_s, hit.length_s)
        if isinstance(drum.band, tuple):
            sound = _filtered(sound, drum.band, recording.sample_rate)
    return _faded(sound, recording.sample_rate)


def _recorded(recording: Recording, start_s: float, length_s: float) -> Samples:
    """From just before the stroke."""
    start = round((start_s - _BEFORE_S) * recording.sample_rate)
    sound = recording.read(start, start + round((length_s + _BEFORE_S) * recording.sample_rate))
    return np.pad(sound, ((0, 0), (max(0, -start), 0)))


def candidates(part: Part) -> Iterator[Candidate]:
    """The kit that the search finds; none of other parts."""
    if part.stem != "drums" or not part.notes:
        return
    found = kit(part)
    whole = DrumHits(part.recording, part.notes, found)
    yield Candidate(
        "sampler",
        "drum hits",
        "the track's",
        "strokes of the stem",
        whole,
        DrumHits(part.recording, part.notes, found, leaving_out=True),
        {
            str(pitch): {
                "hits_s": [round(hit.start_s, 3) for hit in drum.hits[: drum.turns]],
                "kept": "all"
                if drum.band is None
                else drum.band
                if drum.band == "common"
                else list(drum.band),
                "gain_db": drum.gain_db,
            }
            for pitch, drum in found.items()
        },
        whole.copies(),
    )


def kit(part: Part) -> dict[int, Drum]:
    """The drums of a part with notes, by their keys, as the search finds them."""
    return searched(
        part, {pitch: _drum(part, pitch) for pitch in sorted({note.pitch for note in part.notes})}
    )


def _drum(part: Part, pitch: int) -> Drum:
    """The hits to be tried, and what all strokes of the drum have in common."""
    slope = db_per_velocity(part, [note for note in part.notes if note.pitch == pitch])
    hits = best_hits(part.notes, pitch, part.recording.duration)
    longest = sorted(hits, key=lambda hit: -hit.rings_s)[:_COMPARED]
    strokes = (
        _recorded(part.recording, hit.start_s, min(hit.rings_s, _SHARED_S))
        * np.float32(gain_between(slope, hit.velocity, _USUAL_VELOCITY))
        for hit in longest
    )
    return Drum(hits[:_TRIED], slope, common_magnitudes(strokes))


def best_hits(notes: Sequence[Note], pitch: int, duration_s: float) -> tuple[Hit, ...]:
    """Strokes of that drum, first those with the fewest others in the same moment and the longest until another."""
    onsets = np.array([note.onset_s for note in notes])
    own = np.array([note.onset_s for note in notes if note.pitch == pitch])
    ranked: list[tuple[float, Hit]] = []
    for note in notes:
        if note.pitch != pitch:
            continue
        with_it = int((np.abs(onsets - note.onset_s) <= _TOGETHER_S).sum()) - 1
        after = onsets[onsets > note.onset_s + _TOGETHER_S]
        alone = (float(after[0]) if len(after) else duration_s) - note.onset_s - 2 * _BEFORE_S
        length = min(alone, _LONGEST_S, duration_s - note.onset_s)
        if length > 0:
            worth = min(length, _ENOUGH_S) / _ENOUGH_S - 0.5 * with_it + note.velocity / 254
            again = own[own > note.onset_s]
            rings = (float(again[0]) if len(again) else duration_s) - note.onset_s - 2 * _BEFORE_S
            hit = Hit(note.onset_s, length, max(length, min(rings, _LONGEST_S)), note.velocity)
            ranked.append((-worth, hit))
    return tuple(hit for _, hit in sorted(ranked, key=lambda one: one[0]))


def searched(part: Part, drums: Mapping[int, Drum]) -> dict[int, Drum]:
    """Coordinate descent: of each drum in turn the hit, band and level with which all together are nearest; and how
    many of its other hits do nearly as well. On half a minute of the part."""
    rate = part.sample_rate
    spans = _within(choose_excerpts(part.notes, rate, part.recording.frames), _SEARCHED_S * rate)
    original = np.concatenate([mel_powers(iter([part.recording.read(*span)]), rate) for span in spans])
    gains = 10 ** (np.array(_GAINS_DB) / 10)

    def powers(pitch: int, hit: Hit, band: Band) -> Powers:
        kit = DrumHits(
            part.recording, part.notes, {pitch: replace(drums[pitch], hits=(hit,), turns=1, band=band)}
        )
        notes = [note for note in part.notes if note.pitch == pitch]
        played = (play_excerpt(kit, notes, *span) for span in spans)
        return np.concatenate([mel_powers(iter([each]), rate) for each in played])

    def bands(pitch: int) -> tuple[Band, ...]:
        return (*_BANDS.get(pitch, _METAL), *(() if drums[pitch].common is None else ("common",)))

    alone = {
        (pitch, hit, band): powers(pitch, hit, band)
        for pitch, drum in drums.items()
        for hit in drum.hits
        for band in bands(pitch)
    }
    chosen: dict[int, tuple[Hit, Band, float]] = {
        pitch: (drum.hits[0], None, 1.0) for pitch, drum in drums.items()
    }
    found = dict(drums)
    for _ in range(_ROUNDS):
        before = dict(chosen)
        for pitch, drum in drums.items():
            others = np.zeros_like(original)
            for other, (hit, band, gain) in chosen.items():
                if other != pitch:
                    others += np.float32(gain) * alone[other, hit, band]
            distances = {
                (hit, band, float(gain)): distance_db(
                    original, others + np.float32(gain) * alone[pitch, hit, band]
                )
                for hit in drum.hits
                for band in bands(pitch)
                for gain in gains
            }
            best = min(distances, key=lambda option: distances[option])
            chosen[pitch] = best
            ranked = sorted(drum.hits, key=lambda hit: distances[hit, *best[1:]])
            near = [hit for hit in ranked if distances[hit, *best[1:]] <= distances[best] + _NEAR_DB]
            found[pitch] = replace(
                drum,
                hits=tuple(ranked),
                turns=min(_HITS, len(near)),
                band=best[1],
                gain_db=10 * float(np.log10(best[2])),
            )
        if chosen == before:
            break
    return found


def _within(spans: Sequence[tuple[int, int]], frames: int) -> list[tuple[int, int]]:
    """The same number of spans, shortened so that together they are no longer than that."""
    most = frames // len(spans)
    return [(start, min(stop, start + most)) for start, stop in spans]


def _filtered(sound: Samples, band: tuple[float, float], sample_rate: int) -> Samples:
    from scipy.signal import butter, sosfiltfilt

    if sound.shape[1] < _SHORTEST_FILTERED:
        return sound
    low, high = band
    filters = []
    if low > 0:
        filters.append(butter(2, low, "highpass", fs=sample_rate, output="sos"))
    if high < 0.45 * sample_rate:
        filters.append(butter(2, high, "lowpass", fs=sample_rate, output="sos"))
    return np.asarray(sosfiltfilt(np.concatenate(filters), sound), np.float32)


def _faded(sound: Samples, sample_rate: int) -> Samples:
    before, fade = round(_BEFORE_S * sample_rate), round(_FADE_S * sample_rate)
    sound = sound.copy()
    rise = sound[:, :before]
    rise *= np.linspace(0, 1, rise.shape[1], dtype=np.float32)
    fall = sound[:, -fade:]
    fall *= np.linspace(1, 0, fall.shape[1], dtype=np.float32)
    return sound


def _ended(sound: Samples, frames: int, sample_rate: int) -> Samples:
    """The sound up to there, faded out."""
    if sound.shape[1] <= frames:
        return sound
    fade = min(round(_FADE_S * sample_rate), frames)
    ended = sound[:, :frames].copy()
    ended[:, frames - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return ended
