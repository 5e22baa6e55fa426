"""Breath, and how clear a voice is, against mixtures of harmonics and noise that are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soxr

from resonate_resources.naturalisation.amounts import Amounts
from resonate_resources.naturalisation.breath import clearness
from resonate_resources.naturalisation.naturalise import naturalise
from resonate_resources.naturalisation.stretches import cents
from resonate_resources.signal.pitch_track import pitch_of
from resonate_tests.resources.naturalisation.singing import (
    RATE,
    Audio,
    band,
    energy,
    held,
    recorded,
    rest,
    sung,
)

SWAYING = 20.0  # so that vibrato would leave it alone


def with_noise(voice: Audio, clear_db: float, seed: int = 0) -> Audio:
    """Noise between 1 and 4 kHz, so far under what the voice has there."""
    noise = band(np.random.default_rng(seed).standard_normal(len(voice)), 1000, 4000)
    there = energy(band(voice, 1000, 4000))
    return voice + noise * np.sqrt(there / energy(noise) / 10 ** (clear_db / 10))


def heard_db(voice: Audio) -> float:
    mono = soxr.resample(voice, RATE, 16_000).astype(np.float32)
    found = clearness(mono, cents(pitch_of(mono, 80, 1200).hertz))
    assert found is not None
    return found


@pytest.mark.parametrize("clear_db", [5.0, 10.0, 15.0, 20.0])
def test_harmonics_over_noise_are_heard_as_they_were_mixed(clear_db: float) -> None:
    assert heard_db(with_noise(sung(held(4.0)), clear_db)) == pytest.approx(clear_db, abs=1.0)


def test_pitch_that_moves_is_no_noise() -> None:
    assert heard_db(sung(held(4.0, vibrato_cents=20.0))) > 27


def test_a_voice_clearer_than_voices_is_given_breath_in_its_band(tmp_path: Path) -> None:
    voice = np.concatenate([rest(0.5), sung(held(3.0, vibrato_cents=SWAYING)), rest(0.5)])
    stem = recorded(tmp_path, voice)
    made = naturalise(stem, Amounts(breath=1.0), tmp_path)
    added = made.recording.read()[0].astype(np.float64) - stem.read()[0]
    under_db = 10 * np.log10(energy(added) / energy(band(voice, 1000, 4000)))
    assert -33 < under_db < -26
    assert energy(band(added, 800, 5000)) > 0.95 * energy(added)
    sounding = np.flatnonzero(added) / RATE
    assert sounding.min() >= 0.5
    assert sounding.max() <= 3.5
    assert heard_db(made.recording.read()[0]) < heard_db(voice) - 1


def test_half_of_it_is_half_the_power(tmp_path: Path) -> None:
    voice = np.concatenate([rest(0.5), sung(held(3.0, vibrato_cents=SWAYING)), rest(0.5)])
    stem = recorded(tmp_path, voice)
    power = []
    for amount in (1.0, 0.5):
        (tmp_path / str(amount)).mkdir()
        made = naturalise(stem, Amounts(breath=amount), tmp_path / str(amount)).recording.read()
        power.append(energy(made.astype(np.float64) - stem.read()))
    assert power[1] / power[0] == pytest.approx(0.5, rel=0.01)


def test_the_same_voice_gets_the_same_breath_and_all_its_channels_one(tmp_path: Path) -> None:
    voice = sung(held(3.0, vibrato_cents=SWAYING))
    stem = recorded(tmp_path, voice, 0.5 * voice)
    once, again = (
        naturalise(stem, Amounts(breath=1.0), folder).recording.read()
        for folder in (tmp_path / "once", tmp_path / "again")
        if folder.mkdir() is None
    )
    np.testing.assert_array_equal(once, again)
    assert (once != stem.read()).any()
    np.testing.assert_allclose(once[1], 0.5 * once[0], atol=1e-6)


def test_a_voice_with_breath_is_left_alone(tmp_path: Path) -> None:
    stem = recorded(tmp_path, with_noise(sung(held(3.0, vibrato_cents=SWAYING)), 15.0))
    made = naturalise(stem, Amounts(breath=1.0), tmp_path)
    assert made.recording == stem
    assert made.measures == {"sung_windows": 1, "breath_windows": 0}
