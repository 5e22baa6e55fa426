"""Fits what speaks for a section to begin with a bar: python -m resonate_tests.benchmarks.fit_form SONGS

SONGS holds folders as bench_music renders them (mix.wav, stems, truth.json); seeds 0–59 are fitted to, on the
grids of their own profiles. Prints `section_starts.WEIGHTS` and CONSTANT, and F of boundaries of songs that were
left out, a quarter at a time. Seeds from 100 on are not looked at.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mir_eval
import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from resonate_resources.analysis import section_starts
from resonate_resources.analysis.bars import bar_edges, harmony_of_bars, parts_of_bars, timbre_of_bars
from resonate_resources.analysis.form import best_starts
from resonate_resources.analysis.likeness import PARTS, Bars, likeness_of
from resonate_resources.analysis.resource import Grid
from resonate_resources.analysis.stem_levels import StemLevels, stem_levels
from resonate_resources.harmony.chords import Chord, chords_of
from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.timbre import hear_timbre
from resonate_tests.benchmarks.bench_music import profile_of
from resonate_tests.benchmarks.music_truth.song import STEMS

SEEDS = range(60)
FOLDS = 4
OFFSETS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Log-odds that are tried on top: regression does not know that lengths are told beside it."""
_RIDGE = 1.0
_NEAR_S = 1.0
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Example:
    """rows: (bars, features), of `section_starts.described`; begins: (bars,) of 0 and 1; edges_s: of bars; true_s:
    (sections, 2)."""

    rows: Doubles
    begins: Doubles
    edges_s: Doubles
    true_s: Doubles


def example(
    downbeats_s: Sequence[float],
    duration_s: float,
    levels: StemLevels,
    timbre: npt.NDArray[np.float32],
    chords: Sequence[Chord],
    truth: Any,
) -> Example:
    edges, _ = bar_edges(downbeats_s, duration_s)
    parts = levels.in_spans(parts_of_bars(edges, PARTS)).reshape(len(edges) - 1, PARTS, -1)
    bars = Bars(levels.in_spans(edges), parts, timbre_of_bars(timbre, edges), harmony_of_bars(chords, edges))
    true = np.array([(section["start_s"], section["end_s"]) for section in truth["sections"]])
    begins = np.zeros(len(bars))
    for start in true[1:, 0]:
        nearest = int(np.abs(edges[:-1] - start).argmin())
        begins[nearest] = abs(edges[nearest] - start) < _NEAR_S
    begins[0] = 0
    return Example(section_starts.described(bars, likeness_of(bars)), begins, edges, true)


def heard(song: Path) -> Example:
    profile = profile_of(song)
    track = Recording.open(song / "mix.wav")
    stems = {name: Recording.open(song / f"{name}.wav") for name in STEMS if (song / f"{name}.wav").exists()}
    grid = Grid.of(profile.model_dump())
    chords = chords_of(track, grid.beats_s, grid.keys, grid.tuning_cents)
    truth = json.loads((song / "truth.json").read_text(encoding="utf-8"))
    return example(grid.downbeats_s, track.duration, stem_levels(stems), hear_timbre(track), chords, truth)


def fit(examples: Sequence[Example]) -> tuple[Doubles, float]:
    """Logistic regression, (features,) and a constant."""
    rows = np.concatenate([one.rows[1:] for one in examples])
    begins = np.concatenate([one.begins[1:] for one in examples])
    deviation = rows.std(axis=0) + 1e-6
    scaled = np.c_[rows / deviation, np.ones(len(rows))]

    def loss(weights: Doubles) -> tuple[float, Doubles]:
        odds = scaled @ weights
        gradient = scaled.T @ (1 / (1 + np.exp(-odds)) - begins)
        gradient[:-1] += 2 * _RIDGE * weights[:-1]
        cost = np.logaddexp(0, odds).sum() - begins @ odds + _RIDGE * (weights[:-1] ** 2).sum()
        return float(cost), gradient

    found = minimize(loss, np.zeros(scaled.shape[1]), jac=True, method="L-BFGS-B").x
    return found[:-1] / deviation, float(found[-1])


def judged(one: Example, weights: Doubles, constant: float) -> tuple[float, float]:
    """F of boundaries within 3 s and 0.5 s."""
    starts, _ = best_starts(one.rows @ weights + constant)
    edges = one.edges_s[[*starts, -1]]
    ours = np.stack([edges[:-1], edges[1:]], axis=1)
    coarse, fine = (mir_eval.segment.detection(one.true_s, ours, window, trim=True)[2] for window in (3, 0.5))
    return float(coarse), float(fine)


def cross_validated(examples: Sequence[Example], offset: float) -> Doubles:
    """Mean F within 3 s and 0.5 s, each song by what the others taught."""
    scores = []
    for fold in range(FOLDS):
        weights, constant = fit([one for number, one in enumerate(examples) if number % FOLDS != fold])
        scores += [judged(one, weights, constant + offset) for one in examples[fold::FOLDS]]
    return np.asarray(np.mean(scores, axis=0))


def main(examples: Sequence[Example]) -> None:
    scores = {offset: cross_validated(examples, offset) for offset in OFFSETS}
    for offset, (coarse, fine) in scores.items():
        print(f"{len(examples)} songs, {offset:+.2f}: F {coarse:.3f} within 3 s, {fine:.3f} within 0.5 s")
    weights, constant = fit(examples)
    print("WEIGHTS", ", ".join(f"{weight:.2f}" for weight in weights))
    print(f"CONSTANT {constant + max(scores, key=lambda offset: scores[offset].sum()):.2f}")


if __name__ == "__main__":
    folders = [Path(sys.argv[1]) / f"{seed:03d}" for seed in SEEDS]
    main([heard(song) for song in folders if (song / "truth.json").exists()])
