"""What must not change is noticed when it does, each by a change of a known size."""

from __future__ import annotations

import numpy as np
import pytest

from resonate_resources.naturalisation.keeping import heard, lost
from resonate_tests.resources.naturalisation.singing import RATE, Audio, band, held, rest, sung


def melody(cents: float = 0.0, late_s: float = 0.0) -> Audio:
    """Two notes, the second late by so much."""
    first, second = (sung(held(0.8, at=at + cents)) for at in (0.0, 400.0))
    return np.concatenate([rest(0.4), first, rest(0.4 + late_s), second, rest(0.5 - late_s)])


def verdict(before: Audio, after: Audio, **told: object) -> str | None:
    was, now = (heard(each[np.newaxis].astype(np.float32), RATE, None) for each in (before, after))
    return lost(was, now, **told)  # type: ignore[arg-type]


def louder(decibels: float, low_hz: float = 0.0, high_hz: float = RATE) -> Audio:
    voice = melody()
    return voice + (10 ** (decibels / 20) - 1) * band(voice, low_hz, high_hz)


@pytest.mark.parametrize("decibels", [0.0, 0.05, -0.05])
def test_what_is_hardly_changed_has_lost_nothing(decibels: float) -> None:
    assert verdict(melody(), louder(decibels)) is None


@pytest.mark.parametrize(
    ("after", "what"),
    [
        (louder(0.15), "loudness"),
        (louder(-0.15), "loudness"),
        (louder(0.5, 2900, 5600), "tone"),
        (louder(-0.5, 2900, 5600), "tone"),
        (melody(cents=4), "pitch"),
        (melody(late_s=0.05), "onsets"),
    ],
    ids=["louder", "softer", "brighter", "duller", "sharp", "late"],
)
def test_what_is_lost_is_named(after: Audio, what: str) -> None:
    assert verdict(melody(), after) == what


def test_an_octave_that_was_to_fall_may_fall_so_far() -> None:
    lowered = tuple(0.5 if octave == 7 else 0.0 for octave in range(10))  # 4 kHz
    assert verdict(melody(), louder(-0.5, 2900, 5600), lowered_db=lowered) is None
    assert verdict(melody(), louder(-1.0, 2900, 5600), lowered_db=lowered) == "tone"


def test_a_voice_that_is_not_voiced_any_more_is_noticed() -> None:
    voice = melody()
    noise = np.random.default_rng(0).standard_normal(len(voice)) * np.abs(voice)
    noise = band(noise, 100, 9000)
    assert verdict(voice, noise * np.sqrt((voice**2).sum() / (noise**2).sum())) is not None
