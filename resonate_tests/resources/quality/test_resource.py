from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from resonate_resources.quality.music import Music
from resonate_resources.quality.resource import Judged, QualityResource
from resonate_resources.quality.scales import DIMENSIONS
from resonate_resources.recipe import Product
from resonate_resources.recordings.recording import Progress, Recording, Samples, silent, write_samples

RATE = 22_050


def music(seconds: float = 12, channels: int = 2, rate: int = RATE) -> Samples:
    """A tone that steps through a scale twice a second, struck anew each time."""
    time = np.arange(int(seconds * rate)) / rate
    step = np.floor(2 * time)
    pitch = 110 * 2 ** ((5 * step % 12) / 12)
    tone = np.sin(2 * np.pi * pitch * time) * np.exp(-6 * (time - step / 2)) * 0.3
    return np.tile(tone.astype(np.float32), (channels, 1))


def saved(folder: Path, name: str, samples: Samples, rate: int = RATE) -> Recording:
    return write_samples(folder / f"{name}.wav", samples, rate)


def scored(
    reference: Recording, candidates: dict[str, Recording], into: Path, progress: Progress = silent
) -> Product:
    judged = {name: Judged(recording, "rebuilt") for name, recording in candidates.items()}
    return QualityResource().score(reference, Music(), {}, judged, into, progress)


def test_writes_a_row_for_each_candidate_and_dimension(tmp_path: Path) -> None:
    reference = saved(tmp_path, "reference", music())
    hiss = np.random.default_rng(0).standard_normal((2, 12 * RATE)).astype(np.float32) * 0.1
    candidates = {"master": reference, "regenerated": saved(tmp_path, "hiss", hiss)}
    heard: list[float] = []

    product = scored(reference, candidates, tmp_path, heard.append)

    rows = pd.read_parquet(product.files["qc_scores.parquet"])
    assert list(zip(rows["candidate"], rows["dimension"], strict=True)) == [
        (candidate, dimension) for candidate in candidates for dimension in DIMENSIONS
    ]
    assert rows["score"].between(0, 100).all()
    assert rows["detail"].str.len().gt(0).all()
    assert product.measures["master_total"] == 100
    for candidate in candidates:
        lacks = 100 - rows[rows["candidate"] == candidate]["score"]
        total = 100 - np.sqrt(np.mean(lacks**2))
        assert product.measures[f"{candidate}_total"] == pytest.approx(total, abs=0.01)
        for dimension in DIMENSIONS:
            row = rows[(rows["candidate"] == candidate) & (rows["dimension"] == dimension)]
            assert product.measures[f"{candidate}_{dimension}"] == row["score"].item()
    assert heard == sorted(heard)
    assert heard[-1] == 1


def test_the_same_recordings_give_the_same_bytes(tmp_path: Path) -> None:
    reference = saved(tmp_path, "reference", music())
    quieter = saved(tmp_path, "quieter", music() ** 3)
    written = []
    for folder in (tmp_path / "once", tmp_path / "again"):
        folder.mkdir()
        product = scored(reference, {"master": quieter}, folder)
        written.append(product.files["qc_scores.parquet"].read_bytes())

    assert written[0] == written[1]


def test_silence_is_like_silence_and_unlike_music(tmp_path: Path) -> None:
    silence = saved(tmp_path, "silence", np.zeros((2, 5 * RATE), np.float32))
    sounding = saved(tmp_path, "music", music())

    of_silence = scored(silence, {"silence": silence, "music": sounding}, tmp_path).measures
    of_music = scored(sounding, {"silence": silence}, tmp_path).measures

    assert of_silence["silence_total"] == 100
    assert of_silence["music_total"] == 0
    assert of_music["silence_total"] == 0


@pytest.mark.parametrize(
    ("frames", "channels", "rate"),
    [
        (1, 1, 44_100),
        (0, 2, 44_100),
        (100, 2, 8_000),
        (4_000, 6, 8_000),
        (192_000, 1, 192_000),
        (100_000, 6, 48_000),
    ],
)
def test_any_length_rate_and_number_of_channels_is_wholly_like_itself(
    tmp_path: Path, frames: int, channels: int, rate: int
) -> None:
    noise = np.random.default_rng(0).standard_normal((channels, frames)).astype(np.float32) * 0.1
    recording = saved(tmp_path, "noise", noise + 0.05, rate)

    measures = scored(recording, {"same": recording}, tmp_path).measures

    numbers = [value for value in measures.values() if not isinstance(value, str)]
    assert all(math.isfinite(value) for value in numbers)
    assert measures["same_total"] == 100


def test_a_candidate_that_breaks_off_is_not_like_the_whole(tmp_path: Path) -> None:
    whole, half = saved(tmp_path, "whole", music()), saved(tmp_path, "half", music(6))

    measures = scored(whole, {"half": half}, tmp_path).measures

    assert float(measures["half_energy_curve"]) < 50
    assert float(measures["half_total"]) < 80


def test_mono_and_a_stereo_file_of_it_are_alike(tmp_path: Path) -> None:
    mono, stereo = saved(tmp_path, "mono", music(channels=1)), saved(tmp_path, "stereo", music())

    measures = scored(mono, {"stereo": stereo}, tmp_path).measures

    assert float(measures["stereo_total"]) == 100


def test_sounds_too_short_or_quiet_for_a_loudness_are_still_told_apart(tmp_path: Path) -> None:
    for name, reference, gain in (("short", music(0.3), 1.0), ("quiet", music(), 1e-4)):
        hiss = np.random.default_rng(0).standard_normal(reference.shape).astype(np.float32) * 0.1
        of = saved(tmp_path, name, reference * np.float32(gain))
        other = saved(tmp_path, f"{name}-hiss", hiss * np.float32(gain))

        measures = scored(of, {"same": of, "hiss": other}, tmp_path).measures

        assert measures["same_total"] == 100
        assert float(measures["hiss_mel_spectrogram_correlation"]) < 50
