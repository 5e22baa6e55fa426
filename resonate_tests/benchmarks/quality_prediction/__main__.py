"""What the predicted quality is worth: `python -m resonate_tests.benchmarks.quality_prediction [FOLDER]`.

Renders the test songs, which fitting has not met (into FOLDER, where they are found again, or a temporary one),
separates them well and badly, predicts, prints how far the prediction is off, draws docs/separation-quality.svg.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import write_samples
from resonate_resources.separation.prediction.predictor import predict_quality, predictor
from resonate_tests.benchmarks.quality_prediction.curve import calibration_curve
from resonate_tests.benchmarks.quality_prediction.degradation import KINDS, RATE, UNSEEN_KINDS
from resonate_tests.benchmarks.quality_prediction.examples import Examples, examples_of
from resonate_tests.benchmarks.quality_prediction.fit import predictions, scored
from resonate_tests.benchmarks.quality_prediction.split import TEST_SONGS

CURVE = Path(__file__).parents[3] / "docs" / "separation-quality.svg"
THRESHOLD_DB = 7.0
"""Vocals below this are tried again by another engine."""
STEMS = ("vocals", "drums", "bass", "other", "piano", "guitar")

Floats = npt.NDArray[np.float64]


def main(folder: Path) -> None:
    examples = Examples.joined([examples_of(song, folder) for song in TEST_SONGS])
    unseen = [KINDS.index(kind) for kind in UNSEEN_KINDS]
    for label, tracks in (("windows", False), ("whole stems", True)):
        rows = scored(examples, tracks=tracks)
        value, error, truth = predictions(predictor(), examples, tracks=tracks)
        for what, part in (
            ("kinds of error met in fitting", ~np.isin(rows.kind, unseen)),
            ("kinds of error left out of fitting", np.isin(rows.kind, unseen)),
        ):
            print(f"\n{len(TEST_SONGS)} unseen songs, {label}, {what}\n")
            _head("stem")
            for stem in STEMS:
                _row(stem, value, error, truth, part & (rows.stem == stem))
            _row("all", value, error, truth, part)
    print("\nWhole stems by kind of error\n")
    _head("kind")
    for number, kind in enumerate(KINDS):
        _row(kind, value, error, truth, rows.kind == number)
    _decisions(rows, value, error, truth)
    CURVE.write_text(calibration_curve(rows.stem, value, error, truth))
    print(f"\nreal-time factor on one core: {_cost():.4f}")


def _head(first: str) -> None:
    print(
        f"| {first} | n | mean error bar | mean absolute error | bias | correlation | within 1 | within 2 |"
    )
    print("|---|---|---|---|---|---|---|---|")


def _row(label: str, value: Floats, error: Floats, truth: Floats, part: npt.NDArray[np.bool_]) -> None:
    if part.sum() < 3:
        return
    off = value[part] - truth[part]
    within = [f"{np.mean(np.abs(off) <= k * error[part]):.0%}" for k in (1, 2)]
    correlation = np.corrcoef(value[part], truth[part])[0, 1]
    figures = [f"{error[part].mean():.1f} dB", f"{np.abs(off).mean():.1f} dB", f"{off.mean():+.1f} dB"]
    print("|", " | ".join([label, str(part.sum()), *figures, f"{correlation:.2f}", *within]), "|")


def _decisions(rows: Examples, value: Floats, error: Floats, truth: Floats) -> None:
    vocals = rows.stem == "vocals"
    right = (value < THRESHOLD_DB) == (truth < THRESHOLD_DB)
    base = np.mean(truth[vocals] < THRESHOLD_DB)
    print(f"\nVocals under {THRESHOLD_DB:g} dB or not ({base:.0%} are): {np.mean(right[vocals]):.0%} right")
    for margin in (1, 3):
        far = vocals & (np.abs(truth - THRESHOLD_DB) > margin)
        print(f"  where the truth is more than {margin} dB away: {np.mean(right[far]):.0%} of {far.sum()}")
    sure = vocals & (np.abs(value - THRESHOLD_DB) > error)
    print(
        f"  where the prediction is more than its error bar away: {np.mean(right[sure]):.0%} of {sure.sum()}"
    )
    for stem in (*STEMS[:4], "all"):
        pairs = np.array(list(_pairs(rows, stem)))
        truly, guessed = (side[pairs[:, 0]] - side[pairs[:, 1]] for side in (truth, value))
        shown = []
        for least in (0, 1, 3):
            apart = np.abs(truly) > least
            shown.append(
                f"{np.mean((truly * guessed > 0)[apart]):.0%} of {apart.sum()} over {least} dB apart"
            )
        print(f"The better of two separations of a song, {stem}: {', '.join(shown)}")


def _pairs(rows: Examples, stem: str) -> Iterator[tuple[int, int]]:
    """Two separations of one song into as many stems."""
    for song in np.unique(rows.song):
        for name in STEMS if stem == "all" else (stem,):
            for count in np.unique(rows.stems):
                own = (rows.song == song) & (rows.stem == name) & (rows.stems == count)
                yield from combinations(np.flatnonzero(own), 2)


def _cost() -> float:
    """CPU seconds per second of a track of four stems, files read included."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as scratch:
        stems = {
            name: write_samples(
                Path(scratch) / f"{name}.wav",
                (0.1 * rng.standard_normal((2, 60 * RATE))).astype(np.float32),
                RATE,
            )
            for name in STEMS[:4]
        }
        mix = write_samples(Path(scratch) / "mix.wav", sum(stem.read() for stem in stems.values()), RATE)
        predict_quality(mix, stems)
        began = time.process_time()
        predict_quality(mix, stems)
        return (time.process_time() - began) / 60


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as rendered:
            main(Path(rendered))
