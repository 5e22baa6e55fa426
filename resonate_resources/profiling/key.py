"""Keys over time, from pitch classes: what speaks for a key was learned from songs whose keys are known.

Every frame speaks for the 24 keys by a linear model of its pitch classes and of the triads that they resemble
(`resonate_tests/benchmarks/fit_keys.py`); a hidden Markov model holds the frames together.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from itertools import groupby

import numpy as np

from resonate_resources.profiling.pitch_classes import BINS_PER_OCTAVE, PITCH_RATE
from resonate_resources.profiling.profile import KeySpan
from resonate_resources.signal.band_levels import Floats
from resonate_resources.signal.hidden_markov import decode
from resonate_resources.signal.spelling import ALL_KEYS, pitch_class

_MODEL = resources.files("resonate_resources.profiling") / "key.npz"
_A = 9  # pitch classes are counted from A where they are measured, from C here
_AUDIBLE = 0.03  # of the loudest frame's magnitude: −30 dB
_IN_TUNE = 0.1
"""Length of the mean of all peaks on the circle of a semitone. Songs have 0.13 (metal) to 0.6; drums, speech, noise
and a voice alone, which keep to no tuning, at most 0.05."""
_PITCHES = 1.5
"""Perplexity of which pitch class leads. A tone, a hum, octaves have 1, a held triad 1.3, riffs 2, songs 4 to 9."""
_LEAD = 1.6
"""By how much the likeliest key of 15 s speaks more than keys do on average. Twelve-tone rows have 0.9 to 1.2,
songs 2 to 5.6."""
_LEAD_FRAMES = round(15 * PITCH_RATE)
_CONTRAST = 40.0  # of triads: the likeliest counts almost alone
_SMOOTH = 3  # frames
_DEPENDENCE = 0.05
"""What a frame tells beside its neighbours: so little that the model is as sure as it is right with songs that it
did not learn from. Fitted, as is how likely a key ends with a frame."""
_CHANGE = 0.01
_HINT = 2.0  # times as strong: the degree of a mode against the one that it replaces
_HINTS = {  # mode, its own degree and the one that this replaces, in semitones over the tonic
    "major": (("mixolydian", 10, 11), ("lydian", 6, 5)),
    "minor": (("dorian", 9, 8), ("phrygian", 1, 2)),
}


@dataclass(frozen=True)
class Keys:
    """spans follow one upon the other from start to end. key: of most of the track; confidence: 0…1, that it is
    right. tuning_cents: of A4, from 440 Hz, −50…50; None where only the key is known."""

    key: str
    confidence: float
    tuning_cents: float | None
    spans: tuple[KeySpan, ...]


def estimate_keys(pitch_classes: Floats, duration_s: float) -> Keys | None:
    """None where there is no key to be heard: of a single pitch, hum, drums, speech, noise, atonal music.

    pitch_classes: (frames, 60) magnitudes in steps of 20 cents from A.
    """
    magnitude = pitch_classes.sum(axis=1)
    audible = magnitude > _AUDIBLE * magnitude.max(initial=0)
    if not audible.any():
        return None
    tuning, in_tune = tuning_of(pitch_classes)
    chroma = chroma_of(pitch_classes, tuning)
    leads = np.bincount(chroma[audible].argmax(axis=1), minlength=12) / audible.sum()
    pitches = np.exp(-np.sum(leads[leads > 0] * np.log(leads[leads > 0])))
    if in_tune < _IN_TUNE or pitches < _PITCHES:
        return None
    evidence = key_evidence(chroma) * audible[:, np.newaxis]
    if _lead(evidence[audible]) < _LEAD:
        return None
    path, posterior = decode(evidence * np.float32(_DEPENDENCE), _CHANGE)
    spans = []
    for state, run in groupby(range(len(path)), key=lambda frame: int(path[frame])):
        frames = list(run)
        spans.append(
            KeySpan(
                start_s=round((frames[0] - 0.5) / PITCH_RATE, 2) if frames[0] else 0.0,
                end_s=round(min((frames[-1] + 0.5) / PITCH_RATE, duration_s), 2),
                key=ALL_KEYS[state],
                mode=_mode(chroma[frames][audible[frames]], ALL_KEYS[state]),
                confidence=round(float(posterior[frames, state].mean()), 3),
            )
        )
    spans[-1] = spans[-1].model_copy(update={"end_s": round(duration_s, 2)})
    lasting: dict[str, float] = {}
    for span in spans:
        lasting[span.key] = lasting.get(span.key, 0.0) + span.end_s - span.start_s
    key = max(lasting, key=lambda name: lasting[name])
    own = path == ALL_KEYS.index(key)
    confidence = round(float(posterior[own, ALL_KEYS.index(key)].mean()), 3)
    return Keys(key, confidence, round(100 * tuning, 1), tuple(spans))


def _lead(evidence: Floats) -> float:
    parts = np.array_split(evidence, max(1, len(evidence) // _LEAD_FRAMES))
    return float(np.mean([float(part.mean(axis=0).max() - part.mean()) for part in parts]))


def tuning_of(pitch_classes: Floats) -> tuple[float, float]:
    """Where energy gathers within the semitone (its mean on the circle), −0.5…0.5, and how much it does, 0…1."""
    turns = np.arange(BINS_PER_OCTAVE) * (12 / BINS_PER_OCTAVE)
    mean = complex(pitch_classes.sum(axis=0) @ np.exp(2j * np.pi * turns)) / float(pitch_classes.sum())
    return float(np.angle(mean)) / (2 * np.pi), abs(mean)


def chroma_of(pitch_classes: Floats, tuning: float) -> Floats:
    """(frames, 60) in steps of 20 cents from A to (frames, 12) semitones from C in that tuning, over 0.5 s."""
    from scipy.ndimage import uniform_filter1d

    turns = np.arange(BINS_PER_OCTAVE) * (12 / BINS_PER_OCTAVE)
    semitones = (np.round(turns - tuning).astype(int) + _A) % 12
    folded = np.stack([pitch_classes[:, semitones == semitone].sum(axis=1) for semitone in range(12)], axis=1)
    # Its running sums end a rounding error below zero after loud passages.
    return np.maximum(uniform_filter1d(folded, _SMOOTH, axis=0, mode="constant"), np.float32(0))


def key_features(chroma: Floats) -> Floats:
    """(frames, 12) → (frames, 3, 12): roots of pitch classes' shares, and how like each frame is to every major and
    minor triad, 0…1."""
    shares = np.sqrt(chroma / np.maximum(chroma.sum(axis=1, keepdims=True), np.float32(1e-9)))
    likeness = np.stack(
        [
            shares + np.roll(shares, -third, axis=1) + np.roll(shares, -7, axis=1)
            for third in (4, 3)  # of major and minor
        ],
        axis=1,
    )
    likeness = np.exp(_CONTRAST * (likeness - likeness.max(axis=(1, 2), keepdims=True)))
    likeness /= likeness.sum(axis=(1, 2), keepdims=True)
    return np.concatenate([shares[:, np.newaxis], likeness], axis=1).astype(np.float32)


def key_evidence(chroma: Floats) -> Floats:
    """(frames, 12) magnitudes from C → (frames, 24) in the order of ALL_KEYS."""
    features = key_features(chroma)
    weights, bias = _model()
    evidence = np.empty((len(chroma), 24), np.float32)
    for tonic in range(12):
        turned = np.roll(features, -tonic, axis=2).reshape(len(chroma), -1)
        evidence[:, tonic::12] = turned @ weights.reshape(2, -1).T + bias
    return evidence


@lru_cache(maxsize=1)
def _model() -> tuple[Floats, Floats]:
    """Weights (major and minor, 3 features, 12 degrees over the tonic) and bias (2)."""
    with resources.as_file(_MODEL) as path, np.load(path) as arrays:
        return arrays["weights"], arrays["bias"]


def _mode(chroma: Floats, key: str) -> str | None:
    """A church mode that the scale hints at; None of plain major and minor."""
    tonic, mode = key.split()
    degrees = np.roll(chroma.mean(axis=0), -pitch_class(tonic)) if len(chroma) else np.zeros(12)
    return next((name for name, own, other in _HINTS[mode] if degrees[own] > _HINT * degrees[other]), None)
