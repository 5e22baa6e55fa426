"""Keys and chords of composed songs against their truth, beside estimates by librosa's chroma.

    python -m resonate_tests.benchmarks.bench_harmony SONGS [FIRST LAST]

SONGS: a folder of songs of `music_truth`; by default those with seeds from 100 to 169, which nothing was fitted on.
Chords are asked for on the true beats, and without any.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mir_eval
import numpy as np
import numpy.typing as npt

from resonate_resources.harmony.chords import Chord, KeyFrom, chords_of
from resonate_resources.profiling.key import Keys, estimate_keys
from resonate_resources.profiling.pitch_classes import pitch_class_energy
from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.spelling import spelt
from resonate_tests.benchmarks.music_truth.peers import librosa_harmony

MEASURES = ("majmin", "sevenths", "majmin_inv")


def chord_scores(truth: Any, chords: Sequence[tuple[float, float, str]]) -> list[float]:
    spans = [(span["start_s"], span["end_s"]) for span in truth["chords"]]
    labels = [span["value"] for span in truth["chords"]]
    heard = np.array([chord[:2] for chord in chords])
    judged = mir_eval.chord.evaluate(np.array(spans), labels, heard, [chord[2] for chord in chords])
    return [float(judged[measure]) for measure in MEASURES]


def rightness(truth: Any, chords: Sequence[Chord]) -> list[tuple[float, float, float]]:
    """Of each chord: confidence, how much of it is right in root and quality, how long it is (s)."""
    spans = np.array([(span["start_s"], span["end_s"]) for span in truth["chords"]])
    found = []
    for chord in chords:
        lasting = np.clip(
            np.minimum(spans[:, 1], chord.end_s) - np.maximum(spans[:, 0], chord.start_s), 0, None
        )
        theirs = [span["value"] for span in truth["chords"]]
        same = mir_eval.chord.tetrads(theirs, [chord.label] * len(theirs))
        judged = lasting * (same >= 0)
        if judged.sum() > 0:
            found.append((chord.confidence, float((judged * same).sum() / judged.sum()), float(judged.sum())))
    return found


def key_over_time(truth: Any, keys: Keys | None) -> float:
    """Part of the keys' time in which the key is right."""
    right = total = 0.0
    for span in truth["keys"]:
        total += span["end_s"] - span["start_s"]
        for ours in keys.spans if keys else ():
            if ours.key == spelt(span["value"]):
                right += max(0.0, min(ours.end_s, span["end_s"]) - max(ours.start_s, span["start_s"]))
    return right / total


def calibration(rows: Sequence[tuple[float, float, float]]) -> str:
    """Of estimates in bands of confidence: how sure they are, how often right, what part of all."""
    sure, right, weight = np.array(rows).T
    bands = []
    for low, high in ((0, 0.5), (0.5, 0.7), (0.7, 0.85), (0.85, 0.95), (0.95, 1.01)):
        own = (sure >= low) & (sure < high)
        if own.any():
            mean = [float(np.average(values[own], weights=weight[own])) for values in (sure, right)]
            bands.append(f"{mean[0]:.2f} sure {mean[1]:.2f} right ({weight[own].sum() / weight.sum():.0%})")
    return "; ".join(bands)


def main(folder: Path, first: int, last: int) -> None:
    keys_right, chords_right, key_rows, chord_rows = [], [], [], []
    cost = np.zeros(3)
    for seed in range(first, last + 1):
        file = folder / f"{seed:03d}" / "truth.json"
        if not file.is_file():
            continue
        truth = json.loads(file.read_text())
        recording = Recording.open(file.with_name("mix.wav"))
        begun = time.process_time()
        keys = estimate_keys(pitch_class_energy(recording), recording.duration)
        cost[0] += time.process_time() - begun
        spelling = [KeyFrom(span.start_s, span.key) for span in keys.spans] if keys else []
        tuning = keys.tuning_cents if keys else 0.0
        begun = time.process_time()
        chords = chords_of(recording, truth["beats_s"], spelling, tuning)
        cost[1] += time.process_time() - begun
        cost[2] += recording.duration
        unbeaten = chords_of(recording, (), spelling, tuning)
        their_key, theirs = librosa_harmony(recording, truth["beats_s"])
        their_chords = [(chord["start_s"], chord["end_s"], chord["value"]) for chord in theirs]
        true = spelt(truth["key"])
        keys_right.append(
            [
                mir_eval.key.weighted_score(true, keys.key if keys else "X"),
                float(keys is not None and keys.key == true),
                key_over_time(truth, keys),
                mir_eval.key.weighted_score(true, their_key),
                float(their_key == true),
            ]
        )
        told = [[(c.start_s, c.end_s, c.label) for c in heard] for heard in (chords, unbeaten)]
        chords_right.append([chord_scores(truth, each) for each in (*told, their_chords)])
        chord_rows += rightness(truth, chords)
        key_rows.append((keys.confidence if keys else 0.0, keys_right[-1][1], 1.0))
        row = " ".join(f"{value:.2f}" for value in (*keys_right[-1], *np.ravel(chords_right[-1])))
        print(f"{seed} {true:9} {keys.key if keys else None!s:9} {row}", flush=True)
    means: npt.NDArray[np.float64] = np.mean(chords_right, axis=0)
    print(f"{len(keys_right)} songs; seconds for 3 minutes: key {180 * cost[0] / cost[2]:.1f}, ", end="")
    print(f"chords {180 * cost[1] / cost[2]:.1f}")
    names = ("weighted", "right", "right over time", "librosa weighted", "librosa right")
    print("key:", ", ".join(f"{n} {v:.3f}" for n, v in zip(names, np.mean(keys_right, axis=0), strict=True)))
    for name, values in zip(("on true beats", "without beats", "librosa on true beats"), means, strict=True):
        print(f"chords {name}:", ", ".join(f"{m} {v:.3f}" for m, v in zip(MEASURES, values, strict=True)))
    print("key confidence:", calibration(key_rows))
    print("chord confidence:", calibration(chord_rows))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *(map(int, sys.argv[2:4]) if len(sys.argv) > 2 else (100, 169)))
