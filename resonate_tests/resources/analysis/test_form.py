"""Form and arrangement of bars that were made by a plan."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resonate_resources.analysis.arrangement import playing, repeats
from resonate_resources.analysis.form import best_starts, find_form, letter_of
from resonate_resources.analysis.likeness import MOST_BARS, PARTS, Bars, likeness_of
from resonate_resources.analysis.section_names import name_sections
from resonate_resources.analysis.section_starts import NAMES, described

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
    return bars_of_levels(np.array(levels), np.array(timbre), np.array(harmony))


def bars_of_levels(levels: np.ndarray, timbre: np.ndarray, harmony: np.ndarray) -> Bars:
    """Stems that are as loud in every part of a bar."""
    return Bars(levels, np.repeat(levels[:, np.newaxis], PARTS, axis=1), timbre, harmony)


@pytest.mark.parametrize("seed", range(5))
def test_sections_are_found_where_they_begin_and_those_that_return_have_their_letter(seed: int) -> None:
    form, lengths = "ABCBCDC", [4, 8, 8, 8, 8, 8, 8]
    bars = bars_of(form, lengths, np.random.default_rng(seed))
    parts = find_form(bars, likeness_of(bars))
    assert [part.start for part in parts] == [0, *np.cumsum(lengths)[:-1].tolist()]
    assert "".join(part.letter for part in parts) == form
    assert min(part.confidence for part in parts) > 0.5


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(-4, 4), min_size=9, max_size=9))
def test_starts_are_the_best_of_all_ways_to_divide_bars_and_as_sure_as_their_share(odds: list[float]) -> None:
    """Every way, counted out: lengths as welcome as the documented table says."""
    welcome = {1: -3.0, 2: -0.8, 3: -1.2, 4: 0.5, 5: -0.6, 6: 0.2, 7: -0.6, 8: 1.0, 9: -0.6}
    ways = {}
    for inner in range(9):
        for starts in combinations(range(1, 9), inner):
            edges = [0, *starts, 9]
            lengths = sum(
                max(welcome[b - a], -0.6) if a == 0 or b == 9 else welcome[b - a] for a, b in pairwise(edges)
            )
            ways[starts] = lengths + sum(odds[start] for start in starts)
    found, posterior = best_starts(np.array(odds))
    assert ways[tuple(found[1:])] == pytest.approx(max(ways.values()))
    weights = {starts: np.exp(value) for starts, value in ways.items()}
    shares = [sum(w for starts, w in weights.items() if bar in starts) for bar in range(1, 9)]
    np.testing.assert_allclose(posterior[1:], np.array(shares) / sum(weights.values()), rtol=1e-6)


def test_a_fill_speaks_for_the_bar_after_it() -> None:
    plain = bars_of("A", [16], np.random.default_rng(2))
    parts = plain.parts_db.copy()
    parts[7, 4:, 1] += 12.0  # the drums, from the middle of the eighth bar
    bars = Bars(plain.levels_db, parts, plain.timbre, plain.harmony)
    fill = described(bars, likeness_of(bars))[:, NAMES.index("fill")]
    assert int(fill.argmax()) == 8


def test_music_that_stays_the_same_has_one_section() -> None:
    bars = bars_of("A", [32], np.random.default_rng(1))
    assert {part.letter for part in find_form(bars, likeness_of(bars))} == {"A"}


def test_no_bars_have_no_form() -> None:
    bars = bars_of_levels(np.zeros((0, 4)), np.zeros((0, 40)), np.zeros((0, 4, 12)))
    assert find_form(bars, likeness_of(bars)) == []


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_parts_follow_each_other_without_gaps_to_the_last_bar(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    bars = bars_of_levels(
        rng.uniform(-100, 0, (count, 3)), rng.uniform(-100, 0, (count, 40)), np.zeros((count, 4, 12))
    )
    parts = find_form(bars, likeness_of(bars))
    assert parts[0].start == 0
    assert parts[-1].end == count
    assert all(before.end == after.start for before, after in pairwise(parts))
    assert all(0 <= part.confidence <= 1 for part in parts)


def test_memory_is_linear_in_hours_of_bars() -> None:
    rng = np.random.default_rng(0)
    count = 3 * MOST_BARS
    bars = bars_of_levels(
        rng.uniform(-40, 0, (count, 4)), rng.uniform(-40, 0, (count, 40)), np.zeros((count, 4, 12))
    )
    assert likeness_of(bars).shape == (count, MOST_BARS)


def test_letters_go_on_after_z() -> None:
    assert [letter_of(number) for number in (0, 25, 26, 52)] == ["A", "Z", "A1", "A2"]


def test_a_bar_repeats_the_first_one_that_it_is_like() -> None:
    bars = bars_of("AB", [4, 4], np.random.default_rng(3))
    twice = bars_of_levels(
        *(np.concatenate([part, part]) for part in (bars.levels_db, bars.timbre, bars.harmony))
    )
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
