from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from resonate_resources.recordings.recording import Samples, silent, write_samples
from resonate_resources.restoration.dehum import Dehum
from resonate_resources.restoration.hum import RATE, follow, hum_blocks
from resonate_resources.signal.traces import Hum
from resonate_tests.benchmarks.damage.noise import hum
from resonate_tests.resources.restoration.test_denoise import FACTS, plucked


def mended(samples: Samples, folder: Path, mains_hz: int | None, rate: int) -> Samples | None:
    """None where it was left alone."""
    recording = write_samples(folder / "in.wav", samples, rate)
    found = None if mains_hz is None else Hum(mains_hz, -30.0)
    facts = replace(FACTS, traces=replace(FACTS.traces, hum=found))
    made = Dehum().mend(recording, facts, "balanced", folder / "out.wav", silent)
    if made.recording is recording:
        return None
    assert made.recording.sample_rate == rate
    return made.recording.read()


@pytest.mark.parametrize(("mains_hz", "rate", "channels"), [(50, 44_100, 2), (60, 8_000, 1)])
@pytest.mark.parametrize("snr_db", [0, 15])
def test_hum_that_drifts_is_followed_and_taken_off(
    tmp_path: Path, mains_hz: int, rate: int, channels: int, snr_db: float
) -> None:
    clean = plucked(10, channels, rate)
    humming = hum(clean, rate, np.random.default_rng(4), snr_db, mains_hz)
    better = mended(humming, tmp_path, mains_hz, rate)
    assert better is not None
    assert better.shape == clean.shape
    left_db = 10 * np.log10(np.mean((better - clean) ** 2) / np.mean((humming - clean) ** 2))
    assert left_db < -9


def test_bass_notes_on_the_mains_harmonics_stay(tmp_path: Path) -> None:
    """A bass line of 75 to 150 Hz, two notes a second, with hum 20 dB under it."""
    rate = 8_000
    time = np.arange(16 * rate) / rate
    envelope = np.exp(-4 * (time % 0.5))
    pitch = np.array([100, 150, 125, 75])[(time / 0.5).astype(int) % 4]
    bass = 0.3 * envelope * np.sin(2 * np.pi * pitch * time)
    notes = bass.astype(np.float32)[None]
    humming = hum(notes, rate, np.random.default_rng(5), 20, 50)
    better = mended(humming, tmp_path, 50, rate)
    assert better is not None
    assert np.mean((better - notes) ** 2) < 0.5 * np.mean((humming - notes) ** 2)
    kept = float(np.vdot(better, notes) / np.vdot(notes, notes))
    assert kept == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("partials", [1, 8])
def test_a_bass_that_is_played_at_the_mains_frequency_stays(tmp_path: Path, partials: int) -> None:
    """Of a synthesiser, exactly 60 Hz, as loud as the rest."""
    clean = plucked(12, 2, 8_000)
    time = np.arange(clean.shape[1]) / 8_000
    bass = sum(np.sin(2 * np.pi * 60 * part * time) / part for part in range(1, partials + 1))
    assert mended(clean + (0.2 * bass).astype(np.float32), tmp_path, 60, 8_000) is None


def test_the_frequency_is_found_to_a_hundredth_of_a_hertz() -> None:
    time = np.arange(30 * RATE) / RATE
    tones = sum(np.sin(2 * np.pi * 50.07 * part * time + part) / part for part in (1, 2, 3, 5))
    noise = np.random.default_rng(0).standard_normal(len(time))
    sound = (0.1 * tones + 0.1 * noise).astype(np.float32)[None]
    turns, amplitudes = follow(lambda: iter([sound]), 50)
    assert (turns[-1] - turns[0]) / (len(turns) - 1) * 8 == pytest.approx(50.07, abs=0.01)
    assert np.abs(amplitudes[len(turns) // 2, 0, [0, 1, 2, 4]]) == pytest.approx(
        [0.1, 0.05, 0.033, 0.02], abs=0.005
    )


def test_the_size_of_blocks_changes_nothing() -> None:
    sound = np.random.default_rng(0).standard_normal((2, 5 * RATE)).astype(np.float32)
    whole, parts = (
        follow(lambda blocks=blocks: iter(blocks), 60) for blocks in ([sound], np.split(sound, 50, axis=1))
    )
    for one, two in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-9)
    assert sum(block.shape[1] for block in hum_blocks(*whole, 5 * RATE - 7)) == 5 * RATE - 7


def test_music_without_hum_is_given_back_as_it_is(tmp_path: Path) -> None:
    assert mended(plucked(12, 1, 8_000), tmp_path, None, 8_000) is None


def test_where_the_profile_errs_next_to_nothing_is_taken(tmp_path: Path) -> None:
    music = plucked(12, 1, 8_000)
    left = mended(music, tmp_path, 50, 8_000)
    assert left is None or np.mean((left - music) ** 2) < 1e-4 * np.mean(music**2)


@pytest.mark.parametrize("frames", [0, 1, 100])
def test_silence_and_single_samples_are_left_alone(tmp_path: Path, frames: int) -> None:
    assert mended(np.zeros((2, frames), np.float32), tmp_path, 50, 44_100) is None
