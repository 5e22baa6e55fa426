import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.models.chunks import chunk_bounds
from resonate_resources.recordings.recording import Recording, Samples, write_samples
from resonate_resources.separation.spectral import engine as spectral
from resonate_resources.separation.spectral.engine import SpectralSeparator, lift_of, separate_samples
from resonate_resources.signal.si_sdr import measure_si_sdr

NAMES = ["vocals.wav", "drums.wav", "bass.wav", "other.wav"]


def _noise(channels: int, frames: int, level: float = 0.1) -> Samples:
    return (level * np.random.default_rng(frames).standard_normal((channels, frames))).astype(np.float32)


def _sum_of(files: dict[str, Path]) -> Samples:
    return np.sum([Recording.open(file).read() for file in files.values()], axis=0)


def parted(track: Recording, into: Path) -> dict[str, Path]:
    stems = SpectralSeparator().separate(track, into, lambda _: None)
    return {stem.path.name: stem.path for stem in stems.values()}


@pytest.fixture
def separate(tmp_path: Path) -> Callable[[Samples, int], dict[str, Path]]:
    def run(samples: Samples, rate: int) -> dict[str, Path]:
        into = tmp_path / "stems"
        into.mkdir()
        track = write_samples(tmp_path / "track.wav", samples, rate)
        return parted(track, into)

    return run


def test_the_demo_song_comes_apart_by_at_least_six_decibels_a_stem_and_sums_to_itself(demo_song, tmp_path):
    files = parted(demo_song.mix, tmp_path)
    assert list(files) == NAMES
    gains = [
        measure_si_sdr(Recording.open(files[f"{name}.wav"]), truth) - measure_si_sdr(demo_song.mix, truth)
        for name, truth in demo_song.stems.items()
    ]
    assert len(gains) == 4
    assert sum(gains) / 4 >= 6
    error = _sum_of(files) - demo_song.mix.read()
    assert 10 * math.log10(np.square(error).mean() / np.square(demo_song.mix.read()).mean()) <= -60


def test_a_phone_recording_comes_apart_too(phone_recording, tmp_path):
    files = parted(phone_recording.mix, tmp_path)
    gains = [
        measure_si_sdr(Recording.open(files[f"{name}.wav"]), truth)
        - measure_si_sdr(phone_recording.mix, truth)
        for name, truth in phone_recording.stems.items()
    ]
    assert sum(gains) / 4 >= 6


@pytest.mark.parametrize("silent", ["vocals", "drums", "bass"])
def test_a_stem_that_is_not_in_the_mix_comes_out_much_quieter_than_the_mix(demo_song, silent):
    rate = demo_song.mix.sample_rate
    span = (15 * rate, 30 * rate)
    mix = np.sum([stem.read(*span) for name, stem in demo_song.stems.items() if name != silent], axis=0)
    estimate = separate_samples(mix, rate, lift_of([mix]))[silent]
    # A tenth of the mix's energy, which a quarter each would not reach.
    assert np.square(estimate).mean() <= 0.1 * np.square(mix).mean()


@pytest.mark.parametrize(
    ("channels", "frames", "rate"),
    [
        (1, 1, 44100),
        (2, 1, 8000),
        (1, 30_000, 8000),
        (2, 50_001, 48000),
        (6, 50_000, 44100),
        (2, 200_000, 192_000),
    ],
)
def test_stems_have_the_tracks_shape_and_sum_to_it_whatever_its_rate_channels_and_length(
    separate, channels, frames, rate
):
    samples = _noise(channels, frames)
    files = separate(samples, rate)
    for file in files.values():
        stem = Recording.open(file)
        assert (stem.channels, stem.frames, stem.sample_rate) == (channels, frames, rate)
        assert np.isfinite(stem.read()).all()
    assert np.abs(_sum_of(files) - samples).max() <= 1e-3 * np.abs(samples).max()


def test_silence_gives_four_silent_stems(separate):
    files = separate(np.zeros((2, 60_000), np.float32), 44100)
    assert list(files) == NAMES
    for file in files.values():
        assert not Recording.open(file).read().any()


def test_an_offset_goes_to_no_instrument(separate):
    files = separate(_noise(2, 90_000, 0.01) + np.float32(0.5), 44100)
    for name in NAMES[:3]:
        assert abs(Recording.open(files[name]).read().mean()) < 1e-3
    assert Recording.open(files["other.wav"]).read().mean() == pytest.approx(0.5, abs=1e-3)


def test_the_level_of_a_recording_changes_nothing_but_the_level_of_its_stems(demo_song):
    rate = demo_song.mix.sample_rate
    samples = demo_song.mix.read(10 * rate, 16 * rate)
    quiet = samples * np.float32(1e-2)
    loud, soft = (separate_samples(each, rate, lift_of([each])) for each in (samples, quiet))
    for name, stem in loud.items():
        assert np.abs(100 * soft[name] - stem).max() < 1e-3


def test_the_same_track_gives_the_same_bytes(tmp_path):
    track = write_samples(tmp_path / "track.wav", _noise(2, 100_000), 44100)
    hashes = []
    for attempt in ("first", "second"):
        into = tmp_path / attempt
        into.mkdir()
        files = parted(track, into)
        hashes.append([Recording.open(file).sha256 for file in files.values()])
    assert hashes[0] == hashes[1]


def test_chunks_join_without_a_click(tmp_path, monkeypatch):
    """Where chunks meet, a stem's steps from sample to sample are no larger than elsewhere."""
    monkeypatch.setattr(spectral, "CHUNK_SECONDS", 4.0)
    rate = 44100
    t = np.arange(20 * rate) / rate
    tone = sum(0.1 * np.sin(2 * np.pi * hz * t) for hz in (220, 277.2, 329.6)).astype(np.float32)
    track = write_samples(tmp_path / "track.wav", np.stack([tone, tone]), rate)
    stems = SpectralSeparator().separate(track, tmp_path, lambda _: None)
    for stem in stems.values():
        steps = np.abs(np.diff(stem.read()[0]))
        for k in range(1, 6):  # six chunks of 25/6 s overlap by 1 s: joins lie in 19k/6 … 19k/6 + 1 s
            join = steps[19 * k * rate // 6 : 19 * k * rate // 6 + rate]
            assert join.max() <= 0.001 + np.abs(np.diff(tone)).max()


@given(
    seconds=st.floats(0.001, 40_000),
    rate=st.sampled_from([8000, 44100, 96000, 192000]),
    channels=st.sampled_from([1, 2, 6]),
)
def test_little_is_separated_twice_and_chunks_are_of_some_bars_and_fit_into_memory(seconds, rate, channels):
    track = Recording(Path("track.wav"), rate, channels, max(1, round(seconds * rate)))
    chunk = spectral._chunk_frames(track, rate)
    spans = list(chunk_bounds(track.frames, chunk, rate))
    total = sum(stop - start for start, stop in spans)
    assert total <= track.frames + (len(spans) - 1) * (rate + 1)
    assert chunk * channels <= 6_000_000 + channels
    if seconds > 30 and rate == 44100 and channels <= 2:
        assert 15 * rate <= chunk <= 30 * rate


def test_the_engine_is_known_before_it_runs_and_fits_a_manifest():
    recipe = SpectralSeparator().recipe()
    assert recipe.engine.name == "spectral"
    keyed = recipe.keyed()
    assert json.loads(json.dumps(keyed)) == keyed
