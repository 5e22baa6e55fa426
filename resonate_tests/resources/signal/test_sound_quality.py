"""The score falls with every defect, and knows what it does not know."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.signal.sound_quality import Measures, sound_quality

GOOD = Measures(
    noise_db=60,
    hum_db=float("-inf"),
    loudness_lufs=-14,
    dynamics_db=12,
    centroid_hz=2000,
    bandwidth_hz=20_000,
    flat_tops_per_min=0,
    shimmer=0.1,
    wander_cents=15,
)

WORSE = {
    "noise_db": (60.0, 0.0),
    "hum_db": (-80.0, 0.0),
    "loudness_lufs": (-14.0, -60.0),
    "dynamics_db": (12.0, 0.0),
    "centroid_hz": (2000.0, 12_000.0),
    "bandwidth_hz": (20_000.0, 1000.0),
    "flat_tops_per_min": (0.0, 5000.0),
    "shimmer": (0.1, 1.0),
    "wander_cents": (15.0, 0.0),
}


def test_without_a_defect_it_is_100_and_with_all_of_them_0() -> None:
    assert sound_quality(GOOD).total == 100
    worst = replace(GOOD, **{name: ends[1] for name, ends in WORSE.items()})
    assert sound_quality(worst).total == 0


@given(
    name=st.sampled_from(sorted(WORSE)),
    others=st.lists(st.floats(0, 1), min_size=9, max_size=9),
    steps=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_a_larger_defect_never_scores_higher(
    name: str, others: list[float], steps: tuple[float, float]
) -> None:
    def at(part: float, ends: tuple[float, float]) -> float:
        return ends[0] + part * (ends[1] - ends[0])

    some = {key: at(part, WORSE[key]) for key, part in zip(WORSE, others, strict=True)}
    totals = [
        sound_quality(Measures(**{**some, name: at(part, WORSE[name])})).total for part in sorted(steps)
    ]
    assert totals[0] is not None
    assert totals[1] is not None
    assert totals[1] <= totals[0] + 1e-9


def test_what_is_not_known_is_no_part_of_it() -> None:
    assert sound_quality(Measures()).total is None
    assert set(sound_quality(replace(GOOD, shimmer=None)).parts) == set(sound_quality(GOOD).parts) - {
        "metallic"
    }


@pytest.mark.parametrize(("lufs", "full"), [(-23.0, True), (-8.0, True), (-2.0, False), (-45.0, False)])
def test_broadcast_and_club_loudness_are_both_well(lufs: float, full: bool) -> None:
    assert (sound_quality(replace(GOOD, loudness_lufs=lufs)).parts["loudness"] == 100) == full
