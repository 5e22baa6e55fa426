from itertools import count, pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resonate_resources.models.chunks import chunk_bounds, cut, separate_in_chunks
from resonate_resources.recordings.recording import Recording, silent, write_samples
from resonate_resources.separation.spectral.stft import Stft


@given(frames=st.integers(1, 5000), chunk=st.integers(10, 900), data=st.data())
def test_chunks_cover_a_track_of_any_length_and_overlap_by_the_fade(frames, chunk, data):
    fade = data.draw(st.integers(0, chunk // 2))
    bounds = list(chunk_bounds(frames, chunk, fade))
    assert bounds[0][0] == 0
    assert bounds[-1][1] == frames
    for (start, stop), (following, _) in pairwise(bounds):
        assert start < following <= stop - fade
        assert stop - start == chunk


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frames=st.integers(1, 40_000), channels=st.integers(1, 6), chunk=st.integers(64, 9000), data=st.data())
def test_an_engine_that_changes_nothing_gives_the_track_back_at_any_length(
    tmp_path, frames, channels, chunk, data
):
    fade = data.draw(st.integers(1, chunk // 2))
    rng = np.random.default_rng(frames)
    samples = rng.uniform(-1, 1, (channels, frames)).astype(np.float32)
    track = write_samples(tmp_path / "track.wav", samples, 44100)
    stft = Stft(256)

    def identity(block):
        return {"other": stft.inverse(stft.forward(block), block.shape[1])}

    stems = separate_in_chunks(track, identity, ("other",), tmp_path, chunk=chunk, fade=fade, progress=silent)
    error = stems["other"].read() - samples
    assert np.abs(error).max() < 1e-6  # -120 dBFS: float32 through two FFTs


def test_neighbouring_chunks_fade_linearly_into_each_other(tmp_path):
    track = write_samples(tmp_path / "track.wav", np.arange(180, dtype=np.float32)[None] / 180, 44100)

    def constant(block):
        """0 for the chunk that begins with the track, 1 for the other one."""
        return {"other": np.full_like(block, block[0, 0] > 0)}

    stem = separate_in_chunks(track, constant, ("other",), tmp_path, chunk=100, fade=20, progress=silent)[
        "other"
    ].read()[0]
    assert np.all(stem[:80] == 0)
    assert np.all(stem[100:] == 1)
    np.testing.assert_allclose(stem[80:100], (np.arange(20) + 0.5) / 20, atol=1e-6)


def test_a_failed_separation_leaves_no_half_written_stems(tmp_path):
    track = write_samples(tmp_path / "track.wav", np.zeros((1, 300), np.float32), 44100)
    chunks = count(1)

    def fails_on_the_third_chunk(block):
        if next(chunks) == 3:
            raise ValueError("no third chunk")
        return {"other": block}

    with pytest.raises(ValueError, match="no third chunk"):
        separate_in_chunks(
            track, fails_on_the_third_chunk, ("other",), tmp_path, chunk=100, fade=20, progress=silent
        )
    assert list(tmp_path.iterdir()) == [track.path]


def test_progress_rises_to_one(tmp_path):
    track: Recording = write_samples(tmp_path / "track.wav", np.zeros((2, 1000), np.float32), 8000)
    seen: list[float] = []
    separate_in_chunks(
        track, lambda b: {"other": b}, ("other",), tmp_path, chunk=100, fade=10, progress=seen.append
    )
    assert seen == sorted(seen)
    assert seen[-1] == 1


@given(frames=st.integers(1, 3000), chunk=st.integers(10, 900), block=st.integers(1, 700), data=st.data())
def test_a_stream_is_cut_into_the_same_chunks_as_a_file(frames, chunk, block, data):
    bounds = list(chunk_bounds(frames, chunk, data.draw(st.integers(0, chunk // 2))))
    samples = np.arange(2 * frames, dtype=np.float32).reshape(2, frames)
    stream = (samples[:, first : first + block] for first in range(0, frames, block))
    for (start, stop), cut_out in zip(bounds, cut(stream, bounds), strict=True):
        np.testing.assert_array_equal(cut_out, samples[:, start:stop])
