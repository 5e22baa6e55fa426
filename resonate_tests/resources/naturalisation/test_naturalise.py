"""A whole voice: what is off is off, whatever comes in, and however it is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resonate_resources.naturalisation import changes
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

ALL = Amounts(1.0, 1.0, 1.0)


def machine(seconds: float = 3.0) -> Audio:
    """Held like a machine's, without breath, with shimmer."""
    voice = np.concatenate([rest(0.5), sung(held(seconds), harmonics_to=5000), rest(0.5)])
    air = band(np.random.default_rng(3).standard_normal(len(voice)), 5500, 12_000)
    voice = voice + 0.02 * air * np.sqrt(energy(voice) / energy(air)) * (np.abs(voice) > 0)
    return voice + bursts(voice, 20, 0.6) * (np.abs(voice) > 0)


def test_nothing_asked_is_nothing_done(tmp_path: Path) -> None:
    stem = recorded(tmp_path, machine())
    for amounts, part in ((Amounts(), 1.0), (ALL, 0.0)):
        made = naturalise(stem, amounts, tmp_path, part=part)
        assert made.recording is stem
        assert not made.measures
        assert not made.notes
    assert [file.name for file in tmp_path.iterdir()] == ["voice.wav"]


def test_a_machine_s_voice_gets_all_parts_and_says_where(tmp_path: Path) -> None:
    seen: list[float] = []
    made = naturalise(recorded(tmp_path, machine()), ALL, tmp_path, seen.append, part=0.8)
    counts = [made.measures[f"{what}"] for what in ("vibrato_notes", "breath_windows", "shimmer_windows")]
    assert counts == [1, 1, 1]
    assert made.notes[0] == "vibrato in 1 of 1 held notes, at 0:00.5"
    assert made.notes[-1] == "each to 80% of what is asked: as far as the stem is a voice's"
    assert seen == sorted(seen)
    assert seen[-1] == 1
    assert {file.name for file in tmp_path.iterdir()} == {"voice.wav", "naturalised.wav"}


def test_a_natural_voice_is_left_alone(tmp_path: Path) -> None:
    """Pitch that drifts and sways, breath 15 dB under the voice."""
    voice = np.concatenate(
        [sung(held(2.0, vibrato_cents=25.0)), rest(0.3), sung(held(1.0, vibrato_cents=18))]
    )
    noise = np.random.default_rng(1).standard_normal(len(voice)) * np.abs(voice)
    stem = recorded(tmp_path, voice + noise * np.sqrt(energy(voice) / energy(noise) / 30))
    assert naturalise(stem, ALL, tmp_path).recording is stem


def test_how_it_is_read_makes_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stem = recorded(tmp_path, machine())
    once = naturalise(stem, ALL, tmp_path).recording.read()
    monkeypatch.setattr(changes, "BLOCK_FRAMES", 1000)
    assert (once != stem.read()).any()
    np.testing.assert_array_equal(naturalise(stem, ALL, tmp_path).recording.read(), once)


@pytest.mark.parametrize(
    ("rate", "channels", "frames"),
    [(44_100, 2, 0), (44_100, 1, 1), (48_000, 6, 4000), (8_000, 1, 24_000), (192_000, 2, 200_000)],
)
def test_any_shape_keeps_its_shape(rate: int, channels: int, frames: int, tmp_path: Path) -> None:
    voice = sung(held(frames / rate, rate), rate) if frames else np.zeros(0)
    stem = recorded(tmp_path, *[voice] * channels, rate=rate)
    made = naturalise(stem, ALL, tmp_path).recording
    assert (made.sample_rate, made.channels, made.frames) == (rate, channels, frames)
    assert np.isfinite(made.read()).all()


def test_silence_stays_silence(tmp_path: Path) -> None:
    stem = recorded(tmp_path, rest(12.0), rest(12.0))
    assert naturalise(stem, ALL, tmp_path).recording is stem


def test_a_voice_on_opposite_channels_is_heard(tmp_path: Path) -> None:
    voice = machine()
    made = naturalise(recorded(tmp_path, voice, -voice), Amounts(vibrato=1.0), tmp_path)
    assert made.measures["vibrato_notes"] == 1
    one, other = made.recording.read()
    np.testing.assert_allclose(one, -other, atol=1e-6)


def test_a_loop_begins_and_ends_as_it_did(tmp_path: Path) -> None:
    """A held tone cut anywhere: what is done begins and ends at nothing."""
    whole = sung(held(4.0))[RATE : 3 * RATE]
    stem = recorded(tmp_path, whole)
    made = naturalise(stem, ALL, tmp_path).recording.read()
    ends = [0, 1, -2, -1]
    np.testing.assert_allclose(made[:, ends], stem.read()[:, ends], atol=1e-6)
    assert (made != stem.read()).any()
