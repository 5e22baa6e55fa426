"""Beats, bars and tempo of a recording, and how sure they are: networks hear beats, and a path through tempi and
metres makes sense of what they hear."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from resonate_resources.profiling.bars import find_bars, weights
from resonate_resources.profiling.beat_features import Seconds, at_beats, framed
from resonate_resources.profiling.beat_network import FRAME_RATE, Heard
from resonate_resources.profiling.beat_path import FASTEST_BPM, SLOWEST_BPM, beat_path, evidence
from resonate_resources.profiling.certainty import certainty, log_odds, pulse_signs
from resonate_resources.profiling.metrical_level import FEWEST, Pulse, candidates, ranked, tempi_of
from resonate_resources.profiling.profile import TempoPoint, TimeSignature

METHOD = "BeatNet, bar pointer"
_SEGMENT = round(600 * FRAME_RATE)
"""Frames that are decided together: ten minutes, so that songs are whole and memory stays flat."""
_OVERLAP = round(20 * FRAME_RATE)
_PAUSE = 1.8  # times the usual beat: a longer one separates passages
_HEARD = 0.2
"""How sure it must be that a passage has a pulse: recordings are more often music than in what was fitted to."""
_SILENT = 0.01
"""Mean rise of log10(1 + magnitude) under which nothing begins."""
_EVEN = 0.5
"""Standard deviation over beats of the log odds of a beat or a downbeat. A metronome's clicks have 0.02 to 0.3,
songs 1.0 and more: where all beats are alike there are no bars."""
_BAR = 4  # beats, that the tempo is told of where there are none
_OTHER_TEMPO = 0.08
_KNOWN = 1.1
"""How far beats may stray from a tempo that is known."""
_SWUNG = np.arange(0.44, 0.76, 0.01)
"""Of a beat, where its second half may begin: 0.5 straight, 0.67 in triplets."""
_AUDIBLE = 0.2
"""Of what begins on beats, what begins between them."""


@dataclass(frozen=True)
class Beats:
    """beats_s, downbeats_s in seconds, rising; tempo_bpm None and all else empty where there is no beat to be
    heard.

    tempo_curve: the mean tempo of each bar; of every four beats where all are alike, and there are no bars.
    second_tempo_bpm: what else it may be, as half or double. swing: where in a beat its second half begins.
    Confidences, 0…1: that the tempo, its second, the beats, the downbeats, the metre are right.
    """

    tempo_bpm: float | None = None
    beats_s: tuple[float, ...] = ()
    downbeats_s: tuple[float, ...] = ()
    time_signatures: tuple[TimeSignature, ...] = ()
    tempo_curve: tuple[TempoPoint, ...] = ()
    second_tempo_bpm: float | None = None
    swing: float | None = None
    tempo_confidence: float = 0.0
    second_tempo_confidence: float = 0.0
    beats_confidence: float = 0.0
    downbeats_confidence: float = 0.0
    metre_confidence: float = 0.0


@dataclass(frozen=True)
class Stretch:
    """Beats of a part of a recording: rows of seconds, and of each beat its bar's beats, its place, how sure
    that is, and whether thirds begin between it and the next; no place is 0 where there are no bars. pulses: what
    the tempo may be, the likeliest first. signs: of the pulse, (6,) of `pulse_signs`; fit: of the bars."""

    beats: Seconds
    bars: npt.NDArray[np.int64]
    places: npt.NDArray[np.int64]
    sure: Seconds
    compound: npt.NDArray[np.bool_]
    pulses: list[Pulse]
    signs: Seconds
    fit: float

    def doubts(self) -> dict[str, Seconds]:
        """What tells how sure tempo, beats, downbeats and metre are."""
        top = self.pulses[0]
        same = [one.likely for one in self.pulses if abs(one.tempo_bpm / top.tempo_bpm - 1) <= _OTHER_TEMPO]
        sure, likely = log_odds(float(self.sure.mean())), log_odds(top.likely)
        bars = np.array([likely, sure, self.fit, *self.signs])
        return {
            "tempo": np.array([log_odds(min(1.0, sum(same))), *self.signs]),
            "beats": np.array([likely, *self.signs]),
            "downbeats": bars,
            "metre": bars,
        }


def find_beats(heard: Heard, duration_s: float, *, tempo_bpm: float | None = None) -> Beats:
    """The beats of a recording of that duration. tempo_bpm: where it is known, and only beats are to be found."""
    stretches = list(_stretches(heard, tempo_bpm))
    if not stretches:
        return Beats(tempo_bpm)
    beats, bars, places, compound = (
        np.concatenate([getattr(one, name) for one in stretches])
        for name in ("beats", "bars", "places", "compound")
    )
    within = beats < duration_s
    beats, bars, places, compound = (values[within] for values in (beats, bars, places, compound))
    tempo = tempo_of_beats(beats)
    if tempo is None:
        return Beats(tempo_bpm)
    most = max(stretches, key=lambda one: len(one.beats))
    fitted = weights()
    pulse = certainty(most.signs, fitted["pulse"])
    sure = {name: pulse * certainty(signs, fitted[name]) for name, signs in most.doubts().items()}
    others = [one for one in most.pulses if abs(one.tempo_bpm / tempo - 1) > _OTHER_TEMPO]
    downbeats = places == 0
    return Beats(
        tempo_bpm=tempo_bpm or tempo,
        beats_s=tuple(beats.tolist()),
        downbeats_s=tuple(beats[downbeats].tolist()),
        time_signatures=tuple(_time_signatures(beats, bars, places, compound)),
        tempo_curve=tuple(
            _tempo_curve(
                beats, np.flatnonzero(downbeats) if downbeats.any() else np.arange(0, len(beats), _BAR)
            )
        ),
        second_tempo_bpm=others[0].tempo_bpm if others else None,
        swing=_swing(heard, beats),
        tempo_confidence=1.0 if tempo_bpm else sure["tempo"],
        second_tempo_confidence=others[0].likely if others else 0.0,
        beats_confidence=sure["beats"],
        downbeats_confidence=sure["downbeats"] if downbeats.any() else 0.0,
        metre_confidence=sure["metre"] if downbeats.any() else 0.0,
    )


def tempo_of_beats(beats: Seconds) -> float | None:
    """Beats a minute: the median over stretches of 8 beats, or of half as many as there are; None under 4."""
    span = min(8, len(beats) // 2)
    if span < 2:
        return None
    return float(60 * span / np.median(beats[span:] - beats[:-span]))


def _stretches(heard: Heard, tempo_bpm: float | None) -> Iterator[Stretch]:
    """Parts that are decided by themselves; in the middle of where two overlap, one gives way to the next."""
    frames = len(heard.activations)
    starts = [*range(0, max(1, frames - _OVERLAP), _SEGMENT)]
    for start in starts:
        stop = frames if start == starts[-1] else min(frames, start + _SEGMENT + _OVERLAP)
        part = Heard(heard.activations[start:stop], heard.rises[start:stop], heard.pitch_classes[start:stop])
        first = -np.inf if start == 0 else _OVERLAP / 2 / FRAME_RATE
        last = np.inf if start == starts[-1] else (_SEGMENT + _OVERLAP / 2) / FRAME_RATE
        found = decide(part, tempo_bpm)
        if found is None:
            continue
        kept = (found.beats >= first) & (found.beats < last)
        yield replace(
            found,
            beats=found.beats[kept] + start / FRAME_RATE,
            **{name: getattr(found, name)[kept] for name in ("bars", "places", "sure", "compound")},
        )


def decide(
    heard: Heard, tempo_bpm: float | None = None, fitted: Mapping[str, Seconds] | None = None
) -> Stretch | None:
    """The likeliest pulse where one is heard, and its bars. fitted: `beats.npz` where None; without "pulse" in it
    there always is one, if six beats can be found."""
    usual, fitted = fitted is None, fitted or weights()
    nats, frames = evidence(heard.activations[:, :2].sum(axis=1)), framed(heard)
    tempi = (tempo_bpm / _KNOWN, tempo_bpm * _KNOWN) if tempo_bpm else (SLOWEST_BPM, FASTEST_BPM)
    first, _ = beat_path(nats, *tempi)
    if len(first) < FEWEST:
        return None
    pulses = candidates(nats, tempi if tempo_bpm else tempi_of(first), first)
    if tempo_bpm:
        pulses = [pulse for pulse in pulses if abs(pulse.tempo_bpm / tempo_bpm - 1) <= _OTHER_TEMPO]
    if not pulses:
        return None
    pulses = ranked(frames, nats, pulses, fitted, usual=usual)
    beats = pulses[0].beats
    # Where one passage gives way to the next, the last beat of it and the first of that may be the same.
    beats = beats[np.diff(beats, prepend=-np.inf) >= 60 / FASTEST_BPM]
    beats = beats[_sounding(heard, beats)]
    passages = [one for one in np.split(beats, 1 + np.flatnonzero(_pauses(beats))) if len(one) >= FEWEST]
    if "pulse" in fitted:
        passages = [one for one in passages if certainty(pulse_signs(nats, one), fitted["pulse"]) >= _HEARD]
    if not passages:
        return None
    beats = np.concatenate(passages)
    features = at_beats(frames, beats)
    bars = find_bars(features, fitted["places"])
    _, third, half, other_third, _ = features[:, 9:].T
    compound = _smooth(third + other_third) > 2 * _smooth(half)
    signs = pulse_signs(nats, beats)
    even = features[1:-1, :2].std(axis=0).max() < _EVEN  # at the ends something else may sound
    places = np.ones_like(bars.place) if even else bars.place
    return Stretch(beats, bars.beats_per_bar, places, bars.sure, compound, pulses, signs, bars.fit)


def _sounding(heard: Heard, beats: Seconds) -> npt.NDArray[np.bool_]:
    """Beats within two of which something begins."""
    from scipy.ndimage import maximum_filter1d

    edges = np.clip(np.round(beats * FRAME_RATE), 0, len(heard.rises) - 1).astype(np.int64)
    begins = np.maximum.reduceat(heard.rises.mean(axis=1), edges)
    return np.asarray(maximum_filter1d(begins, 5, mode="nearest") > _SILENT)


def _pauses(beats: Seconds) -> npt.NDArray[np.bool_]:
    steps = np.diff(beats)
    return np.asarray(steps > _PAUSE * np.median(steps))


def _smooth(values: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    from scipy.ndimage import uniform_filter1d

    return np.asarray(uniform_filter1d(values.astype(np.float64), 32, mode="nearest"))


def _time_signatures(
    beats: Seconds,
    bars: npt.NDArray[np.int64],
    places: npt.NDArray[np.int64],
    compound: npt.NDArray[np.bool_],
) -> Iterator[TimeSignature]:
    """One for every change. Two beats of thirds are six eighths."""
    before = None
    for number in np.flatnonzero(places == 0):
        eighths = bars[number] == 2 and compound[number]
        signature = (6, 8) if eighths else (int(bars[number]), 4)
        if signature != before:
            yield TimeSignature(
                start_s=float(beats[number]), numerator=signature[0], denominator=signature[1]
            )
        before = signature


def _tempo_curve(beats: Seconds, downbeats: npt.NDArray[np.int64]) -> Iterator[TempoPoint]:
    """Of every bar without a pause in it, what stands before the first and after the last with them."""
    edges = np.unique([0, *downbeats, len(beats) - 1])
    pauses = np.flatnonzero(_pauses(beats))
    for first, last in pairwise(edges.tolist()):
        if not ((pauses >= first) & (pauses < last)).any():
            yield TempoPoint(
                start_s=float(beats[first]), bpm=float(60 * (last - first) / (beats[last] - beats[first]))
            )


def _swing(heard: Heard, beats: Seconds) -> float | None:
    """None where nothing begins in the middle of beats."""
    steps = np.diff(beats)
    starts, steps = beats[:-1][~_pauses(beats)], steps[~_pauses(beats)]
    rises = heard.rises.mean(axis=1)
    frames = np.arange(len(rises)) / FRAME_RATE

    def begins(places: Seconds) -> Seconds:
        at = starts[:, np.newaxis] + steps[:, np.newaxis] * places
        return np.asarray(np.interp(at, frames, rises).mean(axis=0))

    on = float(begins(np.arange(-0.06, 0.07, 0.01)).max())
    middle = begins(_SWUNG)
    best = int(middle.argmax())
    return float(_SWUNG[best]) if middle[best] > _AUDIBLE * on and 0 < best < len(middle) - 1 else None
