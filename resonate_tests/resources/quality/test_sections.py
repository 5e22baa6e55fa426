from __future__ import annotations

import numpy as np
import pytest

from resonate_resources.profiling.sections import find_sections
from resonate_resources.quality.readings import read_off
from resonate_resources.quality.sections import match_sections
from resonate_resources.signal.sections import find_boundaries, seconds_of
from resonate_resources.signal.timbre import TIMBRE_SECONDS, hear_timbre
from resonate_studio.demo_song import DemoSong, PhoneRecording


def timbre(form: str, length: int = 40) -> np.ndarray:
    """Vectors of 40 bands: each letter a spectrum of its own, with 2 dB of variation from vector to vector."""
    rng = np.random.default_rng(3)
    spectra = {letter: -40 + 8 * rng.standard_normal(40) for letter in "ABCDE"}
    rows = np.array([spectra[letter] for letter in form for _ in range(length)])
    return (rows + 2 * rng.standard_normal(rows.shape)).astype(np.float32)


@pytest.mark.parametrize("source", ["mix", "phone"])
def test_the_sections_that_are_judged_are_those_that_the_profile_shows(
    source: str, demo_song: DemoSong, phone_recording: PhoneRecording
) -> None:
    recording = demo_song.mix if source == "mix" else phone_recording.mix
    shown = find_sections(hear_timbre(recording), np.zeros(0), recording.duration)
    judged = seconds_of(find_boundaries(read_off(recording).timbre))
    assert len(judged) > 0
    assert [section.start_s for section in shown[1:]] == judged.tolist()


def test_a_form_matches_itself_in_other_takes() -> None:
    match = match_sections(timbre("ABAC"), timbre("ABAC") + np.float32(3))
    assert (match.f_measure, match.agreement) == (1.0, 1.0)


def test_sections_in_another_order_agree_only_where_they_are_the_same() -> None:
    match = match_sections(timbre("ABCD"), timbre("ACBD"))
    assert match.f_measure == 1.0
    assert match.agreement == pytest.approx(0.5, abs=0.05)


def test_a_section_that_is_missing_takes_its_boundary_along() -> None:
    # Of three boundaries and two, two match: 2 · 2 / 5.
    match = match_sections(timbre("ABCD"), timbre("ABCC"))
    assert match.f_measure == pytest.approx(0.8)
    assert match.agreement == pytest.approx(0.75, abs=0.05)


def test_boundaries_over_three_seconds_apart_do_not_match() -> None:
    apart = 8
    assert apart * TIMBRE_SECONDS > 3
    match = match_sections(timbre("AB"), np.roll(timbre("AB"), apart, axis=0))
    assert match.f_measure < 1


def test_what_is_too_short_for_one_vector_has_the_form_of_its_like() -> None:
    nothing = np.zeros((0, 40), np.float32)
    assert match_sections(nothing, nothing).f_measure == 1.0
    assert match_sections(nothing, nothing).agreement == 1.0
