"""Envelopes and filter movement of sounds made by formula."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resonate_resources.analysis.envelopes import hear_envelope
from resonate_resources.analysis.filters import find_sweeps
from resonate_resources.analysis.stem_levels import RATE, in_db, stem_levels
from resonate_resources.recordings.recording import Recording, Samples, write_samples

SAMPLE_RATE = 44_100


def recorded(samples: np.ndarray, folder: Path) -> Recording:
    mono: Samples = np.atleast_2d(samples).astype(np.float32)
    return write_samples(folder / "stem.wav", mono, SAMPLE_RATE)


def notes_with(
    attack_s: float, decay_s: float, sustain: float, release_s: float, count: int = 16
) -> np.ndarray:
    """A second each: up to 1 in a straight line, down to `sustain` in one of dB, held to 0.6 s, away in one of dB,
    by 60 dB in three times `release_s`."""
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    rise = np.clip(time / attack_s, 0, 1)
    fall = np.clip((time - attack_s) / decay_s, 0, 1) * 20 * np.log10(max(sustain, 1e-6))
    end = np.clip(time - 0.6, 0, None) * -20 / release_s
    note = rise * 10 ** ((fall + end) / 20) * np.sin(2 * np.pi * 440 * time)
    return np.tile(note, count) * 0.5


@pytest.mark.parametrize(("attack_s", "release_s"), [(0.02, 0.05), (0.1, 0.1), (0.15, 0.05)])
def test_attack_sustain_and_release_are_those_that_notes_were_made_with(
    tmp_path: Path, attack_s: float, release_s: float
) -> None:
    stem = recorded(notes_with(attack_s, 0.1, 0.5, release_s), tmp_path)
    found = hear_envelope(stem_levels({"other": stem}).mean_square["other"])
    assert found is not None
    assert found.attack_s == pytest.approx(0.8 * attack_s, abs=0.015)  # of a straight line, from 10 to 90 %
    assert found.sustain_db == pytest.approx(20 * np.log10(0.5), abs=1.0)
    assert found.release_s == pytest.approx(release_s, abs=0.015)
    assert found.confidence > 0.4


def test_a_plucked_sound_holds_nothing(tmp_path: Path) -> None:
    time = np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
    pluck = np.tile(10 ** (-60 * time / 0.3 / 20) * np.sin(2 * np.pi * 440 * time), 16)
    found = hear_envelope(stem_levels({"other": recorded(pluck, tmp_path)}).mean_square["other"])
    assert found is not None
    assert found.sustain_db is None
    assert found.decay_s == pytest.approx(0.1, abs=0.02)  # −20 dB of −60 dB in 0.3 s


@pytest.mark.parametrize("samples", [np.zeros(SAMPLE_RATE), np.full(10, 0.1), np.ones(SAMPLE_RATE) * 0.1])
def test_silence_a_click_and_a_steady_level_have_no_envelope(tmp_path: Path, samples: np.ndarray) -> None:
    assert hear_envelope(stem_levels({"other": recorded(samples, tmp_path)}).mean_square["other"]) is None


@pytest.mark.parametrize("rate", [8000, 44_100, 48_000])
def test_levels_of_a_stem_are_its_power_each_ten_milliseconds_and_between_edges(
    tmp_path: Path, rate: int
) -> None:
    samples = np.concatenate([np.full(rate, 0.5), np.full(rate, 0.05)]).astype(np.float32)[np.newaxis]
    levels = stem_levels({"bass": write_samples(tmp_path / "stem.wav", samples, rate)})
    assert len(levels.mean_square["bass"]) == 2 * RATE
    assert in_db(levels.mean_square["bass"][[0, -1]]) == pytest.approx([-6.02, -26.02], abs=0.01)
    assert levels.in_spans(np.array([0.0, 1.0, 2.0]))[:, 0] == pytest.approx([-6.02, -26.02], abs=0.01)


def filtered_noise(edges_hz: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Pink-ish noise under an edge that is given for every tenth of a second."""
    hop = SAMPLE_RATE // 10
    hertz = np.fft.rfftfreq(2 * hop, 1 / SAMPLE_RATE)
    window = np.hanning(2 * hop + 1)[:-1]
    out = np.zeros((len(edges_hz) + 1) * hop)
    for number, edge in enumerate(edges_hz):
        spectrum = np.fft.rfft(rng.normal(0, 0.1, 2 * hop)) / np.sqrt(np.maximum(hertz, 40) / 40)
        spectrum *= 1 / np.sqrt(1 + (hertz / edge) ** 12)
        out[number * hop : (number + 2) * hop] += window * np.fft.irfft(spectrum)
    return out


def test_a_low_pass_that_opens_is_a_sweep_with_its_times_and_its_ends(tmp_path: Path) -> None:
    still, moving = np.full(40, 400.0), 400.0 * 2 ** np.linspace(0, 4, 60)
    edges = np.concatenate([still, moving, np.full(40, 6400.0)])
    found = find_sweeps(recorded(filtered_noise(edges, np.random.default_rng(0)), tmp_path))
    [sweep] = [each for each in found if each.kind == "low-pass"]
    assert sweep.start_s == pytest.approx(4.0, abs=1.0)
    assert sweep.end_s == pytest.approx(10.0, abs=1.0)
    assert np.log2(sweep.to_hz / sweep.from_hz) == pytest.approx(4.0, abs=1.0)
    assert sweep.confidence >= 0.9


def test_noise_that_stays_as_it_is_has_no_sweep(tmp_path: Path) -> None:
    still = filtered_noise(np.full(150, 3000.0), np.random.default_rng(1))
    assert find_sweeps(recorded(still, tmp_path)) == []
    assert find_sweeps(recorded(np.zeros(SAMPLE_RATE), tmp_path)) == []


def test_noise_that_fades_out_has_no_sweep(tmp_path: Path) -> None:
    still = filtered_noise(np.full(150, 6000.0), np.random.default_rng(2))
    fading = still * 10 ** (-3 * np.linspace(-1, 1, len(still)).clip(0))
    assert find_sweeps(recorded(fading, tmp_path)) == []
