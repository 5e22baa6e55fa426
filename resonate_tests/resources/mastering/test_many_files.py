"""Some of the files of bench_masters, in every format, by libebur128."""

from __future__ import annotations

from pathlib import Path

import pytest

from resonate_resources.recordings.recording import write_samples
from resonate_tests.benchmarks.bench_masters import SHAPES, SIGNALS, generated, masters_of


@pytest.mark.parametrize("number", range(len(SIGNALS)))
def test_masters_are_as_loud_as_asked_or_say_so_and_under_minus_1_dbtp(number: int, tmp_path: Path) -> None:
    signal, shape = list(SIGNALS)[number], SHAPES[number]
    recording = write_samples(tmp_path / "mix.wav", generated(signal, shape), shape.sample_rate)
    (tmp_path / "master").mkdir()
    found = list(masters_of(recording, tmp_path / "master"))
    assert [each for each in found if not each.kept] == []
