from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.recordings.recording import Recording, write_samples
from resonate_resources.separation.splicing import FADE_SECONDS, Span, cut_out, spans_around, splice

RATE = 100
WINDOW = 10 * RATE


def constant(path, value: float, frames: int) -> Recording:
    return write_samples(path, np.full((2, frames), value, np.float32), RATE)


def spliced(folder, frames: int, spans: list[Span], windows: list[Span]) -> np.ndarray:
    """Of zeros, with ones spliced in."""
    track = constant(folder / "track.wav", 0.5, frames)
    stems = {"vocals": constant(folder / "zeros.wav", 0.0, frames)}
    again = [
        (span, {"vocals": constant(folder / f"ones-{span.start}.wav", 1.0, span.stop - span.start)})
        for span in spans
    ]
    into = folder / "into"
    into.mkdir()
    stem = splice(track, stems, again, windows, into)["vocals"]
    assert (stem.sample_rate, stem.channels, stem.frames) == (RATE, 2, frames)
    return stem.read()[0]


def test_within_a_window_there_is_the_one_beyond_it_the_other_and_a_straight_line_of_a_second_between(
    tmp_path,
):
    window = Span(2 * WINDOW, 3 * WINDOW)
    got = spliced(tmp_path, 6 * WINDOW, [Span(WINDOW, 4 * WINDOW)], [window])
    half = round(FADE_SECONDS * RATE / 2)
    assert not got[: window.start - half].any()
    assert (got[window.start + half : window.stop - half] == 1).all()
    assert not got[window.stop + half :].any()
    ramp = (np.arange(2 * half) + 0.5) / (2 * half)
    np.testing.assert_allclose(got[window.start - half : window.start + half], ramp, atol=1e-6)
    np.testing.assert_allclose(got[window.stop - half : window.stop + half], ramp[::-1], atol=1e-6)


def test_there_is_no_fade_where_the_track_begins_and_ends(tmp_path):
    frames = 2 * WINDOW + 37
    windows = [Span(0, WINDOW), Span(WINDOW, frames)]
    assert (spliced(tmp_path, frames, [Span(0, frames)], windows) == 1).all()


def test_neighbouring_windows_have_no_fade_between_them(tmp_path):
    windows = [Span(WINDOW, 2 * WINDOW), Span(2 * WINDOW, 3 * WINDOW)]
    got = spliced(tmp_path, 5 * WINDOW, [Span(0, 4 * WINDOW)], windows)
    assert (got[WINDOW + RATE : 3 * WINDOW - RATE] == 1).all()


def test_two_spans_go_each_to_its_place(tmp_path):
    spans = [Span(0, 3 * WINDOW), Span(5 * WINDOW, 8 * WINDOW)]
    windows = [Span(WINDOW, 2 * WINDOW), Span(6 * WINDOW, 7 * WINDOW)]
    got = spliced(tmp_path, 10 * WINDOW, spans, windows)
    assert [got[int((n + 0.5) * WINDOW)] for n in range(10)] == [0, 1, 0, 0, 0, 0, 1, 0, 0, 0]


def test_sums_are_kept(tmp_path):
    rng = np.random.default_rng(0)
    frames = 5 * WINDOW
    mix = rng.uniform(-0.5, 0.5, (2, frames)).astype(np.float32)
    track = write_samples(tmp_path / "track.wav", mix, RATE)
    span = Span(0, 4 * WINDOW)
    parts = []
    for number, (start, stop) in enumerate([(0, frames), (span.start, span.stop)]):
        vocals = rng.uniform(-0.5, 0.5, (2, stop - start)).astype(np.float32)
        both = {"vocals": vocals, "other": mix[:, start:stop] - vocals}
        parts.append(
            {name: write_samples(tmp_path / f"{number}{name}.wav", x, RATE) for name, x in both.items()}
        )
    into = tmp_path / "into"
    into.mkdir()
    stems = splice(track, parts[0], [(span, parts[1])], [Span(WINDOW, 3 * WINDOW)], into)
    assert np.abs(stems["vocals"].read() + stems["other"].read() - mix).max() < 1e-6
    assert np.abs(stems["vocals"].read() - parts[0]["vocals"].read()).max() > 0.1


@given(st.lists(st.integers(0, 30), min_size=1, unique=True), st.integers(0, 3))
def test_spans_hold_their_windows_and_context_and_do_not_touch(numbers, context):
    frames = 31
    spans = spans_around([Span(n, n + 1) for n in numbers], context, frames)
    covered = {frame for span in spans for frame in range(span.start, span.stop)}
    wanted = {f for n in numbers for f in range(max(0, n - context), min(frames, n + 1 + context))}
    assert covered == wanted
    assert all(one.stop < other.start for one, other in itertools.pairwise(spans))


def test_a_span_is_cut_out_as_it_is(tmp_path):
    samples = np.random.default_rng(0).uniform(-1, 1, (3, 1_000_000)).astype(np.float32)
    recording = write_samples(tmp_path / "a.wav", samples, 44_100)
    part = cut_out(recording, Span(300_001, 900_000), tmp_path / "b.wav")
    assert (part.sample_rate, part.frames) == (44_100, 599_999)
    np.testing.assert_array_equal(part.read(), samples[:, 300_001:900_000])


@pytest.mark.parametrize("windows", [[], [Span(WINDOW, 2 * WINDOW)]])
def test_what_was_given_is_not_changed(tmp_path, windows):
    spliced(tmp_path, 3 * WINDOW, [Span(0, 3 * WINDOW)], windows)
    assert not Recording.open(tmp_path / "zeros.wav").read().any()
