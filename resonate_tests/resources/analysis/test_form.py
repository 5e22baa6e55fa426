"""Form and arrangement of bars that were made by a plan."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resonate_resources.analysis.arrangement import playing, repeats
from resonate_resources.analysis.form import MOST_BARS, Bars, find_form, letter_of, likeness_of
from resonate_resources.analysis.section_names import name_sections

STEMS = ("vocals", "drums", "bass", "other")


def bars_of(form: str, lengths: list[int], rng: np.random.Generator) -> Bars:
    """Bars of sections: each letter has stems, a timbre and four chords of its own, humanised."""
    plans = {
        letter: (
            np.where(rng.random(4) < 0.5, -60.0, -20.0 + rng.normal(0, 2, 4)),
            rng.normal(-40, 8, 40),
            rng.permutation(12)[:4],
        )
        for letter in sorted(set(form))
    }
    levels, timbre, harmony = [], [], []
    for letter, length in zip(form, lengths, strict=True):
        level, tone, roots = plans[letter]
        for bar in range(length):
            levels.append(level + rng.normal(0, 0.7, 4))
            timbre.append(tone + rng.normal(0, 1.5, 40))
            chord = np.zeros((4, 12))
            chord[:, [(roots[bar % 4] + step) % 12 for step in (0, 4, 7)]] = 1 / np.sqrt(3)
            harmony.append(chord)
    return Bars(np.array(levels), np.array(timbre), np.array(harmony))


@pytest.mark.parametrize("seed", range(5))
def test_sections_are_found_where_they_begin_and_those_that_return_have_their_letter(seed: int) -> None:
    form, lengths = "ABCBCDC", [4, 8, 8, 8, 8, 8, 8]
    bars = bars_of(form, lengths, np.random.default_rng(seed))
    parts = find_form(bars, likeness_of(bars))
    assert [part.start for part in parts] == [0, *np.cumsum(lengths)[:-1].tolist()]
    assert "".join(part.letter for part in parts) == form
    assert min(part.confidence for part in parts) > 0.5


def test_music_that_stays_the_same_has_one_section() -> None:
    bars = bars_of("A", [32], np.random.default_rng(1))
    assert {part.letter for part in find_form(bars, likeness_of(bars))} == {"A"}


def test_no_bars_have_no_form() -> None:
    bars = Bars(np.zeros((0, 4)), np.zeros((0, 40)), np.zeros((0, 4, 12)))
    assert find_form(bars, likeness_of(bars)) == []


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_parts_follow_each_other_without_gaps_to_the_last_bar(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    bars = Bars(rng.uniform(-100, 0, (count, 3)), rng.uniform(-100, 0, (count, 40)), np.zeros((count, 4, 12)))
    parts = find_form(bars, likeness_of(bars))
    assert parts[0].start == 0
    assert parts[-1].end == count
    assert all(before.end == after.start for before, after in pairwise(parts))
    assert all(0 <= part.confidence <= 1 for part in parts)


def test_memory_is_linear_in_hours_of_bars() -> None:
    rng = np.random.default_rng(0)
    count = 3 * MOST_BARS
    bars = Bars(rng.uniform(-40, 0, (count, 4)), rng.uniform(-40, 0, (count, 40)), np.zeros((count, 4, 12)))
    assert likeness_of(bars).shape == (count, MOST_BARS)


def test_letters_go_on_after_z() -> None:
    assert [letter_of(number) for number in (0, 25, 26, 52)] == ["A", "Z", "A1", "A2"]


def test_a_bar_repeats_the_first_one_that_it_is_like() -> None:
    bars = bars_of("AB", [4, 4], np.random.default_rng(3))
    twice = Bars(*(np.concatenate([part, part]) for part in (bars.levels_db, bars.timbre, bars.harmony)))
    assert repeats(likeness_of(twice))[8:] == list(range(8))


def test_a_stem_plays_where_it_is_loud_and_not_where_it_only_rings_or_leaks() -> None:
    levels = np.array(
        [[-15.0, -12.0, -50.0], [-45.0, -12.0, -50.0], [-16.0, -90.0, -50.0], [-90.0, -90.0, -90.0]]
    )
    assert playing(levels, ("vocals", "drums", "other"), {"other"}) == [
        ("vocals", "drums"),
        ("drums",),
        ("vocals",),
        (),
    ]


def test_a_chorus_is_what_returns_loudest_between_a_thin_beginning_and_a_thin_end() -> None:
    named = name_sections("ABCBCDCE", [-30, -20, -16, -20, -16, -22, -16, -30], [1, 4, 4, 4, 4, 3, 4, 1])
    assert [name for name, _ in named] == [
        "intro", "verse", "chorus", "verse", "chorus", "bridge", "chorus", "outro",
    ]  # fmt: skip
    assert all(0 < sure < 1 for _, sure in named)


def test_sections_that_nothing_tells_apart_have_no_names() -> None:
    assert name_sections("AAA", [-20, -20, -20], [4, 4, 4]) == [(None, 0.0)] * 3
