"""Fits how sure chords say they are: python -m resonate_tests.benchmarks.fit_chord_confidence SONGS

SONGS holds folders as bench_music renders them (mix.wav, truth.json); seeds 0–59 are fitted to, on the grids of
their own profiles. Prints `chords._CERTAINTY`: log-odds of being right over log-odds of the model's own certainty.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from resonate_resources.analysis.resource import Grid
from resonate_resources.harmony import chords
from resonate_resources.recordings.recording import Recording
from resonate_tests.benchmarks.bench_harmony import rightness
from resonate_tests.benchmarks.bench_music import profile_of

SEEDS = range(60)


def main(folders: list[Path]) -> None:
    rows = []
    for song in folders:
        grid = Grid.of(profile_of(song).model_dump())
        found = chords.chords_of(Recording.open(song / "mix.wav"), grid.beats_s, grid.keys, grid.tuning_cents)
        rows += rightness(json.loads((song / "truth.json").read_text(encoding="utf-8")), found)
    told, right, lasting = np.array(rows).T
    offset, slope = chords._CERTAINTY
    # The model's certainty is behind the confidence that is told.
    odds = (np.log(told / (1 - told)) - offset) / slope
    columns = np.stack([np.ones(len(odds)), odds], axis=1)

    def loss(weights: npt.NDArray[np.float64]) -> float:
        value = columns @ weights
        return float(np.average(np.logaddexp(0, value) - right * value, weights=lasting))

    print("_CERTAINTY = ({:.2f}, {:.2f})".format(*minimize(loss, [offset, slope]).x))


if __name__ == "__main__":
    every = [Path(sys.argv[1]) / f"{seed:03d}" for seed in SEEDS]
    main([song for song in every if (song / "truth.json").exists()])
