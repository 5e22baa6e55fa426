"""How like two recordings are as music, section by section: in sound, harmony, tempo and groove.

Not whether they are one recording, which a fingerprint tells. The measure and what it was calibrated on:
docs/composing.md, "How like a reference".
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.band_levels import band_levels, mel_bands, ratio_bands
from resonate_resources.signal.onsets import find_onsets, onset_strength

Floats = npt.NDArray[np.float64]

_RATE: Final = 22050
_FRAME, _HOP = 1024, 256  # a frame every 11.6 ms
_BANDS: Final = 64
_LOWEST_HZ, _HIGHEST_HZ = 30.0, 10_000.0
_RANGE_DB: Final = 60.0  # what is further under the loudest band is as good as silent
_CHROMA_FRAME, _CHROMA_HOP = 8192, 4096
_CHROMA_HZ: Final = (440 * 2 ** (-21.5 / 12), 440 * 2 ** (26.5 / 12))  # C3 to B6, a quarter tone around
_CELLS: Final = 4  # of a beat
_BEATS: Final = 4  # that a groove is folded over
_DRUM_BANDS: Final = ((0, 8), (8, 40), (40, _BANDS))  # of the mel bands: up to 290 Hz, to 3.6 kHz, above
_GAP: Final = 4  # frames, 46 ms, over which an onset rises
_RISE_DB, _OF_STRONG, _APART = (
    2.0,
    0.15,
    5,
)  # of an onset at least, mean over bands, and against strong ones; frames
_STRONG_PERCENTILE: Final = 98
_KEY_SECTIONS: Final = 3
_LONGEST_S: Final = 30.0  # that is heard of a section
_SHORTEST_S: Final = 2.0


_WEIGHTS: Final[Mapping[str, float]] = {"sound": 0.4, "harmony": 0.2, "tempo": 0.2, "groove": 0.2}
_SOUND_DB: Final = 5.0
_TEMPO_OCTAVES: Final = 0.1
_OTHER_COUNT: Final = 0.05  # octaves, that twice or half the tempo are away from it
_GROOVE: Final = (0.2, 0.9)  # correlations that count as none and as all


class Span(Protocol):
    """A section; those of one label are the same music."""

    @property
    def start_s(self) -> float: ...
    @property
    def end_s(self) -> float: ...
    @property
    def label(self) -> str: ...


@dataclass(frozen=True)
class Passage:
    """Of one section. spectrum: (64,) level of the mean power by mel band, in dB, their mean 0. chroma: (12,) from
    C, of length 1, the mean taken off; zeros where there is no pitch. groove: (3, 16) rises in dB by band on the
    sixteenths of four beats, the mean of each band taken off; None without a beat."""

    seconds: float
    spectrum: Floats
    chroma: Floats
    groove: Floats | None
    tempo_bpm: float | None
    onsets_a_second: float


def key_sections(sections: Iterable[Span]) -> list[tuple[float, float]]:
    """Start and end of the longest section of each label, in seconds: of the three labels that last longest, in
    order of time; what is heard of one is its middle, at most half a minute."""
    by_label: defaultdict[str, list[Span]] = defaultdict(list)
    for section in sections:
        by_label[section.label].append(section)
    lasting = sorted(by_label.values(), key=lambda own: -sum(each.end_s - each.start_s for each in own))
    chosen = [max(own, key=lambda each: each.end_s - each.start_s) for own in lasting[:_KEY_SECTIONS]]
    spans = []
    for section in sorted(chosen, key=lambda each: each.start_s):
        spare = max(0.0, section.end_s - section.start_s - _LONGEST_S) / 2
        spans.append((section.start_s + spare, section.end_s - spare))
    long = [span for span in spans if span[1] - span[0] >= _SHORTEST_S]
    return long or spans


def hear_passages(
    recording: Recording,
    spans: Sequence[tuple[float, float]],
    beats_s: Sequence[float],
    tempo_bpm: float | None,
) -> list[Passage]:
    """beats_s: rising, none where no beat is heard. Keeps 22 kB a second of the recording."""
    mel = mel_bands(_BANDS, _LOWEST_HZ, _HIGHEST_HZ, _RATE, _FRAME)
    levels = band_levels(recording, mel, _RATE, _HOP)
    pitches = ratio_bands(12, *_CHROMA_HZ, _RATE, _CHROMA_FRAME)
    tones = band_levels(recording, pitches, _RATE, _CHROMA_HOP)
    beats = np.asarray(beats_s, np.float64)
    passages = []
    for start, end in spans:
        own = levels[round(start * _RATE / _HOP) : round(end * _RATE / _HOP)]
        sung = tones[round(start * _RATE / _CHROMA_HOP) : max(1, round(end * _RATE / _CHROMA_HOP))]
        inside = beats[(beats >= start) & (beats < end)] - start
        if len(own) and len(sung):
            passages.append(_passage(own.astype(np.float64), sung.astype(np.float64), inside, tempo_bpm))
    return passages


def _passage(levels: Floats, tones: Floats, beats_s: Floats, tempo_bpm: float | None) -> Passage:
    mean_db = 10 * np.log10(np.mean(10 ** (levels / 10), axis=0))
    floor = float(mean_db.max()) - _RANGE_DB
    heard = np.maximum(levels, floor)
    spectrum = np.maximum(mean_db, floor)
    seconds = len(levels) * _HOP / _RATE
    bands = heard.astype(np.float32)
    rises = [onset_strength(bands[:, low:high], floor, gap=2) for low, high in _DRUM_BANDS]
    every = onset_strength(bands, floor, gap=_GAP)
    least = max(_RISE_DB, _OF_STRONG * float(np.percentile(every, _STRONG_PERCENTILE)))
    return Passage(
        seconds,
        spectrum - spectrum.mean(),
        _chroma(tones),
        _groove(rises, beats_s) if tempo_bpm and len(beats_s) > _BEATS else None,
        tempo_bpm,
        len(find_onsets(every, least, _APART)) / seconds,
    )


def _chroma(tones: Floats) -> Floats:
    power = 10 ** (tones / 10)
    classes = np.sqrt(power[:, : power.shape[1] // 12 * 12].reshape(len(power), -1, 12).sum(axis=1))
    sum_of = classes.sum(axis=1, keepdims=True)
    mean = (classes / np.maximum(sum_of, 1e-9)).mean(axis=0)
    centred = mean - mean.mean()
    length = float(np.linalg.norm(centred))
    return np.asarray(centred / length if length > 1e-6 else np.zeros(12), np.float64)


def _groove(rises: Sequence[npt.NDArray[np.float32]], beats_s: Floats) -> Floats:
    from scipy.ndimage import maximum_filter1d

    steps = np.diff(beats_s)
    at = beats_s[:-1, np.newaxis] + steps[:, np.newaxis] * np.arange(_CELLS) / _CELLS  # (beats, cells)
    cells = (np.round(at * _RATE / _HOP)).astype(np.int64)
    whole = len(cells) // _BEATS * _BEATS
    folded = []
    for rise in rises:
        near = maximum_filter1d(rise, 5)
        struck = near[cells[:whole].clip(0, len(near) - 1)].reshape(-1, _BEATS * _CELLS).mean(axis=0)
        folded.append(struck - struck.mean())
    return np.asarray(folded, np.float64)


@dataclass(frozen=True)
class Similarity:
    """total: 0…1. parts: the same of sound, harmony, tempo and groove, as far as one of both has them."""

    total: float
    parts: Mapping[str, float]


def similarity(reference: Sequence[Passage], candidate: Sequence[Passage]) -> Similarity:
    """Of each passage of the reference to that of the candidate which is most like it; by how long they last, mean.

    A pair's is the weighted mean (0.4, 0.2, 0.2, 0.2) of sound, exp(−(d/5)²) with d the mean absolute difference of
    the mel spectra in dB; harmony, √r with r the correlation of the mean chroma, 0 where that is negative; tempo,
    exp(−½(t/0.1)²) with t the octaves between both, twice or half counted as 0.05; groove, (r − 0.2)/0.7 with r the
    correlation of the rises on sixteenths, the best of four beats to begin with. Of what neither has a beat, sound
    and harmony alone count; of what only one has, tempo and groove are 0.
    """
    if not reference or not candidate:
        return Similarity(0.0, {})
    nearest = [
        max((_likeness(own, other) for other in candidate), key=lambda pair: pair.total) for own in reference
    ]
    weights = [own.seconds for own in reference]
    told: dict[str, float] = {}
    for name in _WEIGHTS:
        own = [
            (pair.parts[name], weight)
            for pair, weight in zip(nearest, weights, strict=True)
            if name in pair.parts
        ]
        if own:
            told[name] = float(np.average([each[0] for each in own], weights=[each[1] for each in own]))
    return Similarity(float(np.average([pair.total for pair in nearest], weights=weights)), told)


def _likeness(one: Passage, other: Passage) -> Similarity:
    off_db = float(np.abs(one.spectrum - other.spectrum).mean())
    parts = {
        "sound": math.exp(-((off_db / _SOUND_DB) ** 2)),
        "harmony": math.sqrt(max(0.0, float(one.chroma @ other.chroma))),
    }
    if one.tempo_bpm or other.tempo_bpm:
        parts["tempo"] = _tempo_likeness(one.tempo_bpm, other.tempo_bpm)
    if one.groove is not None or other.groove is not None:
        parts["groove"] = _groove_likeness(one.groove, other.groove)
    whole = sum(_WEIGHTS[name] for name in parts)
    return Similarity(sum(_WEIGHTS[name] * value for name, value in parts.items()) / whole, parts)


def _tempo_likeness(one: float | None, other: float | None) -> float:
    if not one or not other:
        return 0.0
    octaves = abs(math.log2(one / other))
    octaves = min(octaves, abs(octaves - 1) + _OTHER_COUNT)
    return math.exp(-((octaves / _TEMPO_OCTAVES) ** 2) / 2)


def _groove_likeness(one: Floats | None, other: Floats | None) -> float:
    if one is None or other is None:
        return 0.0
    turned = [np.roll(other, beat * _CELLS, axis=1) for beat in range(_BEATS)]
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    best = max(float((one * each).sum()) for each in turned) / lengths if lengths > 0 else 0.0
    none, all_of_it = _GROOVE
    return min(1.0, max(0.0, (best - none) / (all_of_it - none)))
