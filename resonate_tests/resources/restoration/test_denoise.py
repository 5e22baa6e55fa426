from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import exp1

from resonate_resources.preset import Preset
from resonate_resources.recordings.recording import Recording, Samples, silent, write_samples
from resonate_resources.restoration.denoise import LIMITS_DB, Denoise, listen
from resonate_resources.restoration.short_time import short_time_spectra, through_spectra, window_size
from resonate_resources.restoration.spectral_suppression import _from_table
from resonate_resources.restoration.step import Facts
from resonate_resources.signal.traces import Traces
from resonate_tests.benchmarks.damage.distance import log_spectral_distance, si_sdr_db
from resonate_tests.benchmarks.damage.noise import pink, tape_hiss, white

RATE = 22_050
FACTS = Facts("other", Traces(11_025, "none", (), None, (), None, None, (0.0,), 0, -20.0, None, None, None))


def plucked(seconds: float = 14, channels: int = 2, rate: int = RATE, seed: int = 0) -> Samples:
    """Notes with eight overtones that die away, a rest after every fourth, from 110 to 880 Hz, panned."""
    rng = np.random.default_rng(seed)
    sound = np.zeros((channels, int(seconds * rate)), np.float32)
    for number, start in enumerate(np.arange(0, seconds - 0.5, 0.25)):
        if number % 5 == 4:
            continue
        time = np.arange(min(int(0.6 * rate), sound.shape[1] - int(start * rate))) / rate
        hertz = 110 * 2 ** (rng.integers(0, 36) / 12)
        note = sum(
            np.sin(2 * np.pi * hertz * part * time) / part * np.exp(-time * (5 + 2 * part))
            for part in range(1, 9)
        )
        place = rng.uniform(0.3, 1.0, (channels, 1))
        sound[:, int(start * rate) : int(start * rate) + len(time)] += (0.2 * place * note).astype(np.float32)
    return sound


def drone(channels: int = 2, seconds: float = 8, rate: int = RATE) -> Samples:
    """A held chord of ninety-six overtones with slow beating, as an organ's or a pad's."""
    time = np.arange(int(seconds * rate)) / rate
    sound = np.zeros((channels, len(time)))
    rng = np.random.default_rng(3)
    for hertz in (110.0, 164.8, 220.4, 277.2):
        for part in range(1, 25):
            for channel in range(channels):
                sound[channel] += np.sin(2 * np.pi * (hertz * part * time + rng.random())) / part
    return (0.05 * sound).astype(np.float32)


def mended(samples: Samples, folder: Path, preset: Preset = "balanced", rate: int = RATE) -> Samples | None:
    """None where it was left alone."""
    recording = write_samples(folder / "in.wav", samples, rate)
    made = Denoise().mend(recording, FACTS, preset, folder / "out.wav", silent)
    if made.recording is recording:
        return None
    assert (made.recording.frames, made.recording.channels, made.recording.sample_rate) == (
        samples.shape[1],
        samples.shape[0],
        rate,
    )
    return made.recording.read()


@pytest.mark.parametrize("snr_db", [0, 20])
@pytest.mark.parametrize("damage", [white, pink, tape_hiss])
def test_notes_in_noise_come_nearer_to_the_truth(tmp_path: Path, damage: object, snr_db: float) -> None:
    clean = plucked()
    noisy = damage(clean, RATE, np.random.default_rng(1), snr_db)  # type: ignore[operator]
    better = mended(noisy, tmp_path)
    assert better is not None
    before, after = (log_spectral_distance(each, clean, RATE) for each in (noisy, better))
    assert after < 0.75 * before
    assert si_sdr_db(better, clean) > si_sdr_db(noisy, clean) + 0.5


@pytest.mark.parametrize("preset", ["conservative", "balanced", "aggressive"])
def test_between_notes_noise_comes_down_by_the_presets_limit(tmp_path: Path, preset: Preset) -> None:
    clean = plucked()
    clean[:, 6 * RATE : 10 * RATE] = 0
    noisy = white(clean, RATE, np.random.default_rng(1), 10)
    better = mended(noisy, tmp_path, preset)
    assert better is not None
    rest = slice(7 * RATE, 9 * RATE)
    fell_db = 10 * np.log10(np.mean(noisy[:, rest] ** 2) / np.mean(better[:, rest] ** 2))
    assert LIMITS_DB[preset] - 4 < fell_db <= LIMITS_DB[preset] + 0.1


def test_a_channel_without_sound_hides_no_noise(tmp_path: Path) -> None:
    clean = plucked(channels=1)
    noisy = white(clean, RATE, np.random.default_rng(1), 20)
    one_sided = np.concatenate([noisy, np.zeros_like(noisy)])
    better = mended(one_sided, tmp_path)
    assert better is not None
    assert not better[1].any()
    assert log_spectral_distance(better[:1], clean, RATE) < 0.75 * log_spectral_distance(noisy, clean, RATE)


def test_noise_that_music_hides_for_minutes_is_known_from_its_rests(tmp_path: Path) -> None:
    clean = np.concatenate([drone(seconds=30), np.zeros((2, 8 * RATE), np.float32)], axis=1)
    noise = white(np.ones_like(clean), RATE, np.random.default_rng(1), 0) * np.float32(0.003) - np.float32(
        0.003
    )
    made = mended(clean + noise, tmp_path)
    assert made is not None
    left, had = (
        each[:, 5 * RATE : 15 * RATE] - clean[:, 5 * RATE : 15 * RATE] for each in (made, clean + noise)
    )
    assert 10 * np.log10(np.mean(had**2) / np.mean(left**2)) > 3


@pytest.mark.parametrize("music", [plucked(), drone(), plucked(8) * np.float32(0.01)])
def test_music_without_noise_is_given_back_as_it_is(tmp_path: Path, music: Samples) -> None:
    assert mended(music, tmp_path, "aggressive") is None


def test_a_held_chord_is_not_taken_for_noise_where_there_is_some(tmp_path: Path) -> None:
    chord = drone()
    noisy = white(chord, RATE, np.random.default_rng(1), 20)
    better = mended(noisy, tmp_path)
    assert si_sdr_db(noisy if better is None else better, chord) > 19.5


def test_noise_that_grows_is_followed(tmp_path: Path) -> None:
    clean = plucked(36, 1)
    noise = np.random.default_rng(2).standard_normal(clean.shape).astype(np.float32) * 0.003
    noise[:, 18 * RATE :] *= 4  # 12 dB louder
    floor, _, _ = listen(write_samples(tmp_path / "in.wav", clean + noise, RATE), window_size(RATE))
    assert floor is not None
    size = window_size(RATE)
    truth = 0.003**2 * size * 3 / 8  # of a line of a Hann window
    lines = slice(size // 8, size // 2)
    early, late = (float(floor.around(round(at * RATE / size * 4), 1)[0, lines].mean()) for at in (6, 30))
    assert 10 * np.log10(early / truth) == pytest.approx(0, abs=1.5)
    assert 10 * np.log10(late / truth) == pytest.approx(12, abs=1.5)


def test_channels_share_gains_so_that_each_stays_where_it_stood(tmp_path: Path) -> None:
    one = white(plucked(channels=1), RATE, np.random.default_rng(1), 10)
    better = mended(np.concatenate([one, one * np.float32(0.25)]), tmp_path)
    assert better is not None
    np.testing.assert_allclose(better[1], better[0] * 0.25, atol=1e-6)


@settings(max_examples=25)
@given(
    frames=st.integers(0, 5000),
    size=st.sampled_from([128, 512, 2048]),
    channels=st.integers(1, 3),
    block=st.integers(1, 3000),
)
def test_spectra_that_are_not_changed_give_the_very_sound_whatever_the_blocks(
    frames: int, size: int, channels: int, block: int
) -> None:
    sound = np.random.default_rng(frames).standard_normal((channels, frames)).astype(np.float32)
    blocks = [sound[:, at : at + block] for at in range(0, frames, block)]
    back = list(through_spectra(iter(blocks), frames, size, lambda spectra: spectra))
    assert np.concatenate([np.zeros((channels, 0), np.float32), *back], axis=1) == pytest.approx(
        sound, abs=1e-5
    )


def test_the_size_of_blocks_changes_no_spectrum() -> None:
    sound = np.random.default_rng(0).standard_normal((1, 30_000)).astype(np.float32)
    whole = np.concatenate([*short_time_spectra([sound], 512)], axis=1)
    parts = np.concatenate([*short_time_spectra(np.split(sound, 100, axis=1), 512)], axis=1)
    np.testing.assert_array_equal(whole, parts)


def test_the_table_of_the_exponential_integral_is_right_to_a_thousandth() -> None:
    values = np.geomspace(1e-5, 50, 1000).astype(np.float32)
    np.testing.assert_allclose(_from_table(values), np.exp(exp1(values) / 2), rtol=3e-3)


@pytest.mark.parametrize("rate", [8_000, 44_100, 192_000])
@pytest.mark.parametrize(
    "samples", [np.zeros((2, 4000)), np.full((1, 1), 0.5), np.zeros((6, 1)), np.zeros((1, 0))]
)
def test_silence_and_single_samples_are_left_alone(tmp_path: Path, samples: Samples, rate: int) -> None:
    assert mended(samples.astype(np.float32), tmp_path, rate=rate) is None


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (96_000, 1), (16_000, 6)])
def test_any_rate_and_number_of_channels_is_mended(tmp_path: Path, rate: int, channels: int) -> None:
    clean = plucked(8, channels, rate)
    noisy = white(clean, rate, np.random.default_rng(1), 0)
    better = mended(noisy, tmp_path, rate=rate)
    assert better is not None
    assert si_sdr_db(better, clean) > si_sdr_db(noisy, clean) + 3


def test_what_is_written_is_the_recording_and_no_other_file_stays(tmp_path: Path) -> None:
    noisy = white(plucked(8), RATE, np.random.default_rng(1), 10)
    recording = write_samples(tmp_path / "in.wav", noisy, RATE)
    made = Denoise().mend(recording, FACTS, "balanced", tmp_path / "out.wav", silent)
    assert made.recording == Recording.open(tmp_path / "out.wav")
    assert {path.name for path in tmp_path.iterdir()} == {"in.wav", "out.wav"}
