from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resonate_resources.profiling.sections import find_sections
from resonate_resources.signal.band_levels import Floats
from resonate_resources.signal.timbre import TIMBRE_SECONDS, hear_timbre
from resonate_studio.demo_song import DemoSong

NO_BEATS = np.zeros(0)


def timbre(form: str, lengths: list[int]) -> Floats:
    """Vectors of 40 bands: each letter a spectrum of its own, with 2 dB of variation from vector to vector."""
    rng = np.random.default_rng(3)
    spectra = {letter: -40 + 8 * rng.standard_normal(40) for letter in sorted(set(form))}
    rows = [spectra[letter] for letter, length in zip(form, lengths, strict=True) for _ in range(length)]
    return (np.array(rows) + 2 * rng.standard_normal((len(rows), 40))).astype(np.float32)


@given(st.lists(st.integers(24, 80), min_size=5, max_size=5))
@settings(max_examples=30)
def test_a_songs_form_is_found_with_its_repeats(lengths: list[int]) -> None:
    duration = sum(lengths) * TIMBRE_SECONDS
    sections = find_sections(timbre("ABABC", lengths), NO_BEATS, duration)
    assert "".join(section.label for section in sections) == "ABABC"
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]) * TIMBRE_SECONDS
    np.testing.assert_allclose([section.start_s for section in sections], starts, atol=2 * TIMBRE_SECONDS)


@given(st.integers(2, 400), st.booleans())
@settings(max_examples=30)
def test_sections_cover_the_whole_recording(count: int, with_beats: bool) -> None:
    vectors = timbre("AB", [count // 2, count - count // 2])
    duration = count * TIMBRE_SECONDS + 0.3
    sections = find_sections(vectors, np.arange(0.2, duration, 0.5) if with_beats else NO_BEATS, duration)
    assert sections[0].start_s == 0
    assert sections[-1].end_s == duration
    for section, following in pairwise(sections):
        assert section.start_s < section.end_s == following.start_s


def test_sections_begin_on_beats() -> None:
    beats = np.arange(0, 60, 0.47)
    sections = find_sections(timbre("AB", [60, 57]), beats, 117 * TIMBRE_SECONDS)
    assert len(sections) == 2
    assert sections[1].start_s in beats


def test_music_that_does_not_change_is_one_section() -> None:
    assert [section.label for section in find_sections(timbre("A", [200]), NO_BEATS, 102.0)] == ["A"]


def test_the_demos_verse_and_outro_begin_where_they_were_composed(demo_song: DemoSong) -> None:
    composition = demo_song.composition
    found = [
        section.start_s
        for section in find_sections(hear_timbre(demo_song.mix), NO_BEATS, demo_song.mix.duration)
    ]
    for section in composition.sections:
        start = section.start * composition.bar_seconds
        assert min(abs(start - time) for time in found) <= 3  # SALAMI's coarse tolerance for boundaries
    assert len(found) == pytest.approx(len(composition.sections), abs=1)


def test_a_recording_too_short_for_one_vector_is_one_section() -> None:
    (section,) = find_sections(np.zeros((0, 40), np.float32), NO_BEATS, 0.2)
    assert (section.start_s, section.end_s) == (0, 0.2)
