"""Predicted quality beside quality that is known, on a song that fitting has not met; and on whatever comes."""

from __future__ import annotations

import math
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resonate_resources.recordings.recording import AudioError, Recording, Samples, Stems, write_samples
from resonate_resources.separation.prediction.predictor import (
    HIGHEST_DB,
    LOWEST_DB,
    predict_quality,
    predictor,
)
from resonate_resources.separation.quality import StemQuality, measure_quality
from resonate_resources.signal.si_sdr import si_sdr
from resonate_studio.demo_song import DemoSong

NAMES = ("vocals", "drums", "bass", "other", "piano", "guitar")


def written(samples: dict[str, Samples], rate: int, into: Path) -> Stems:
    into.mkdir(exist_ok=True)
    return {name: write_samples(into / f"{name}.wav", values, rate) for name, values in samples.items()}


@pytest.fixture(scope="module")
def truth(demo_song: DemoSong) -> dict[str, Samples]:
    """Twenty seconds from the middle of the demo song."""
    start = 20 * demo_song.mix.sample_rate
    return {name: stem.read(start, 2 * start) for name, stem in demo_song.stems.items()}


@pytest.fixture(scope="module")
def mix(truth: dict[str, Samples], tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return write_samples(tmp_path_factory.mktemp("mix") / "mix.wav", sum(truth.values()), 44_100)  # type: ignore[arg-type]


def leaking(truth: dict[str, Samples], part: float) -> dict[str, Samples]:
    """Every stem with a part of all others, which they lose: the sum stays the mix."""
    total = sum(truth.values())
    share = np.float32(part / len(truth))
    return {name: (1 - len(truth) * share) * stem + share * total for name, stem in truth.items()}


def noisy(truth: dict[str, Samples], level: float) -> dict[str, Samples]:
    rng = np.random.default_rng(0)
    return {
        name: stem + np.float32(level * stem.std()) * rng.standard_normal(stem.shape).astype(np.float32)
        for name, stem in truth.items()
    }


@pytest.mark.parametrize("worsened", [leaking, noisy])
def test_predictions_fall_as_stems_get_worse(worsened, truth, mix, tmp_path):
    steps = [
        predict_quality(mix, written(worsened(truth, part), 44_100, tmp_path / str(part)))
        for part in (0.03, 0.3, 0.9)
    ]
    for name in truth:
        best, middle, worst = (step[name].si_sdr_db for step in steps)
        assert best > middle + 1 > worst + 2, name


def test_most_of_the_true_values_are_within_two_error_bars(truth, mix, tmp_path):
    known = written(truth, 44_100, tmp_path / "truth")
    within = []
    for worsened in (leaking, noisy):
        for part in (0.1, 0.3, 0.6):
            stems = written(worsened(truth, part), 44_100, tmp_path / f"{worsened.__name__} {part}")
            measured, predicted = measure_quality(stems, known), predict_quality(mix, stems)
            within += [
                abs(true.si_sdr_db - guess.si_sdr_db) <= 2 * guess.error_db
                for name in stems
                for true, guess in zip(measured[name].windows, predicted[name].windows, strict=True)
            ]
    assert np.mean(within) >= 0.8


def test_a_stem_is_worth_the_same_however_loud_the_recording_is(truth, mix, tmp_path):
    stems = leaking(truth, 0.3)
    loud = predict_quality(mix, written(stems, 44_100, tmp_path / "loud"))
    soft = predict_quality(
        write_samples(tmp_path / "soft.wav", mix.read() * np.float32(0.05), 44_100),
        written({name: stem * np.float32(0.05) for name, stem in stems.items()}, 44_100, tmp_path / "soft"),
    )
    for name in stems:
        assert soft[name].si_sdr_db == pytest.approx(loud[name].si_sdr_db, abs=0.1)
        assert soft[name].error_db == pytest.approx(loud[name].error_db, rel=0.05)


def test_the_same_stems_give_the_same_prediction(truth, mix, tmp_path):
    stems = written(leaking(truth, 0.2), 44_100, tmp_path / "stems")
    assert predict_quality(mix, stems) == predict_quality(mix, stems)


def test_the_whole_follows_from_its_windows_as_si_sdr_does():
    rng = np.random.default_rng(1)
    windows = []
    for gain, level in ((1.0, 0.1), (0.2, 0.9), (3.0, 0.4)):
        sound = gain * rng.standard_normal((1, 200_000))
        disturbance = level * gain * rng.standard_normal((1, 200_000))
        windows.append((sound.astype(np.float32), (sound + disturbance).astype(np.float32)))
    values = np.array([si_sdr(estimate, sound) for sound, estimate in windows])
    energies = np.array([float(np.square(estimate).sum()) for _, estimate in windows])
    sounds, estimates = (np.concatenate(parts, axis=1) for parts in zip(*windows, strict=True))
    whole, error = predictor().track(values, np.full(3, 2.0), energies)
    assert whole == pytest.approx(si_sdr(estimates, sounds), abs=0.05)
    assert 0 < error <= 2.0 * predictor().track_factor + 1e-9


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rate=st.sampled_from([8000, 11_025, 22_050, 44_100, 48_000, 192_000]),
    channels=st.sampled_from([1, 2, 6, 8]),
    frames=st.integers(1, 60_000),
    count=st.sampled_from([1, 2, 4, 6]),
    sound=st.sampled_from(["noise", "silence", "constant", "out of phase", "one click", "clipped"]),
    seed=st.integers(0, 99),
)
def test_whatever_comes_has_an_answer_that_can_be_used(tmp_path, rate, channels, frames, count, sound, seed):
    rng = np.random.default_rng(seed)
    shape = (count, channels, frames)
    stems = rng.uniform(-0.3, 0.3, shape)
    if sound == "silence":
        stems = np.zeros(shape)
    elif sound == "constant":
        stems = np.full(shape, 0.2)
    elif sound == "out of phase":
        stems = stems[:, :1] * (-1.0) ** np.arange(channels)[None, :, None]
    elif sound == "one click":
        stems = np.zeros(shape)
        stems[:, :, frames // 2] = 1
    elif sound == "clipped":
        stems = np.sign(stems) * 4
    track = write_samples(tmp_path / "mix.wav", stems.sum(0).astype(np.float32), rate)
    names = NAMES[:count]
    arrays = dict(zip(names, stems.astype(np.float32), strict=True))
    quality = predict_quality(track, written(arrays, rate, tmp_path / "stems"))
    assert tuple(quality) == names
    for name in names:
        check(quality[name], silent=10 * np.log10(np.square(arrays[name]).mean() + 1e-20) < -71)


def check(quality: StemQuality, silent: bool) -> None:
    assert quality.kind == "predicted"
    if silent:
        assert quality.windows == ()
    for window in quality.windows:
        assert LOWEST_DB <= window.si_sdr_db <= HIGHEST_DB
        assert 0 < window.error_db < 30
    if quality.windows:
        assert LOWEST_DB - 0.01 <= quality.si_sdr_db <= HIGHEST_DB + 0.01
        assert 0 < quality.error_db < 30
    else:
        assert math.isnan(quality.si_sdr_db)
        assert math.isnan(quality.error_db)


def test_only_windows_in_which_a_stem_sounds_are_judged(tmp_path):
    rng = np.random.default_rng(0)
    voice, rest = (rng.uniform(-0.3, 0.3, (1, 30 * 8000)).astype(np.float32) for _ in range(2))
    voice[:, : 20 * 8000] = 0
    track = write_samples(tmp_path / "mix.wav", voice + rest, 8000)
    quality = predict_quality(track, written({"vocals": voice, "other": rest}, 8000, tmp_path / "stems"))
    assert [window.start_s for window in quality["vocals"].windows] == [20]
    assert quality["vocals"].si_sdr_db == pytest.approx(quality["vocals"].windows[0].si_sdr_db)
    assert [window.start_s for window in quality["other"].windows] == [0, 10, 20]


def test_stems_of_another_length_are_refused(tmp_path):
    track = write_samples(tmp_path / "mix.wav", np.zeros((1, 100), np.float32), 8000)
    stem = write_samples(tmp_path / "bass.wav", np.zeros((1, 99), np.float32), 8000)
    with pytest.raises(AudioError, match=r"bass\.wav: rate, channels or length differ from mix\.wav"):
        predict_quality(track, {"bass": stem})


def test_memory_does_not_grow_with_length(tmp_path):
    peaks = []
    for seconds in (20, 120):
        noise = np.random.default_rng(0).uniform(-0.3, 0.3, (1, seconds * 8000)).astype(np.float32)
        track = write_samples(tmp_path / f"{seconds}.wav", noise, 8000)
        predict_quality(track, {"other": track})
        tracemalloc.start()
        predict_quality(track, {"other": track})
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]
