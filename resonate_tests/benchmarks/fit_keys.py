"""Fits what speaks for a key to composed songs, and writes `resonate_resources/profiling/key.npz`.

    python -m resonate_tests.benchmarks.fit_keys SONGS OUT.npz

SONGS: a folder of songs of `music_truth`; those with seeds under 60 are learned from. So are SEEDS of the same
composer, played here by plain harmonics, in a tenth of the time. Songs to judge by have seeds from 100 to 169.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from resonate_resources.profiling.key import chroma_of, key_features, tuning_of
from resonate_resources.profiling.pitch_classes import PITCH_RATE, pitch_class_energy
from resonate_resources.recordings.recording import Recording, write_samples
from resonate_resources.signal.spelling import ALL_KEYS, spelt
from resonate_tests.benchmarks.model_table import record
from resonate_tests.benchmarks.music_truth.composing import compose
from resonate_tests.benchmarks.music_truth.song import Song

Floats = npt.NDArray[np.float64]
SEEDS = range(1000, 1160)
LEARNED_FROM = range(60)
WINDOWS = (20, 40, 80, 160)  # frames: 4 to 30 s
PENALTY = 1e-3
RATE = 22050


def played(song: Song, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """(1, frames): every part by harmonics of its own decay, drums by noise and a falling sine."""
    audio = np.zeros(int((song.duration_s + 1) * RATE), np.float32)
    for part in song.parts.values():
        tilt, decay, count = rng.uniform(0.6, 2), rng.choice([0, 0, 1.5, 3, 6]), int(rng.integers(3, 9))
        levels = rng.uniform(0.08, 0.25) / np.arange(1, count + 1) ** tilt * rng.uniform(0.4, 1.3, count)
        for note in part.notes:
            length = 0.12 if part.stem == "drums" else note.duration_s + 0.05
            time = np.arange(int(length * RATE), dtype=np.float32) / RATE
            if part.stem != "drums":
                hertz = 440 * 2 ** ((note.pitch - 69) / 12)
                sound = sum(
                    level * np.sin(np.float32(2 * np.pi * hertz * (n + 1)) * time)
                    for n, level in enumerate(levels)
                    if hertz * (n + 1) < 5000
                ) * np.exp(-decay * time)
            elif note.pitch in {35, 36}:
                sound = 0.6 * np.sin(2 * np.pi * 55 * time * (1 + np.exp(-40 * time))) * np.exp(-20 * time)
            else:
                sound = 0.15 * rng.standard_normal(len(time)) * np.exp(-40 * time)
            sound = sound * np.minimum(1, np.minimum(time, time[::-1]) / 0.01) * (note.velocity / 127)
            start = max(0, int(note.onset_s * RATE))
            room = audio[start : start + len(sound)]
            room += sound[: len(room)]
    return audio[np.newaxis]


def songs(folder: Path) -> Iterator[tuple[Recording, list[tuple[float, float, str]]]]:
    """Recordings and their keys: (start, end, key)."""
    for seed in LEARNED_FROM:
        truth = folder / f"{seed:03d}" / "truth.json"
        if truth.is_file():
            keys = json.loads(truth.read_text())["keys"]
            spans = [(span["start_s"], span["end_s"], span["value"]) for span in keys]
            yield Recording.open(truth.with_name("mix.wav")), spans
    with tempfile.TemporaryDirectory() as scratch:
        for seed in SEEDS:
            song = compose(seed)
            path = Path(scratch) / "song.wav"
            audio = played(song, np.random.default_rng(seed))
            yield write_samples(path, audio, RATE), [(k.start_s, k.end_s, k.value) for k in song.keys]


def examples(recording: Recording, spans: list[tuple[float, float, str]]) -> Iterator[tuple[Floats, int]]:
    """Mean features (3, 12) of windows that lie within a key, and which key."""
    pitch_classes = pitch_class_energy(recording)
    features = key_features(chroma_of(pitch_classes, tuning_of(pitch_classes)[0]))
    loudness = pitch_classes.sum(axis=1)
    features *= (loudness > 0.03 * loudness.max())[:, np.newaxis, np.newaxis]
    for start_s, end_s, key in spans:
        start, end = int(start_s * PITCH_RATE), int(end_s * PITCH_RATE)
        for size in WINDOWS:
            for first in range(start, max(start + 1, end - size + 1), size // 2):
                window = features[first : min(first + size, end)]
                if len(window) >= WINDOWS[0]:
                    yield window.mean(axis=0).astype(np.float64), ALL_KEYS.index(spelt(key))


def fit(features: Floats, keys: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Multinomial logistic regression in which all tonics share their mode's weights: (2, 3, 12) and bias (2)."""
    count = len(features)
    turned = np.stack([np.roll(features, -tonic, axis=2).reshape(count, -1) for tonic in range(12)], axis=1)
    size = turned.shape[2]
    own = np.arange(count), keys

    def loss(values: Floats) -> tuple[float, Floats]:
        major, minor, bias = values[:size], values[size : 2 * size], values[-1]
        scores = np.concatenate([turned @ major, turned @ minor + bias], axis=1)
        scores -= scores.max(axis=1, keepdims=True)
        probability = np.exp(scores)
        probability /= probability.sum(axis=1, keepdims=True)
        wrong = probability.copy()
        wrong[own] -= 1
        slopes = [np.einsum("nk,nkd->d", part, turned) for part in (wrong[:, :12], wrong[:, 12:])]
        slope = np.concatenate([*slopes, [wrong[:, 12:].sum()]]) / count + 2 * PENALTY * values
        return float(-np.log(probability[own] + 1e-12).mean() + PENALTY * (values**2).sum()), slope

    found = minimize(loss, np.zeros(2 * size + 1), jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    return found[: 2 * size].reshape(2, 3, 12), np.array([0.0, found[-1]])


def main(folder: Path, out: Path) -> None:
    learned = [example for recording, spans in songs(folder) for example in examples(recording, spans)]
    features = np.array([example[0] for example in learned])
    weights, bias = fit(features, np.array([example[1] for example in learned]))
    np.savez(out, weights=weights.astype(np.float32), bias=bias.astype(np.float32))
    record("resonate/keys", out)
    print(f"{len(learned)} windows")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
