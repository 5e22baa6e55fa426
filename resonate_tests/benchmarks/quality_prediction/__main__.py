"""What the predicted quality is worth: `python -m resonate_tests.benchmarks.quality_prediction [FOLDER]`.

Makes the test songs, whose voices, kits and soundfont fitting has not met (into FOLDER, where they are found
again, or a temporary one), separates them well and badly, predicts, prints how far the prediction is off, writes
the tables of docs/separation-quality.md and draws docs/separation-quality.svg.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from resonate_resources.recordings.recording import write_samples
from resonate_resources.separation.prediction.predictor import predict_quality, predictor
from resonate_tests.benchmarks.quality_prediction.curve import calibration_curve
from resonate_tests.benchmarks.quality_prediction.degradation import RATE
from resonate_tests.benchmarks.quality_prediction.examples import Examples, all_examples
from resonate_tests.benchmarks.quality_prediction.split import test_pieces
from resonate_tests.benchmarks.quality_prediction.tables import (
    STEMS,
    Beside,
    absent,
    by_kind,
    by_stem,
    by_voice,
    decisions,
)

DOCS = Path(__file__).parents[3] / "docs"


def main(folder: Path) -> None:
    examples = all_examples(test_pieces(), folder)
    text = "\n\n".join("\n".join((f"**{title}**", "", *lines)) for title, lines in _tables(examples))
    print(text)
    page = DOCS / "separation-quality.md"
    begin, end = "<!-- printed by the benchmark -->\n", "\n<!-- until here -->"
    written = re.sub(f"{begin}.*{end}", lambda _: f"{begin}{text}{end}", page.read_text(), flags=re.S)
    page.write_text(written)
    wholes = Beside.of(predictor(), examples, tracks=True)
    curve = calibration_curve(wholes.rows.stem, wholes.value, wholes.error, wholes.truth)
    (DOCS / "separation-quality.svg").write_text(curve)
    print(f"\nreal-time factor on one core: {_cost():.4f}")


def _tables(examples: Examples) -> Iterator[tuple[str, Iterable[str]]]:
    windows, wholes = (Beside.of(predictor(), examples, tracks=tracks) for tracks in (False, True))
    yield "Whole stems, by who sings", by_voice(wholes, ~wholes.is_unseen)
    yield "The same, the embedded engine's stems as a user gets them", by_voice(wholes, wholes.is_engine)
    yield "Whole stems", by_stem(wholes, ~wholes.is_unseen)
    yield "Whole stems, kinds of error that were left out of fitting", by_stem(wholes, wholes.is_unseen)
    yield "Windows of 10 s", by_stem(windows, ~windows.is_unseen)
    yield "Whole stems, by kind of error", by_kind(wholes)
    yield "Songs without a voice", absent(predictor(), examples)
    yield "Decisions", decisions(wholes)


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
