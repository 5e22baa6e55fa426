from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from resonate_resources.preset import Preset
from resonate_resources.recordings.recording import Recording, Samples, silent, write_samples
from resonate_resources.restoration.extend import Extend
from resonate_resources.restoration.short_time import (
    overlap_added,
    root_hann,
    short_time_spectra,
    window_frames,
)
from resonate_resources.restoration.step import Facts, Mended
from resonate_resources.restoration.upper_band import look, made
from resonate_resources.restoration.upper_envelope import SECONDS
from resonate_resources.signal.blocks import in_blocks
from resonate_resources.signal.traces import Traces, find_traces
from resonate_tests.benchmarks.damage.bandwidth import gently_low_passed, steeply_low_passed, walled
from resonate_tests.benchmarks.damage.distance import (
    THIRDS_HZ,
    band_balance_db,
    log_spectral_distance,
    third_octaves_db,
)

RATE = 44_100


def drums(seconds: float = 6.0, seed: int = 1, sample_rate: int = RATE) -> Samples:
    """Hits of noise that fall by 60 dB in 0.15 to 0.4 s, eight a second, over a bass: a spectrum that falls by 3
    dB an octave, as a kit's. Two channels, of which the right has half the level above."""
    rng = np.random.default_rng(seed)
    frames = round(seconds * sample_rate)
    time = np.arange(frames) / sample_rate
    sound = np.zeros(frames)
    for at in np.arange(0.05, seconds - 0.05, 0.125):
        start = round(at * sample_rate)
        sound[start:] += (
            rng.uniform(0.3, 1.0)
            * rng.standard_normal(frames - start)
            * 10 ** (-3 * time[: frames - start] / rng.uniform(0.15, 0.4))
        )
    spectrum = np.fft.rfft(sound)
    hertz = np.fft.rfftfreq(frames, 1 / sample_rate)
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(hertz, 50.0)), frames)
    pink *= 0.1 / np.abs(pink).std()
    bass = 0.1 * np.sin(2 * np.pi * 110 * time)
    return np.stack([pink + bass, 0.5 * pink + bass]).astype(np.float32) * np.float32(0.5)


def mended(
    sound: Samples, folder: Path, kind: str = "track", sample_rate: int = RATE, preset: Preset = "balanced"
) -> tuple[Recording, Mended]:
    recording = write_samples(folder / "given.wav", sound, sample_rate)
    facts = Facts(kind, find_traces(recording))
    return recording, Extend().mend(recording, facts, preset, folder / "mended.wav", silent)


@pytest.mark.parametrize("damage", [walled, steeply_low_passed, gently_low_passed])
@pytest.mark.parametrize("hertz", [5000.0, 8000.0])
def test_what_was_cut_comes_nearer_to_the_truth(damage: object, hertz: float, tmp_path: Path) -> None:
    clean = drums()
    cut = damage(clean, RATE, np.random.default_rng(1), hertz)  # type: ignore[operator]

    _, result = mended(cut, tmp_path)
    sound = result.recording.read()

    assert log_spectral_distance(sound, clean, RATE) < 0.8 * log_spectral_distance(cut, clean, RATE)
    assert band_balance_db(sound, clean, RATE) < 0.5 * band_balance_db(cut, clean, RATE)
    over = [at for at, centre in enumerate(THIRDS_HZ) if 2**0.5 * hertz < centre < 14_000]
    off = (third_octaves_db(sound, RATE) - third_octaves_db(clean, RATE))[over]
    assert off.max() < 4  # never brighter than plausible
    assert off.mean() > -8


def test_below_a_wall_the_recording_stays_itself(tmp_path: Path) -> None:
    cut = walled(drums(), RATE, np.random.default_rng(1), 8000.0)

    _, result = mended(cut, tmp_path)

    added = np.abs(np.fft.rfft((result.recording.read() - cut) * np.hanning(cut.shape[1]))) ** 2
    hertz = np.fft.rfftfreq(cut.shape[1], 1 / RATE)
    kept = np.abs(np.fft.rfft(cut * np.hanning(cut.shape[1]))) ** 2
    assert added[:, hertz < 7500].sum() < 1e-8 * kept[:, hertz < 7500].sum()


def test_an_attack_gets_highs_when_it_comes_and_silence_gets_none(tmp_path: Path) -> None:
    clean = drums(4.0)
    clean[:, RATE : 2 * RATE] = 0
    cut = walled(clean, RATE, np.random.default_rng(1), 6000.0)

    _, result = mended(cut, tmp_path)

    added = np.square(result.recording.read() - cut).mean(axis=0)
    window = round(0.05 * RATE)
    assert added[RATE + window : 2 * RATE - window].mean() < 1e-4 * added[2 * RATE :].mean()


def test_where_channels_are_alike_what_is_added_is_alike(tmp_path: Path) -> None:
    mono = walled(drums()[:1], RATE, np.random.default_rng(1), 8000.0)

    _, result = mended(np.concatenate([mono, 0.5 * mono]), tmp_path)

    left, right = result.recording.read()
    np.testing.assert_allclose(right, 0.5 * left, atol=1e-6)


def test_a_full_band_and_silence_are_given_back_as_they_are(tmp_path: Path) -> None:
    for sound in (drums(), np.zeros((2, RATE), np.float32), np.full((1, 1), 0.5, np.float32)):
        recording, result = mended(sound, tmp_path)
        assert result.recording is recording


def test_a_part_that_ends_gently_of_itself_is_given_back_as_it_is(tmp_path: Path) -> None:
    dull = gently_low_passed(drums(), RATE, np.random.default_rng(1), 5000.0)

    recording, result = mended(dull, tmp_path, kind="other")

    assert result.recording is recording
    assert "of itself" in result.note


def test_a_wall_that_only_the_aggressive_take_for_a_loss_is_left_by_the_others(tmp_path: Path) -> None:
    cut = walled(drums(), RATE, np.random.default_rng(1), 15_500.0)

    recording, result = mended(cut, tmp_path)
    _, more = mended(cut, tmp_path, preset="aggressive")

    assert result.recording is recording
    assert more.recording is not recording


@pytest.mark.parametrize(
    ("sample_rate", "channels", "frames"),
    [(48_000, 1, 60_001), (96_000, 3, 100_000), (22_050, 2, 40_000), (192_000, 2, 150_000)],
)
def test_rate_channels_and_length_are_kept(
    sample_rate: int, channels: int, frames: int, tmp_path: Path
) -> None:
    clean = np.resize(drums(frames / sample_rate, sample_rate=sample_rate), (channels, frames)).astype(
        np.float32
    )
    cut = walled(clean, sample_rate, np.random.default_rng(1), 5000.0)

    recording, result = mended(cut, tmp_path, sample_rate=sample_rate)

    assert result.recording is not recording
    assert (result.recording.sample_rate, result.recording.channels, result.recording.frames) == (
        sample_rate,
        channels,
        frames,
    )


def test_what_is_added_does_not_depend_on_how_the_recording_is_cut_into_blocks() -> None:
    cut = walled(drums(3.0), RATE, np.random.default_rng(1), 8000.0)
    size = window_frames(RATE, SECONDS)

    def added(frames: int) -> Samples:
        band = look(lambda: in_blocks(iter([cut]), frames), 7800.0, RATE, wall=True)
        stream = made(short_time_spectra(in_blocks(iter([cut]), frames), size, root_hann), band)
        return np.concatenate(list(overlap_added(stream, size, cut.shape[1], root_hann)), axis=1)

    whole = added(cut.shape[1])
    np.testing.assert_allclose(added(10_007), whole, atol=1e-5 * float(np.abs(whole).max()) + 1e-7)


def bass(lowest_hz: float = 45.0) -> Samples:
    """Plucked notes a fifth and an octave apart, with eight overtones that fall by 6 dB an octave."""
    time = np.arange(round(0.5 * RATE)) / RATE
    notes = [
        sum(np.sin(2 * np.pi * lowest_hz * ratio * number * time) / number for number in range(1, 9))
        * np.exp(-4 * time)
        for ratio in (1.0, 1.5, 1.2, 1.0) * 4
    ]
    return np.tile(0.1 * np.concatenate(notes), (2, 1)).astype(np.float32)


def through_high_pass(sound: Samples, hertz: float, order: int) -> Samples:
    from scipy.signal import butter, sosfilt

    return np.asarray(sosfilt(butter(order, hertz, "high", fs=RATE, output="sos"), sound), np.float32)


def through_wall(sound: Samples) -> Samples:
    """Nothing under 80 Hz, of linear phase."""
    from scipy.signal import firwin, oaconvolve

    taps = firwin(8001, 80.0, fs=RATE, window=("kaiser", 8.0), pass_zero=False)
    return np.asarray(oaconvolve(sound, taps[None], mode="same", axes=1), np.float32)


def of_lows(sound: Samples) -> float:
    """30 to 80 Hz against 80 to 200 Hz, in dB."""
    power = np.abs(np.fft.rfft(sound * np.hanning(sound.shape[1]))) ** 2
    hertz = np.fft.rfftfreq(sound.shape[1], 1 / RATE)
    low, above = (power[:, (hertz >= a) & (hertz < b)].sum() for a, b in ((30, 80), (80, 200)))
    return float(10 * np.log10(low / above))


def test_a_bass_behind_a_high_pass_gets_its_lows_back(tmp_path: Path) -> None:
    clean = bass()
    thin = through_high_pass(clean, 100.0, 4)

    _, result = mended(thin, tmp_path, kind="bass")
    sound = result.recording.read()

    assert of_lows(thin) + 3 < of_lows(sound) < of_lows(clean)
    assert band_balance_db(sound, clean, RATE) < band_balance_db(thin, clean, RATE)


def test_a_bass_of_which_no_lows_are_left_gets_the_octave_under_it(tmp_path: Path) -> None:
    clean = bass()
    thin = through_wall(clean)

    _, result = mended(thin, tmp_path, kind="bass")

    assert "octave" in result.note
    sound = result.recording.read()
    assert -12 < of_lows(sound) < of_lows(clean)
    assert log_spectral_distance(sound, clean, RATE) < log_spectral_distance(thin, clean, RATE)
    assert band_balance_db(sound, clean, RATE) < band_balance_db(thin, clean, RATE)


def test_a_bass_with_its_lows_is_given_back_as_it_is(tmp_path: Path) -> None:
    recording, result = mended(bass(), tmp_path, kind="bass")

    assert result.recording is recording


def test_hum_is_no_bass_to_be_lifted(tmp_path: Path) -> None:
    time = np.arange(4 * RATE) / RATE
    thin = through_wall(bass()[:, : 4 * RATE]) + (0.005 * np.sin(2 * np.pi * 50 * time)).astype(np.float32)

    recording, result = mended(thin, tmp_path, kind="bass")

    assert result.recording is recording


def test_what_is_said_of_the_recording_decides_not_what_it_is_called(tmp_path: Path) -> None:
    cut = walled(drums(), RATE, np.random.default_rng(1), 8000.0)
    recording = write_samples(tmp_path / "given.wav", cut, RATE)
    whole: Traces = replace(find_traces(recording), cut="none", bandwidth_hz=RATE / 2)

    result = Extend().mend(recording, Facts("track", whole), "balanced", tmp_path / "mended.wav", silent)

    assert result.recording is recording
