"""Vibrato, heard by the phase of the fundamental and not by the tracker that finds the notes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resonate_resources.naturalisation.amounts import Amounts
from resonate_resources.naturalisation.naturalise import Naturalised, naturalise
from resonate_resources.naturalisation.vibrato import delayed, swaying_delay
from resonate_resources.recordings.recording import Recording
from resonate_tests.resources.naturalisation.singing import RATE, Audio, cents_of, held, recorded, rest, sung


def swayed(stem: Recording, folder: Path, amount: float = 1.0, part: float = 1.0) -> Naturalised:
    return naturalise(stem, Amounts(vibrato=amount), folder, part=part)


def line(*seconds: float, **curve: float) -> Audio:
    """Notes with rests of 0.6 s around them."""
    parts = [rest(0.6)]
    for number, length in enumerate(seconds):
        parts += [sung(held(length, at=300.0 * number, **curve)), rest(0.6)]
    return np.concatenate(parts)


def test_a_note_held_like_a_machine_s_sways_at_4_5_hz_by_12_cents(tmp_path: Path) -> None:
    made = swayed(recorded(tmp_path, line(2.5)), tmp_path).recording.read()[0]
    curve = cents_of(made, 220.0)[round(0.6 * RATE) : round(3.1 * RATE)]
    middle = curve[round(0.7 * RATE) : round(2.3 * RATE)]
    assert np.abs(middle).max() == pytest.approx(12, abs=0.5)
    spectrum = np.abs(np.fft.rfft((middle - middle.mean()) * np.hanning(len(middle)), 1 << 20))
    assert np.argmax(spectrum) * RATE / (1 << 20) == pytest.approx(4.5, abs=0.15)
    begun = curve[round(0.1 * RATE) : round(0.3 * RATE)]
    assert np.abs(begun).max() < 0.5
    assert abs(np.median(curve)) < 2


@pytest.mark.parametrize(("amount", "part"), [(0.5, 1.0), (1.0, 0.5)])
def test_half_of_it_is_half_as_far(amount: float, part: float, tmp_path: Path) -> None:
    made = swayed(recorded(tmp_path, line(2.5)), tmp_path, amount, part).recording.read()[0]
    assert np.abs(cents_of(made, 220.0)[round(1.3 * RATE) : round(2.8 * RATE)]).max() == pytest.approx(
        6, abs=0.3
    )


def test_it_delays_nothing_in_the_mean() -> None:
    delay = swaying_delay(round(3.0 * RATE), RATE, 12.0)
    assert delay[0] == delay[-1] == 0
    assert not delay[: round(0.3 * RATE)].any()
    # 12 cents are 0.70 %: over a turn of 4.5 Hz, 0.246 ms.
    assert np.abs(delay).max() == pytest.approx(0.000246 * RATE, rel=0.02)
    cycle = round(RATE / 4.5)
    assert abs(delay[RATE : RATE + 6 * cycle].mean()) < 0.02 * np.abs(delay).max()


def test_what_is_around_the_notes_is_left_sample_for_sample(tmp_path: Path) -> None:
    stem = recorded(tmp_path, line(1.5, 0.3, 1.2), 0.5 * line(1.5, 0.3, 1.2))
    made = swayed(stem, tmp_path)
    assert made.measures["vibrato_notes"] == 2
    before, after = stem.read(), made.recording.read()
    moved = np.flatnonzero((before != after).any(axis=0)) / RATE
    inside = ((moved > 0.6) & (moved < 2.12)) | (
        (moved > 3.6) & (moved < 4.82)
    )  # to a frame, and a filter's length
    assert inside.all()
    assert len(moved) > RATE
    np.testing.assert_allclose(after[1], 0.5 * after[0], atol=1e-6)  # both channels sway as one


@pytest.mark.parametrize(("seconds", "cents"), [(2.0, 15.0), (0.4, 0.0)], ids=["swaying", "short"])
def test_notes_that_sway_by_themselves_and_short_ones_are_left_alone(
    seconds: float, cents: float, tmp_path: Path
) -> None:
    stem = recorded(tmp_path, line(seconds, seconds, vibrato_cents=cents))
    made = swayed(stem, tmp_path)
    assert made.recording == stem
    assert made.measures["vibrato_notes"] == 0


def test_a_little_less_like_a_machine_s_gets_a_little_less(tmp_path: Path) -> None:
    """A standard deviation of 5.9 cents: between a machine's and a singer's."""
    made = swayed(recorded(tmp_path, line(2.5, vibrato_cents=5.9 * 2**0.5)), tmp_path)
    assert 3 < made.measures["vibrato_cents"] < 9


def test_a_tone_is_delayed_as_a_tone_is() -> None:
    t = np.arange(20_000)
    delay = 5 * np.sin(2 * np.pi * t / 9000)
    for hertz in (200.0, 3000.0, 15_000.0):
        turn = 2 * np.pi * hertz / RATE
        made = delayed(np.sin(turn * t)[np.newaxis].astype(np.float32), delay)[0]
        assert np.abs(made - np.sin(turn * (t - delay)))[100:-100].max() < 2e-4  # −74 dB
