"""Density of masters: what compression in bands and clipping make of what is rough, and of what asks for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resonate_resources.preset import Preset
from resonate_resources.recordings.recording import Recording, Samples, write_samples
from resonate_tests.resources.mastering.test_mastering import PRESETS, crest, mastered, read


@pytest.fixture(scope="module")
def swelling(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """24 s of noise that strikes twice a second, in turn 3 s loud and 3 s by 9 dB less so."""
    time = np.arange(24 * 44_100) / 44_100
    noise = np.random.default_rng(4).standard_normal((2, time.size))
    level = 10 ** (-9 / 20 * (np.floor(time / 3) % 2)) * (0.2 + np.exp(-(time % 0.5) / 0.1))
    samples = (0.05 * level * noise).astype(np.float32)
    return write_samples(tmp_path_factory.mktemp("swelling") / "mix.wav", samples, 44_100)


def distance(samples: Samples) -> float:
    """From loud to quiet in dB, by their root mean squares."""
    parts = samples.reshape(len(samples), 8, -1)
    levels = 10 * np.log10(np.square(parts).mean(axis=(0, 2)))
    return float(levels[::2].mean() - levels[1::2].mean())


def test_loud_and_quiet_come_nearer_by_preset_and_peaks_too(swelling: Recording, tmp_path: Path) -> None:
    products = {
        preset: mastered(swelling, tmp_path / preset, preset, rough=1.0, target_lufs=-20.0)
        for preset in PRESETS
    }
    masters = {preset: read(product.files["master.wav"]) for preset, product in products.items()}
    plain, gentle, dense = (distance(master) for master in masters.values())
    assert plain == pytest.approx(distance(swelling.read()), abs=0.01)
    assert plain - 0.3 > gentle > dense + 0.3
    assert crest(masters["conservative"]) > crest(masters["balanced"]) + 0.5
    assert crest(masters["balanced"]) > crest(masters["aggressive"]) + 2
    ranges = [product.measures["loudness_range_lu"] for product in products.values()]
    assert ranges[0] > ranges[1] > ranges[2]
    told = {preset: "; ".join(product.notes) for preset, product in products.items()}
    assert "compressed" not in told["conservative"]
    assert "compressed in three bands, by at most 3.0 dB" in told["balanced"]
    assert "clipped" not in told["balanced"]
    assert "; peaks clipped by at most " in told["aggressive"]
    compressed = [product.measures["compressed_db"] for product in products.values()]
    assert compressed == pytest.approx([0.0, 3.0, 6.0], abs=0.01)
    clipped = [product.measures["clipped_db"] for product in products.values()]
    assert clipped[:2] == [0, 0]
    assert 1 < clipped[2] <= 2  # of noise: what bends it makes over half the rate is lost again


def test_clipping_leaves_the_limiter_less_to_do(swelling: Recording, tmp_path: Path) -> None:
    wanted = {"target_lufs": -12.0, "limiting_db": 24.0, "formats": ("wav",)}
    balanced, aggressive = (
        mastered(swelling, tmp_path / preset, preset, rough=1.0, **wanted).measures
        for preset in ("balanced", "aggressive")
    )
    assert aggressive["limiting_db"] < balanced["limiting_db"] - 1.5


def test_no_peak_is_clipped_where_none_may_be_limited(swelling: Recording, tmp_path: Path) -> None:
    product = mastered(swelling, tmp_path / "m", "aggressive", rough=1.0, limiting_db=0.0)
    assert product.measures["clipped_db"] == 0
    assert product.measures["compressed_db"] > 5


def test_the_brief_says_how_far_whatever_the_track_is(swelling: Recording, tmp_path: Path) -> None:
    wanted = {"limiting_db": 6.0, "formats": ("wav",), "preset": "aggressive"}
    asked = mastered(swelling, tmp_path / "asked", rough=0.0, compress=1.0, **wanted)
    rough = mastered(swelling, tmp_path / "rough", rough=1.0, **wanted)
    assert asked.files["master.wav"].read_bytes() == rough.files["master.wav"].read_bytes()
    none = mastered(swelling, tmp_path / "none", rough=1.0, compress=0.0, **wanted)
    finished = mastered(swelling, tmp_path / "finished", rough=0.0, **wanted)
    assert none.files["master.wav"].read_bytes() == finished.files["master.wav"].read_bytes()
    assert finished.measures["compressed_db"] == finished.measures["clipped_db"] == 0
    half = mastered(swelling, tmp_path / "half", compress=0.5, **wanted)
    assert 0 < half.measures["clipped_db"] < asked.measures["clipped_db"]


@pytest.mark.parametrize("preset", ["balanced", "aggressive"])
def test_a_loop_that_is_made_dense_stays_a_loop_and_a_silent_channel_silent(
    preset: Preset, tmp_path: Path
) -> None:
    time = np.arange(8 * 44_100) / 44_100
    swell = 0.1 + 0.9 * np.cos(np.pi * time / 8) ** 8  # loudest at the seam
    tone = swell * (0.4 * np.sin(2 * np.pi * 220 * time) + 0.2 * np.sin(2 * np.pi * 3000 * time))
    loop = np.stack([tone, 0 * time]).astype(np.float32)
    mix = write_samples(tmp_path / "mix.wav", loop, 44_100)
    product = mastered(mix, tmp_path / "m", preset, rough=1.0, target_lufs=-24.0)
    assert product.measures["compressed_db"] > 1
    master = read(product.files["master.wav"])
    assert abs(master[0, 0] - master[0, -1]) <= np.abs(np.diff(master[0])).max()
    assert not master[1].any()


@pytest.mark.parametrize("frames", [1, 10_000])
@pytest.mark.parametrize("channels", [1, 6])
def test_what_is_short_or_silent_passes_what_makes_dense(frames: int, channels: int, tmp_path: Path) -> None:
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, (channels, frames)).astype(np.float32)
    for name, source in {"noise": samples, "silence": 0 * samples}.items():
        mix = write_samples(tmp_path / f"{name}.wav", source, 48_000)
        product = mastered(mix, tmp_path / name, "aggressive", rough=1.0, formats=("wav",))
        master = read(product.files["master.wav"])
        assert master.shape == source.shape
        assert master.any() == source.any()
