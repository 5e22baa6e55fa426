from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resonate_resources.quality.comparison import Comparison, Heard, compare, listen
from resonate_resources.quality.report import Finding, as_json, findings, told
from resonate_resources.quality.scales import DIMENSIONS
from resonate_resources.recordings.recording import Recording, Samples, Stems, write_samples

RATE = 32_000
SECONDS = 24
SILENT = slice(8 * RATE, 12 * RATE)


def stems() -> dict[str, Samples]:
    """A bass that walks, chords above it, and a shaker, 24 s."""
    time = np.arange(SECONDS * RATE) / RATE
    step = np.floor(2 * time)
    since = time - step / 2
    rng = np.random.default_rng(0)
    walk = np.array([0, 4, 7, 9, 5, 2])[step.astype(int) % 6]
    bass = np.sin(2 * np.pi * np.cumsum(55 * 2 ** (walk / 12)) / RATE) * np.exp(-2 * since)
    chords = sum(np.sin(2 * np.pi * hz * time) for hz in (523.25, 659.26, 783.99)) * np.exp(-3 * since) / 3
    shaker = rng.standard_normal(time.size) * np.exp(-30 * since)
    levels = {"bass": 0.3 * bass, "other": 0.2 * np.asarray(chords), "drums": 0.05 * shaker}
    return {name: np.tile(audio.astype(np.float32), (2, 1)) for name, audio in levels.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("report")


@pytest.fixture(scope="module")
def originals(folder: Path) -> Stems:
    return {name: write_samples(folder / f"{name}.wav", audio, RATE) for name, audio in stems().items()}


@pytest.fixture(scope="module")
def heard(folder: Path) -> Heard:
    return listen(
        write_samples(folder / "mix.wav", sum(stems().values(), np.zeros((2, 1), np.float32)), RATE)
    )


def rebuilt(folder: Path, without: str) -> tuple[Recording, Stems]:
    parts = stems()
    parts[without][:, SILENT] = 0
    others = {
        name: write_samples(folder / f"rebuilt-{name}.wav", audio, RATE) for name, audio in parts.items()
    }
    return write_samples(
        folder / "rebuilt.wav", sum(parts.values(), np.zeros((2, 1), np.float32)), RATE
    ), others


def worst(comparison: Comparison, *of: Stems) -> Finding:
    return min(findings(comparison, *of), key=lambda each: each.score)


@pytest.mark.parametrize(("without", "lowest_hz", "highest_hz"), [("bass", 40, 250), ("other", 300, 3000)])
def test_what_is_missing_is_told_by_its_seconds_and_its_stem(
    folder: Path, originals: Stems, heard: Heard, without: str, lowest_hz: float, highest_hz: float
) -> None:
    mix, parts = rebuilt(folder, without)
    comparison = compare(heard, mix)
    found = worst(comparison, originals, parts)
    assert found.start_s == pytest.approx(8, abs=1)
    assert found.end_s == pytest.approx(12, abs=1)
    assert found.stem == without
    spectrum = next(each for each in findings(comparison) if each.dimension == "mel_spectrogram_correlation")
    assert spectrum.band_hz is not None
    assert spectrum.band_hz[0] < highest_hz
    assert spectrum.band_hz[1] > lowest_hz
    assert "0:08" in "\n".join(told(comparison, findings(comparison, originals, parts)))


def test_without_stems_of_its_own_the_loudest_stem_there_is_named(
    folder: Path, originals: Stems, heard: Heard
) -> None:
    mix, _ = rebuilt(folder, "bass")
    assert worst(compare(heard, mix), originals).stem == "bass"


def test_of_equals_there_is_nothing_to_tell_but_the_verdict(folder: Path, heard: Heard) -> None:
    comparison = compare(heard, Recording.open(folder / "mix.wav"))
    assert told(comparison, findings(comparison)) == ("matched: 100.0 of 100",)


def test_a_report_has_every_dimension_and_stands_in_json(folder: Path, heard: Heard) -> None:
    mix, _ = rebuilt(folder, "drums")
    comparison = compare(heard, mix, "master")
    report = as_json(comparison, findings(comparison))
    assert tuple(report["dimensions"]) == DIMENSIONS
    assert report["accepted"] is comparison.accepted
    assert report["total"] == comparison.total
