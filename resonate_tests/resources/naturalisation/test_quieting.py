"""Less shimmer, against the voice without it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resonate_resources.naturalisation.amounts import Amounts
from resonate_resources.naturalisation.naturalise import naturalise
from resonate_tests.resources.naturalisation.singing import (
    RATE,
    Audio,
    band,
    bursts,
    energy,
    held,
    recorded,
    rest,
    sung,
)


def breathy() -> Audio:
    """A voice that has no lines over 5 kHz, but breath."""
    voice = sung(held(6.0, vibrato_cents=20.0), harmonics_to=5000)
    noise = band(np.random.default_rng(3).standard_normal(len(voice)), 1000, 16_000)
    return voice + 0.03 * noise * np.sqrt(energy(voice) / energy(noise))


def test_a_third_of_the_shimmer_goes_and_what_is_left_is_nearer_to_the_voice(tmp_path: Path) -> None:
    voice = breathy()
    added = bursts(voice, 20, 0.6)
    stem = recorded(tmp_path, voice + added)
    made = naturalise(stem, Amounts(shimmer=1.0), tmp_path)
    assert made.measures["shimmer_windows"] == 1
    after = made.recording.read()[0].astype(np.float64)
    left = energy(after - voice) / energy(added)
    assert 0.55 < left < 0.8  # 0.7 is asked of what is found
    changed = after - stem.read()[0]
    assert energy(band(changed, 5800, 10_200)) > 0.99 * energy(changed)


def test_half_of_it_takes_half_as_much(tmp_path: Path) -> None:
    voice = breathy()
    added = bursts(voice, 20, 0.6)
    stem = recorded(tmp_path, voice + added)
    after = naturalise(stem, Amounts(shimmer=0.5), tmp_path).recording.read()[0].astype(np.float64)
    assert 0.75 < energy(after - voice) / energy(added) < 0.9


@pytest.mark.parametrize("part", [0.0, 0.05])
def test_a_voice_with_as_much_as_voices_have_is_left_alone(part: float, tmp_path: Path) -> None:
    voice = breathy()
    stem = recorded(tmp_path, voice + (bursts(voice, 20, part) if part else 0))
    assert naturalise(stem, Amounts(shimmer=1.0), tmp_path).recording == stem


def test_silence_beside_it_stays_silent(tmp_path: Path) -> None:
    voice = breathy()
    sounding = voice + bursts(voice, 20, 0.6)
    stem = recorded(tmp_path, np.concatenate([rest(3.0), sounding, rest(3.0)]))
    made = naturalise(stem, Amounts(shimmer=1.0), tmp_path)
    after = made.recording.read()[0]
    assert made.measures["shimmer_windows"] == 1
    assert not after[: round(2.9 * RATE)].any()
    assert not after[-round(2.9 * RATE) :].any()
