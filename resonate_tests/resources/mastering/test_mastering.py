"""Masters, measured from their files by peers: pyloudnorm, scipy's resampler, libsndfile's MP3 decoder, mutagen."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import mutagen
import numpy as np
import pyloudnorm
import pytest
import soundfile as sf
from scipy.signal import resample_poly

from resonate_resources.mastering import delivery
from resonate_resources.mastering.brief import MasteringBrief
from resonate_resources.mastering.resource import MasteringResource
from resonate_resources.preset import Preset
from resonate_resources.recipe import Product
from resonate_resources.recordings.recording import Recording, Samples, write_samples
from resonate_resources.recordings.tags import Tags
from resonate_studio.demo_song import DemoSong

TAGS = Tags(artist="Björk & Co", title="Prüfung", bpm=120.0)
PRESETS: tuple[Preset, ...] = ("conservative", "balanced", "aggressive")


def mastered(mix: Recording, into: Path, preset: Preset = "balanced", **wanted: Any) -> Product:
    into.mkdir()
    product = MasteringResource().master(mix, MasteringBrief(preset=preset, **wanted), TAGS, into)
    if "formats" not in wanted:
        assert sorted(path.name for path in into.iterdir()) == ["master.flac", "master.mp3", "master.wav"]
    assert not any(math.isnan(value) for value in product.measures.values() if isinstance(value, float))
    return product


def read(path: Path) -> Samples:
    return np.ascontiguousarray(sf.read(path, dtype="float32", always_2d=True)[0].T)


def loudness(samples: Samples) -> float:
    return float(pyloudnorm.Meter(48_000).integrated_loudness(samples.T.astype(np.float64)))


def true_peak(samples: Samples) -> float:
    return 20 * math.log10(np.abs(resample_poly(samples, 4, 1, axis=1)).max())


@pytest.fixture(scope="module")
def mix(demo_song: DemoSong, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Ten seconds out of the middle of the song."""
    rate, middle = demo_song.mix.sample_rate, demo_song.mix.frames // 2
    path = tmp_path_factory.mktemp("mix") / "mix.wav"
    return write_samples(path, demo_song.mix.read(middle - 5 * rate, middle + 5 * rate), rate)


@pytest.fixture(scope="module")
def products(mix: Recording, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Product]:
    folder = tmp_path_factory.mktemp("masters")
    return {preset: mastered(mix, folder / preset, preset) for preset in PRESETS}


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", ["master.wav", "master.flac", "master.mp3"])
def test_written_files_are_at_minus_14_lufs_and_under_minus_1_dbtp(
    preset: str, name: str, products: dict[str, Product]
) -> None:
    samples = read(products[preset].files[name])
    assert loudness(samples) == pytest.approx(-14, abs=0.1)
    assert true_peak(samples) <= -1.0


@pytest.mark.parametrize(("lufs", "ceiling_dbtp"), [(-23.0, -2.0), (-9.0, -1.5)])
def test_another_loudness_under_another_ceiling_is_what_the_files_have(
    mix: Recording, tmp_path: Path, lufs: float, ceiling_dbtp: float
) -> None:
    product = mastered(mix, tmp_path / "m", "conservative", target_lufs=lufs, ceiling_dbtp=ceiling_dbtp)
    for path in product.files.values():
        assert loudness(read(path)) == pytest.approx(lufs, abs=0.1)
        assert true_peak(read(path)) <= ceiling_dbtp


def test_only_the_formats_that_are_wanted_are_written_beside_the_wav(mix: Recording, tmp_path: Path) -> None:
    product = mastered(mix, tmp_path / "m", formats=("flac",))
    assert sorted(product.files) == ["master.flac", "master.wav"]
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == ["master.flac", "master.wav"]


@pytest.fixture
def cymbals(tmp_path: Path) -> Recording:
    """Up to 24 kHz, of which MP3 leaves out what is over 20 kHz."""
    frames = 8 * 48_000
    decay = np.exp(-(np.arange(frames) / 48_000 % 0.5) / 0.06)
    samples = (0.1 * decay * np.random.default_rng(0).standard_normal((2, frames))).astype(np.float32)
    return write_samples(tmp_path / "cymbals.wav", samples, 48_000)


def test_an_mp3_that_loses_loudness_and_gains_peaks_is_brought_to_both_targets_too(
    cymbals: Recording, tmp_path: Path
) -> None:
    product = mastered(cymbals, tmp_path / "m", "conservative")
    for path in product.files.values():
        assert loudness(read(path)) == pytest.approx(-14, abs=0.1)
        assert true_peak(read(path)) <= -1.0
    assert any("MP3 is limited" in note for note in product.notes)


def test_an_mp3_whose_peaks_no_limiting_helps_is_turned_down(
    cymbals: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_MP3_LIMITED", 0)
    samples = read(mastered(cymbals, tmp_path / "m", "conservative").files["master.mp3"])
    assert true_peak(samples) <= -1.0
    assert -20 < loudness(samples) < -14.1


def test_files_are_24_bit_48_khz_of_the_mixs_duration_with_equal_samples(
    products: dict[str, Product], mix: Recording
) -> None:
    files = products["balanced"].files
    for name in ("master.wav", "master.flac"):
        info = sf.info(files[name])
        assert (info.samplerate, info.subtype, info.channels) == (48_000, "PCM_24", 2)
        assert info.frames == round(mix.frames * 48_000 / mix.sample_rate)
    np.testing.assert_array_equal(read(files["master.wav"]), read(files["master.flac"]))
    mp3 = mutagen.File(files["master.mp3"]).info
    assert (mp3.bitrate, mp3.sample_rate) == (320_000, 48_000)


@pytest.mark.parametrize("name", ["master.wav", "master.flac", "master.mp3"])
def test_tags_are_carried_over(name: str, products: dict[str, Product]) -> None:
    tags = mutagen.File(products["balanced"].files[name], easy=name != "master.wav").tags
    artist = tags["TPE1"].text if name == "master.wav" else tags["artist"]
    assert list(artist) == ["Björk & Co"]


def test_presets_make_brighter_and_denser_masters(products: dict[str, Product]) -> None:
    brightness, crest = [], []
    for preset in PRESETS:
        samples = read(products[preset].files["master.wav"])
        power = np.abs(np.fft.rfft(samples, axis=1)).sum(axis=0) ** 2
        hertz = np.fft.rfftfreq(samples.shape[1], 1 / 48_000)
        brightness.append(power[hertz > 10_000].sum() / power[(hertz > 500) & (hertz < 2_000)].sum())
        crest.append(float(np.quantile(np.abs(samples), 0.999) / np.sqrt(np.mean(samples**2))))
    assert brightness[0] < brightness[1] < brightness[2]
    assert crest[0] > crest[1] > crest[2]


def test_the_same_mix_makes_the_same_bytes(
    products: dict[str, Product], mix: Recording, tmp_path: Path
) -> None:
    again = mastered(mix, tmp_path / "again")
    for name, path in again.files.items():
        assert path.read_bytes() == products["balanced"].files[name].read_bytes()


def test_quiet_dynamic_music_reaches_the_target_too(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    frames = 12 * 44_100
    envelope = 10 ** (np.interp(np.arange(frames), np.linspace(0, frames, 9), rng.uniform(-35, 0, 9)) / 20)
    samples = (0.02 * envelope * rng.laplace(size=(2, frames))).astype(np.float32)
    master = read(
        mastered(write_samples(tmp_path / "mix.wav", samples, 44_100), tmp_path / "m").files["master.wav"]
    )
    assert loudness(master) == pytest.approx(-14, abs=0.1)
    assert true_peak(master) <= -1.0


@pytest.mark.parametrize(
    ("channels", "frames", "rate"),
    [(1, 24_000, 8_000), (6, 96_000, 48_000), (2, 400_000, 192_000), (3, 44_100, 44_100)],
)
def test_channels_stay_as_they_came_and_any_rate_becomes_48_khz(
    channels: int, frames: int, rate: int, tmp_path: Path
) -> None:
    samples = np.random.default_rng(0).uniform(-0.1, 0.1, (channels, frames)).astype(np.float32)
    files = mastered(write_samples(tmp_path / "mix.wav", samples, rate), tmp_path / "m").files
    for name in ("master.wav", "master.flac"):
        info = sf.info(files[name])
        assert (info.channels, info.samplerate) == (channels, 48_000)
        assert info.frames == round(frames * 48_000 / rate)
    assert sf.info(files["master.mp3"]).channels == min(channels, 2)


@pytest.mark.parametrize("frames", [1, 10_000])
def test_what_is_too_short_for_loudness_is_brought_to_the_ceiling(frames: int, tmp_path: Path) -> None:
    samples = np.zeros((2, frames), np.float32)
    samples[:, frames // 2] = 0.25
    product = mastered(write_samples(tmp_path / "mix.wav", samples, 48_000), tmp_path / "m")
    master = read(product.files["master.wav"])
    assert master.shape == samples.shape
    assert -1.5 <= true_peak(master) <= -1.0
    assert any("no integrated loudness" in note for note in product.notes)


def test_silence_stays_silent(tmp_path: Path) -> None:
    mix = write_samples(tmp_path / "mix.wav", np.zeros((2, 96_000), np.float32), 44_100)
    product = mastered(mix, tmp_path / "m")
    assert np.abs(read(product.files["master.wav"])).max() <= 2**-23 * 1.001  # the dither of 24 bits
    assert product.measures["loudness_lufs"] == -math.inf
    assert product.measures["gain_db"] == 0


def test_a_click_in_a_quiet_room_does_not_make_the_room_loud(tmp_path: Path) -> None:
    samples = (1e-5 * np.random.default_rng(0).standard_normal((1, 5 * 48_000))).astype(np.float32)
    samples[0, 100_000] = 0.9
    product = mastered(write_samples(tmp_path / "mix.wav", samples, 48_000), tmp_path / "m")
    room = read(product.files["master.wav"])[0, :90_000]
    assert 20 * math.log10(np.sqrt(np.mean(room**2)) / 1e-5) <= 24.5  # of limiting, at most 24 dB
    assert any("more would take over" in note for note in product.notes)


def test_noise_near_the_gate_is_raised_by_40_db_at_most(tmp_path: Path) -> None:
    samples = (10**-3.3 * np.random.default_rng(0).standard_normal((2, 4 * 48_000))).astype(np.float32)
    samples *= np.float32(0.5)
    product = mastered(write_samples(tmp_path / "mix.wav", samples, 48_000), tmp_path / "m", "conservative")
    raised = np.sqrt(np.mean(read(product.files["master.wav"]) ** 2)) / np.sqrt(np.mean(samples**2))
    assert 20 * math.log10(raised) <= 40.1


def test_an_offset_is_taken_out(tmp_path: Path) -> None:
    time = np.arange(6 * 48_000) / 48_000
    samples = (0.5 + 0.05 * np.sin(2 * np.pi * 440 * time))[None].astype(np.float32)
    master = read(
        mastered(write_samples(tmp_path / "m.wav", samples, 48_000), tmp_path / "m").files["master.wav"]
    )
    assert abs(master[:, 48_000:].mean()) < 1e-3
