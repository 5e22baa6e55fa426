"""Risers, downlifters, impacts and reversed cymbals that a stem has and what plays its notes lacks.

Both are compared by what is steady in their spectra, as samples of what is played do not line up: the level of
noise in a third of an octave is told by the median of its lines, which partials that stand out of it do not move
(the power of a line of noise is exponentially distributed, its median ln 2 of its mean).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording
from resonate_resources.regeneration.decisions import StemName, Transition, TransitionKind
from resonate_resources.regeneration.likeness import stereo
from resonate_resources.signal.band_levels import ratio_bands

SEARCHED: Final[tuple[StemName, ...]] = ("other", "drums")
"""Stems that have noise which is in no note."""

Floats = npt.NDArray[np.float64]

_SIZE: Final = 4096
_HOP_S: Final = 0.05
_LOWEST_HZ, _HIGHEST_HZ, _PER_OCTAVE = 250.0, 16_000.0, 3
_LOW_HZ: Final = (25.0, 60.0)  # of an impact's boom, where other stems have no notes
_LONGEST_S: Final = 24.0  # of a riser: eight bars of four at 80 a minute
_AFTER_S: Final = 8.0  # likewise of what falls
_SHORTEST_S: Final = 0.8  # that can be heard of one of a second
_OFF_S: Final = 0.6  # a section of the analysis, of where it is
_SPAN: Final = 7  # frames of the running median: strokes are shorter
_RISE_DB: Final = 12.0
_DROP_DB: Final = 6.0  # at its end, within _DROP_S
_DROP_S: Final = 0.3
_DIP_DB: Final = 5.0  # on its way
_ENDED_DB: Final = 3.0  # under its loudest, from where on it is over
_PRESENT: Final = 0.03  # of the loudest band: bands softer than that tell nothing
_MOSTLY: Final = 0.6  # of what lacks is in bands of noise
_RANGE_DB: Final = 24.0  # under its loudest, in which it is followed
_STRAIGHT: Final = 0.93  # correlation of level and time
_NOISY_DB: Final = 3.0  # of all power over that of noise, at most
_SURELY: Final = 2.0  # of what is played is taken off: its noise lies within 3 dB
_CENTRES_HZ: Final = (60.0, 14_000.0)
_SWEPT: Final = 1.0  # octaves, from which on it is swept
_CYMBAL_HZ, _CYMBAL_S = 2500.0, 3.0
_FALLEN: Final = 1.5  # octaves
_UNHEARD: Final = 0.6  # of what is heard of it, that may be under the music
_BEGUN_S: Final = 0.3  # it is heard at, before it begins by the beats
_BOOM_DB: Final = 20.0  # over what was before, and what is played
_BEGUN_DB, _RINGS_DB = (
    6.0,
    12.0,
)  # under its loudest: from where on it is there; not for _BOOM_S, but after 1.5 s
_BOOM_S, _BOOM_LASTS_S = 0.3, 2.5
_SILENT_DB: Final = -70.0  # dBFS: under it nobody hears it beside music


def find_transitions(
    stem: StemName,
    original: Recording,
    played: Recording,
    sections_s: Sequence[float],
    beats_s: Sequence[float],
    downbeats_s: Sequence[float],
) -> list[Transition]:
    """What leads into each of those sections, or falls from it, and is lacking in what is played; by its start.

    Both recordings are of one rate and length. Sure ones only; of each section at most one of a kind. A riser and a
    reversed cymbal that end together are one riser. What begins under the music is taken to begin at a downbeat, or
    at a beat where no bar is known. Memory: of half a minute.
    """
    found: list[Transition] = []
    for section_s in sections_s:
        found += _at(stem, original, played, section_s, beats_s, downbeats_s)
    return sorted(found, key=lambda each: (each.start_s, each.kind))


@dataclass(frozen=True)
class _Noise:
    """(frames, bands), as power: all, and what of it is noise. low: (frames,), of the boom's band."""

    power: Floats
    noise: Floats
    low: Floats
    hertz: Floats

    def reversed(self) -> _Noise:
        return _Noise(self.power[::-1], self.noise[::-1], self.low[::-1], self.hertz)


@dataclass(frozen=True)
class _Rise:
    """Of a stretch, counted in frames: its first, and the first behind its end."""

    start: int
    end: int
    slope: float
    log_hz: float
    level_db: float
    course: Floats

    def hertz(self, frame: float) -> float:
        """The middle of its noise then, by the line through all that is heard."""
        return float(np.exp(self.log_hz + self.slope * (frame - self.start)).clip(*_CENTRES_HZ))

    def begun(self, begins: Sequence[float]) -> float:
        """Where it began, in frames: what is under the music is not heard, so that one of those frames from which
        on a power of time, and a sweep, would have come to what is heard; where none is near, where it is heard
        first."""
        heard = len(self.course)
        near = [each for each in begins if -_UNHEARD * heard <= each - self.start <= _BEGUN_S / _HOP_S]

        def off(begin: float) -> float:
            since = np.arange(self.start, self.start + heard) - begin
            at = since > 1
            terms = np.stack([np.ones(at.sum()), np.log10(since[at]), since[at]], axis=1)
            return float(np.linalg.lstsq(terms, self.course[at], rcond=None)[1].sum() / at.sum())

        return min(near, key=off, default=float(self.start))

    @property
    def swept(self) -> float:
        """By how many octaves, as far as it is heard."""
        return float(self.slope * (self.end - self.start) / np.log(2))


def _at(
    stem: StemName,
    original: Recording,
    played: Recording,
    section_s: float,
    beats_s: Sequence[float],
    downbeats_s: Sequence[float],
) -> Iterator[Transition]:
    origin_s = max(0.0, section_s - _LONGEST_S)
    until_s = min(original.duration, section_s + _AFTER_S)
    heard = _noise(original, origin_s, until_s)
    had = _noise(played, origin_s, until_s)
    place = round((section_s - origin_s) / _HOP_S)
    grid_s = downbeats_s if len(downbeats_s) else beats_s

    def told(
        kind: TransitionKind, start_s: float, end_s: float, from_hz: float, to_hz: float, level_db: float
    ) -> Transition:
        return Transition(
            stem=stem,
            kind=kind,
            start_s=round(max(0.0, start_s), 3),
            end_s=round(min(end_s, original.duration), 3),
            from_hz=round(from_hz),
            to_hz=round(to_hz),
            level_db=round(level_db, 1),
        )

    if rise := _rise(heard, had, place):
        end_s = origin_s + rise.end * _HOP_S
        begins = [(each - origin_s) / _HOP_S for each in grid_s]
        begun = rise.begun(begins)
        start_s = origin_s + begun * _HOP_S
        kind = _kind(rise, end_s - start_s)
        yield told(kind, start_s, end_s, rise.hertz(begun), rise.hertz(rise.end), rise.level_db)
    if stem == "drums":  # whose cymbals fall, too, and darken as they do
        return
    frames = len(heard.power)
    fall = _rise(heard.reversed(), had.reversed(), frames - place)
    if fall and fall.swept >= _FALLEN:
        start_s = origin_s + (frames - fall.end) * _HOP_S
        ends = [frames - (each - origin_s) / _HOP_S for each in grid_s]
        begun = fall.begun(ends)
        end_s = origin_s + (frames - begun) * _HOP_S
        yield told("downlifter", start_s, end_s, fall.hertz(fall.end), fall.hertz(begun), fall.level_db)
    if (boom := _boom(heard, had, place)) is not None:
        start_s = origin_s + boom[0] * _HOP_S
        yield told("impact", start_s, start_s + _BOOM_LASTS_S, *_LOW_HZ[::-1], boom[1])


def _kind(rise: _Rise, length_s: float) -> TransitionKind:
    cymbal = rise.swept < _SWEPT and rise.hertz(rise.start) > _CYMBAL_HZ and length_s <= _CYMBAL_S
    return "reverse_cymbal" if cymbal else "riser"


def _noise(recording: Recording, from_s: float, to_s: float) -> _Noise:
    """Power against full scale, mean of both channels."""
    from scipy.fft import rfft
    from scipy.ndimage import median_filter

    rate = recording.sample_rate
    hop = round(_HOP_S * rate)
    first, stop = round(from_s * rate), min(recording.frames, round(to_s * rate))
    sound = np.pad(stereo(recording.read(first, stop)), ((0, 0), (_SIZE // 2, _SIZE)))
    window = np.hanning(_SIZE + 1)[:-1].astype(np.float32)
    bands = ratio_bands(_PER_OCTAVE, _LOWEST_HZ, min(_HIGHEST_HZ, rate / 2), rate, _SIZE)
    count = (stop - first) // hop + 1
    lines = np.arange(len(bands)) * rate / _SIZE
    boom = (lines >= _LOW_HZ[0]) & (lines <= _LOW_HZ[1])
    edges = [np.flatnonzero(band) for band in bands.T]
    power, noise = np.zeros((2, count, len(edges)))
    low = np.zeros(count)
    for channel in sound:
        frames = np.lib.stride_tricks.sliding_window_view(channel, _SIZE)[::hop][:count]
        spectra = (
            np.square(np.abs(rfft(frames * window))) / (np.square(window).sum() * rate / 2) * rate / _SIZE
        )
        low += spectra[:, boom].sum(axis=1) / 2
        for band, place in enumerate(edges):
            of_band = spectra[:, place[0] : place[-1] + 1]
            power[:, band] += of_band.sum(axis=1) / 2
            noise[:, band] += np.median(of_band, axis=1) / np.log(2) * len(place) / 2
    hertz = np.array([lines[place].mean() for place in edges])
    still = [np.asarray(median_filter(each, (_SPAN, 1)), np.float64) for each in (power, noise)]
    return _Noise(still[0], still[1], low, hertz)


def _rise(heard: _Noise, had: _Noise, place: int) -> _Rise | None:
    """Noise that grows until about that frame, and ends there."""
    lacking = np.maximum(0, heard.noise - _SURELY * had.noise)
    level = _db(lacking.sum(axis=1))
    off, drop = round(_OFF_S / _HOP_S), round(_DROP_S / _HOP_S)
    around = level[max(0, place - off) : place + off + 1]
    if not around.size or around.max() < _SILENT_DB:
        return None
    end = max(0, place - off) + int(around.argmax())
    peak = level[end]
    while end < len(level) and level[end] > peak - _ENDED_DB:
        end += 1
    if end < _SHORTEST_S / _HOP_S:
        return None
    top = slice(max(0, end - 10), end - 2)
    loud, after = lacking[top].mean(axis=0), lacking[end + 2 : end + 2 + drop]
    if not len(after) or not loud.any():
        return None
    masked_db = _db(heard.power[top].mean(axis=0)) - _db(heard.noise[top].mean(axis=0))
    noisy = (loud > _PRESENT * loud.max()) & (masked_db < _NOISY_DB)
    ended_db = _db(loud[noisy].sum()) - _db(after[:, noisy].mean(axis=0).sum())
    if loud[noisy].sum() < _MOSTLY * loud.sum() or ended_db < _DROP_DB:
        return None
    start, lowest = end - 2, peak
    while start > 0 and level[start - 1] > peak - _RANGE_DB and level[start - 1] < lowest + _DIP_DB:
        start -= 1
        lowest = min(lowest, level[start])
    course = level[start : end - 2]
    grows = (
        len(course) >= _SHORTEST_S / _HOP_S
        and course[-5:].mean() - course[:5].mean() >= _RISE_DB
        and np.corrcoef(course, np.arange(len(course)))[0, 1] >= _STRAIGHT
    )
    if not grows:
        return None
    heard_in = lacking[start : end - 2]
    centres = heard_in @ np.log(heard.hertz) / heard_in.sum(axis=1)
    slope, at_start = np.polyfit(np.arange(len(centres)), centres, 1)
    return _Rise(start, end, float(slope), float(at_start), float(_db(loud.sum())), course)


def _boom(heard: _Noise, had: _Noise, place: int) -> tuple[int, float] | None:
    """The frame at which a low boom that rings begins near that one, and its level in dB."""
    off, rung = round(_OFF_S / _HOP_S), round(_BOOM_S / _HOP_S)
    low = _db(heard.low)
    around = low[max(0, place - off) : place + off + 1]
    if not around.size:
        return None
    at = max(0, place - off) + int(np.argmax(around > around.max() - _BEGUN_DB))
    if at < 2 * rung or at + 6 * rung > len(low) or around.max() < _SILENT_DB:
        return None
    peak, later = around.max(), low[at + 5 * rung : at + 6 * rung].mean()
    jumps_db = peak - low[at - 2 * rung : at - 2].max()
    lasts = low[at + 3 : at + 3 + rung].min() > peak - _RINGS_DB
    lacks_db = peak - _db(had.low[at - 2 : at + rung].max())
    if min(jumps_db, lacks_db) < _BOOM_DB or not lasts or peak - later < _RINGS_DB:
        return None
    return at, float(_db(heard.low[at : at + rung].mean()))


def _db(power: npt.ArrayLike) -> Any:
    return 10 * np.log10(np.maximum(power, 1e-12))
