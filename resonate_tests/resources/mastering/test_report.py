"""What the report tells of recordings whose balance, crest and width are known."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resonate_resources.mastering.facts import facts_of, quality_by
from resonate_resources.mastering.report import PICTURE, REPORT, report
from resonate_resources.recordings.recording import Recording, write_samples
from resonate_resources.signal.octaves import OCTAVES_HZ

RATE = 44_100


def tones(folder: Path, name: str, gains_db: dict[float, float], side: float = 0.5) -> Recording:
    time = np.arange(5 * RATE) / RATE
    mid = sum(0.05 * 10 ** (gain / 20) * np.sin(2 * np.pi * hertz * time) for hertz, gain in gains_db.items())
    return write_samples(
        folder / f"{name}.wav", np.stack([mid * (1 + side), mid * (1 - side)]).astype(np.float32), RATE
    )


def test_octaves_are_compared_at_equal_loudness(tmp_path: Path) -> None:
    original = tones(tmp_path, "original", {1000.0: 0.0, 4000.0: 0.0})
    louder = tones(tmp_path, "louder", {1000.0: 6.0, 4000.0: 6.0})
    brighter = tones(tmp_path, "brighter", {1000.0: 0.0, 4000.0: 6.0})
    files = report(
        {
            "original": facts_of(original),
            "louder": facts_of(louder),
            "brighter": facts_of(brighter),
        },
        tmp_path,
    )
    told = json.loads(files[REPORT].read_text())
    assert told["octaves_hz"] == list(OCTAVES_HZ)
    level = {
        name: dict(zip(OCTAVES_HZ, told[name]["octaves_db"], strict=True))
        for name in ("original", "louder", "brighter")
    }
    for hertz in (1000.0, 4000.0):
        assert level["louder"][hertz] == pytest.approx(level["original"][hertz], abs=0.05)
    assert level["brighter"][4000.0] - level["brighter"][1000.0] == pytest.approx(6, abs=0.05)
    # Mean square of both channels: amplitude 0.05, (1.5² + 0.5²) / 2 of its square, half of that.
    assert level["original"][1000.0] == pytest.approx(10 * np.log10(0.05**2 * 1.25 / 2), abs=0.05)
    assert told["louder"]["integrated_lufs"] - told["original"]["integrated_lufs"] == pytest.approx(
        6, abs=0.05
    )
    assert told["original"]["width_db"] == pytest.approx(20 * np.log10(0.5), abs=0.05)
    assert Image.open(io.BytesIO(files[PICTURE].read_bytes())).width == 596


@pytest.mark.parametrize("frames", [1, RATE])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_silence_and_what_is_short_are_told_without_numbers_that_are_none(
    channels: int, frames: int, tmp_path: Path
) -> None:
    silent = write_samples(tmp_path / "silent.wav", np.zeros((channels, frames), np.float32), RATE)
    files = report({"original": facts_of(silent), "master": facts_of(silent)}, tmp_path)
    told = json.loads(files[REPORT].read_text())
    assert told["original"]["integrated_lufs"] is None
    assert told["original"]["octaves_db"] == [None] * len(OCTAVES_HZ)
    assert files[PICTURE].stat().st_size > 500


def test_a_clipped_recording_is_told_to_sound_worse_than_its_original(tmp_path: Path) -> None:
    original = tones(tmp_path, "original", {220.0: 9.0, 1000.0: 9.0, 4000.0: 3.0})
    clipped = write_samples(
        tmp_path / "clipped.wav", (6 * original.read(0, original.frames)).clip(-0.9, 0.9), RATE
    )
    found = {"original": facts_of(original), "master": facts_of(clipped)}
    quality = {
        name: quality_by(found[name], each) for name, each in (("original", original), ("master", clipped))
    }
    told = json.loads(report(found, tmp_path, quality=quality)[REPORT].read_text())["quality"]
    assert told["master"]["total"] < told["original"]["total"] - 10
    assert told["master"]["parts"]["clipping"] == 0
    assert told["original"]["parts"]["clipping"] == 100


def test_what_was_moved_is_told_and_has_room_in_the_picture(tmp_path: Path) -> None:
    facts = {"original": facts_of(tones(tmp_path, "original", {1000.0: 0.0}))}
    bare = report(facts, tmp_path)
    height = Image.open(io.BytesIO(bare[PICTURE].read_bytes())).height
    reasons = ["levels stay as they came: finished music", "vocals: +3.0 dB wished, " * 8]
    files = report(facts, tmp_path, reasons)
    assert json.loads(files[REPORT].read_text(encoding="utf-8"))["moved"] == reasons
    assert Image.open(io.BytesIO(files[PICTURE].read_bytes())).height > height + 30
