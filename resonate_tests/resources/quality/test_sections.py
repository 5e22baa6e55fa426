from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from resonate_resources.quality.playing import section_boundaries
from resonate_resources.quality.readings import Readings, read_off
from resonate_resources.recordings.recording import write_samples
from resonate_resources.signal.timbre import TIMBRE_SECONDS

LENGTH = 40
STARTS = [LENGTH * TIMBRE_SECONDS * number for number in (1, 2, 3)]


def timbre(form: str) -> np.ndarray:
    """Vectors of 40 bands: each letter a spectrum of its own, with 2 dB of variation from vector to vector."""
    rng = np.random.default_rng(3)
    spectra = {letter: -40 + 8 * rng.standard_normal(40) for letter in "ABCDE"}
    rows = np.array([spectra[letter] for letter in form for _ in range(LENGTH)])
    return (rows + 2 * rng.standard_normal(rows.shape)).astype(np.float32)


@pytest.fixture
def readings(tmp_path: Path) -> Readings:
    frames = round(4 * LENGTH * TIMBRE_SECONDS * 8000)
    return read_off(write_samples(tmp_path / "silence.wav", np.zeros((1, frames), np.float32), 8000))


def apart(readings: Readings, form: str, other: str, shift: int = 0) -> float:
    before, after = (replace(readings, timbre=timbre(each)) for each in (form, other))
    after = replace(after, timbre=np.roll(after.timbre, shift, axis=0) + np.float32(3))
    return section_boundaries(before, after, STARTS).amount


def test_a_form_matches_itself_in_another_take(readings: Readings) -> None:
    assert apart(readings, "ABAC", "ABAC") < 0.01


def test_sections_in_another_order_differ_in_half_of_the_time_and_in_all_changes(readings: Readings) -> None:
    # All changes lead elsewhere: unrelated directions of one length lie √2 apart, of at most 2.
    assert apart(readings, "ABCD", "ACBD") == pytest.approx((0.5 + 2**-0.5) / 2, abs=0.12)


def test_a_section_that_is_missing_takes_its_change_along(readings: Readings) -> None:
    # A quarter of the time is another section's, and one of three changes, by half of itself, is not there.
    assert apart(readings, "ABCD", "ABCC") == pytest.approx((0.25 + 0.5 / 3) / 2, abs=0.05)


def test_a_form_that_comes_late_differs_by_how_late_it_comes(readings: Readings) -> None:
    late = [apart(readings, "ABCD", "ABCD", shift) for shift in (0, 2, 6, 12)]
    assert late == sorted(late)
    assert late[-1] > 0.2


def test_a_section_that_is_louder_and_sounds_the_same_is_no_other(readings: Readings) -> None:
    before = replace(readings, timbre=timbre("ABAC"))
    louder = before.timbre + np.float32(6) * (np.arange(4 * LENGTH) // LENGTH == 1)[:, None]
    assert section_boundaries(before, replace(before, timbre=louder), STARTS).amount < 0.01


def test_what_is_too_short_for_one_vector_has_the_form_of_its_like(readings: Readings) -> None:
    nothing = replace(readings, timbre=np.zeros((0, 40), np.float32))
    assert section_boundaries(nothing, nothing, STARTS).amount == 0
