"""A voice cut at its onsets: pieces that a sampler plays.

Where a piece begins is found twice: in levels of bands, where all that begins rises, and there in the envelope, to
the millisecond.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from resonate_resources.recipe import Json
from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.recordings.tempo_map import TICKS_PER_BEAT, TempoMap
from resonate_resources.signal.band_levels import band_levels, ratio_bands
from resonate_resources.signal.onsets import find_onsets, onset_strength
from resonate_resources.signal.pitch_track import HOP as PITCH_HOP
from resonate_resources.signal.pitch_track import SAMPLE_RATE as PITCH_RATE
from resonate_resources.signal.pitch_track import PitchTrack, pitch_track

_RATE, _FRAME, _HOP = 22_050, 1024, 256
_LOWEST_HZ, _HIGHEST_HZ, _BANDS_PER_OCTAVE = 100.0, 8000.0, 3
_FLOOR_DB = -50.0  # against the loudest band: what is quieter is no level to rise from
_SILENCE_DB = -70.0  # of full scale: BS.1770's absolute gate
_GAP, _LOUDEST_OF, _MEAN_OF = 2, 3, 5
_RISE_DB = 4.0
_APART_S = 0.1  # two syllables

_LOUD_PERCENTILE = 95
_GATE_DB = (
    -40.0
)  # against the voice where it is loud: what is quieter has ended, or is what other stems left in it
_ENDED_S = 0.06  # so long under the gate: shorter is a closed lip
_RELEASE_S = 0.03  # after the gate
_BEFORE_ONSET_S = 0.005
_SHORTEST_S, _LONGEST_S = 0.06, 30.0
_FADE_IN_S, _FADE_OUT_S = 0.003, 0.01
_SEARCH_BEFORE_S, _SEARCH_AFTER_S = 0.06, 0.04
_FOOT = 0.1  # of the level that follows: −20 dB

_SUNG_HZ = 65.0, 1100.0  # a bass's C2 to a soprano's C6
_VOICED = 0.35  # of a piece, and it has a pitch


@dataclass(frozen=True)
class Chop:
    """Frames of a recording, end excluded; the onset lies in it, after the fade. hertz: None without a pitch."""

    start: int
    onset: int
    end: int
    hertz: float | None


def find_chops(stem: Recording) -> list[Chop]:
    """The pieces of a stem, in order, none into the next; none of silence. Keeps 30 MB an hour."""
    envelope, loud_db = _envelope(stem)
    if loud_db < _SILENCE_DB:
        return []
    gate = 10 ** (max(loud_db + _GATE_DB, _SILENCE_DB) / 20)
    onsets = [
        onset for onset in _onsets(stem, envelope) if envelope[onset : onset + 100].max(initial=0) >= gate
    ]
    rate = stem.sample_rate
    track = pitch_track(stem, *_SUNG_HZ)
    chops = []
    for onset, following in pairwise([*onsets, len(envelope)]):
        end_ms = _end(envelope, onset, following, gate)
        if end_ms - onset < _SHORTEST_S * 1000:
            continue
        start = max(0, round((onset / 1000 - _BEFORE_ONSET_S) * rate))
        end = min(round(end_ms / 1000 * rate), stem.frames, start + round(_LONGEST_S * rate))
        if following < len(envelope):
            end = min(end, round((following / 1000 - _BEFORE_ONSET_S) * rate))
        chops.append(Chop(start, round(onset / 1000 * rate), end, _pitch(track, onset / 1000, end / rate)))
    return chops


def cut(stem: Recording, chop: Chop) -> Samples:
    """(channels, frames), faded in and out by raised cosines."""
    samples = stem.read(chop.start, chop.end)
    for seconds, side in ((_FADE_IN_S, slice(None)), (_FADE_OUT_S, slice(None, None, -1))):
        count = min(round(seconds * stem.sample_rate), samples.shape[1])
        ramp = 0.5 - 0.5 * np.cos(np.pi * np.arange(count) / count)
        samples[:, side][:, :count] *= ramp.astype(np.float32)
    return samples


def chop_name(number: int, digits: int, chop: Chop, sample_rate: int, names: Sequence[str]) -> str:
    """`Chop_012_A4_01m23.456s.wav`. names: of the twelve pitch classes, as `pitch_names` gives them."""
    milliseconds = round(chop.onset / sample_rate * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return (
        f"Chop_{number:0{digits}d}_{pitch_name(chop.hertz, names)}_"
        f"{minutes:02d}m{rest // 1000:02d}.{rest % 1000:03d}s.wav"
    )


def pitch_name(hertz: float | None, names: Sequence[str]) -> str:
    """In scientific pitch notation, A4 at 440 Hz; "unpitched"."""
    if hertz is None:
        return "unpitched"
    key = round(69 + 12 * math.log2(hertz / 440))
    name = names[key % 12]
    return f"{name}{(key - name.count('#') + name.count('b')) // 12 - 1}"


def told(chop: Chop, sample_rate: int, tempo: TempoMap, names: Sequence[str]) -> dict[str, Json]:
    """A piece against the grid, in JSON's types. ahead_ms: from its onset to the step nearest to it, positive where
    it comes first; it keeps its feel where its onset is put so far before the step."""
    start_s, onset_s, end_s = (frame / sample_rate for frame in (chop.start, chop.onset, chop.end))
    seconds: dict[str, Json] = {
        "start_s": round(start_s, 4),
        "onset_s": round(onset_s, 4),
        "end_s": round(end_s, 4),
        "pitch": pitch_name(chop.hertz, names),
        "hertz": None if chop.hertz is None else round(chop.hertz, 2),
    }
    if not tempo.known:
        return seconds | dict.fromkeys(("bar", "beat", "step_s", "ahead_ms", "length_quarters"))
    step = tempo.quantised(tempo.tick(onset_s))
    bar, beat = tempo.place(step)
    return seconds | {
        "bar": bar,
        "beat": round(beat, 4),
        "step_s": round(tempo.second(step), 4),
        "ahead_ms": round(1000 * (tempo.second(step) - onset_s), 1),
        "length_quarters": round((tempo.tick(end_s) - tempo.tick(onset_s)) / TICKS_PER_BEAT, 4),
    }


def _envelope(stem: Recording) -> tuple[npt.NDArray[np.float32], float]:
    """RMS of all channels by milliseconds, and the level of the loud ones in dB of full scale."""
    rms = np.sqrt(np.concatenate([*_powers(stem), np.zeros(1, np.float32)]))
    sounding = rms[rms > 10 ** (_SILENCE_DB / 20)]
    loud = float(np.percentile(sounding, _LOUD_PERCENTILE)) if len(sounding) else 0.0
    return rms, 20 * math.log10(max(loud, 1e-9))


def _powers(stem: Recording) -> Iterator[npt.NDArray[np.float32]]:
    """Each millisecond's begins with the sample next to it, whatever the rate."""
    for block in stem.blocks(stem.sample_rate):
        power = np.square(block, dtype=np.float64).mean(axis=0)
        edges = np.round(np.arange(1001) / 1000 * stem.sample_rate).astype(int)
        edges = np.unique(np.minimum(edges, len(power)))
        yield (np.add.reduceat(power, edges[:-1]) / np.diff(edges)).astype(np.float32)


def _onsets(stem: Recording, envelope: npt.NDArray[np.float32]) -> list[int]:
    """Milliseconds, rising."""
    highest = min(_HIGHEST_HZ, 0.45 * stem.sample_rate)
    bands = ratio_bands(_BANDS_PER_OCTAVE, _LOWEST_HZ, highest, _RATE, _FRAME)
    levels = band_levels(stem, bands, _RATE, _HOP)
    floor = max(float(levels.max()) + _FLOOR_DB, _SILENCE_DB)
    strength = onset_strength(levels, floor, gap=_GAP, loudest_of=_LOUDEST_OF, mean_of=_MEAN_OF)
    frames = find_onsets(strength, _RISE_DB, round(_APART_S * _RATE / _HOP))
    heard = ((frames - _GAP / 2) * (_HOP / _RATE)).clip(min=0)
    return sorted({_foot(envelope, float(second)) for second in heard})


def _foot(envelope: npt.NDArray[np.float32], second: float) -> int:
    """The millisecond from which the level rises; where a voice goes on, that in which it is least."""
    start = max(0, round((second - _SEARCH_BEFORE_S) * 1000))
    around = envelope[start : round((second + _SEARCH_AFTER_S) * 1000) + 1]
    if not len(around):
        return min(start, len(envelope) - 1)
    top = int(around.argmax())
    quiet = np.flatnonzero(around[: top + 1] < _FOOT * around[top])
    return start + (int(quiet[-1]) + 1 if len(quiet) else int(around[: top + 1].argmin()))


def _end(envelope: npt.NDArray[np.float32], onset: int, following: int, gate: float) -> int:
    """The millisecond at which what begins at an onset has ended, at the latest where the next begins."""
    quiet = 0
    for at, level in enumerate(envelope[onset:following].tolist()):
        quiet = quiet + 1 if level < gate else 0
        if quiet >= _ENDED_S * 1000 and at >= quiet:
            return min(onset + at - quiet + round(_RELEASE_S * 1000), following)
    return following


def _pitch(track: PitchTrack, start_s: float, end_s: float) -> float | None:
    hop_s = PITCH_HOP / PITCH_RATE
    hertz = track.hertz[round(start_s / hop_s) : max(round(end_s / hop_s), round(start_s / hop_s) + 1)]
    voiced = hertz[hertz > 0]
    return float(np.median(voiced)) if len(voiced) > _VOICED * len(hertz) else None
