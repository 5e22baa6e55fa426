from __future__ import annotations

import math

import numpy as np
import pytest

from resonate_resources.recordings.recording import Samples, Stems, write_samples
from resonate_resources.separation import exact_sum
from resonate_resources.separation.exact_sum import sum_exactly
from resonate_resources.signal.si_sdr import si_sdr
from resonate_resources.signal.summing import null_depth

RATE = 44_100


def summed(folder, mix: Samples, stems: dict[str, Samples], rate: int = RATE) -> tuple[Stems, float]:
    """The stems made to sum, and how deep they null, in dB."""
    track = write_samples(folder / "track.wav", mix, rate)
    given = {
        name: write_samples(folder / f"{name}-raw.wav", samples, rate) for name, samples in stems.items()
    }
    into = folder / "into"
    into.mkdir()
    exact = sum_exactly(track, given, into, lambda _: None)
    return exact, null_depth(exact.values(), track)


def tone(hz: float, frames: int, level: float = 0.2) -> Samples:
    wave = level * np.sin(2 * np.pi * hz * np.arange(frames) / RATE)
    return np.tile(wave.astype(np.float32), (2, 1))


@pytest.mark.parametrize(
    ("channels", "frames", "rate"),
    [(1, 1, 8000), (2, 700, 44_100), (6, 300_000, 192_000), (1, 100_000, 8000)],
)
def test_stems_of_any_shape_sum_to_the_track(tmp_path, channels, frames, rate):
    rng = np.random.default_rng(0)
    mix, *stems = (rng.uniform(-0.3, 0.3, (channels, frames)).astype(np.float32) for _ in range(5))
    exact, depth = summed(
        tmp_path, mix, dict(zip(["vocals", "drums", "bass", "other"], stems, strict=True)), rate
    )
    assert depth <= -120
    assert {(stem.sample_rate, stem.channels, stem.frames) for stem in exact.values()} == {
        (rate, channels, frames)
    }


def test_chunks_join_without_a_seam(tmp_path, monkeypatch):
    rng = np.random.default_rng(1)
    mix = rng.uniform(-0.3, 0.3, (2, 600_000)).astype(np.float32)
    stems = {name: (share * mix).astype(np.float32) for name, share in (("vocals", 0.5), ("other", 0.3))}
    whole = tmp_path / "whole"
    whole.mkdir()
    monkeypatch.setattr(exact_sum, "_CHUNK_VALUES", 1 << 24)
    once, _ = summed(whole, mix, stems)
    monkeypatch.setattr(exact_sum, "_CHUNK_VALUES", 1 << 18)
    parts = tmp_path / "parts"
    parts.mkdir()
    often, depth = summed(parts, mix, stems)
    assert depth <= -120
    difference = once["vocals"].read() - often["vocals"].read()
    assert np.abs(difference).max() < 0.01 * np.abs(mix).max()


def test_what_is_left_over_goes_to_the_stem_that_sounds_there(tmp_path):
    """A bass that came out 20 % too soft gets its own back; the vocals, five octaves above, keep clear of it."""
    bass, vocals = tone(110, 200_000), tone(3520, 200_000)
    exact, depth = summed(tmp_path, bass + vocals, {"vocals": vocals, "bass": np.float32(0.8) * bass})
    assert depth <= -120
    middle = slice(20_000, 180_000)
    assert si_sdr(exact["bass"].read()[:, middle], bass[:, middle]) > 60
    assert si_sdr(exact["vocals"].read()[:, middle], vocals[:, middle]) > 60
    level = float(
        np.vdot(exact["bass"].read()[:, middle], bass[:, middle]) / np.vdot(bass[:, middle], bass[:, middle])
    )
    assert level == pytest.approx(1, abs=1e-3)


def test_what_sounds_in_no_stem_goes_to_the_last(tmp_path):
    lost = tone(1000, 100_000)
    silence = np.zeros_like(lost)
    exact, depth = summed(tmp_path, lost, {"vocals": silence, "other": silence})
    assert depth <= -120
    assert np.abs(exact["vocals"].read()).max() < 1e-6
    assert np.abs(exact["other"].read() - lost).max() < 1e-6


def test_stems_that_sum_already_stay_as_they_are(tmp_path):
    vocals, other = tone(880, 100_000), tone(100, 100_000)
    exact, depth = summed(tmp_path, vocals + other, {"vocals": vocals, "other": other})
    assert depth <= -120
    assert np.abs(exact["vocals"].read() - vocals).max() < 1e-6


def test_of_silence_comes_silence(tmp_path):
    silence = np.zeros((2, 5000), np.float32)
    exact, depth = summed(tmp_path, silence, {"vocals": silence, "other": silence})
    assert depth == -math.inf
    assert not any(stem.read().any() for stem in exact.values())
