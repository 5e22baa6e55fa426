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


def mastered(
    mix: Recording, into: Path, preset: Preset = "balanced", rough: float = 0.0, **wanted: Any
) -> Product:
    into.mkdir()
    product = MasteringResource().master(mix, mix, MasteringBrief(preset=preset, **wanted), rough, TAGS, into)
    if "formats" not in wanted:
        names = ["master.flac", "master.mp3", "master.wav", "picture.png", "report.json"]
        assert sorted(path.name for path in into.iterdir()) == names
    assert not any(math.isnan(value) for value in product.measures.values() if isinstance(value, float))
    return product


def read(path: Path) -> Samples:
    return np.ascontiguousarray(sf.read(path, dtype="float32", always_2d=True)[0].T)


def loudness(samples: Samples, rate: int = 44_100) -> float:
    return float(pyloudnorm.Meter(rate).integrated_loudness(samples.T.astype(np.float64)))


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
    return {preset: mastered(mix, folder / preset, preset, rough=1.0, limiting_db=24.0) for preset in PRESETS}


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
    product = mastered(mix, tmp_path / "m", target_lufs=lufs, ceiling_dbtp=ceiling_dbtp, limiting_db=24.0)
    for path in product.files.values():
        assert loudness(read(path)) == pytest.approx(lufs, abs=0.1)
        assert true_peak(read(path)) <= ceiling_dbtp


def test_only_the_formats_that_are_wanted_are_written_beside_the_wav(mix: Recording, tmp_path: Path) -> None:
    product = mastered(mix, tmp_path / "m", formats=("flac",))
    assert sorted(product.files) == ["master.flac", "master.wav"]


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
    product = mastered(cymbals, tmp_path / "m", limiting_db=24.0)
    for path in product.files.values():
        assert loudness(read(path), 48_000) == pytest.approx(-14, abs=0.1)
        assert true_peak(read(path)) <= -1.0
    assert any("MP3 is limited" in note for note in product.notes)


def test_an_mp3_whose_peaks_no_limiting_helps_is_turned_down(
    cymbals: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_LIMITED", 0)
    samples = read(mastered(cymbals, tmp_path / "m", limiting_db=24.0).files["master.mp3"])
    assert true_peak(samples) <= -1.0
    assert -20 < loudness(samples, 48_000) < -14.1


def test_files_are_24_bit_of_the_mixs_rate_and_length_with_equal_samples(
    products: dict[str, Product], mix: Recording
) -> None:
    files = products["balanced"].files
    for name in ("master.wav", "master.flac"):
        info = sf.info(files[name])
        assert (info.samplerate, info.subtype, info.channels) == (44_100, "PCM_24", 2)
        assert info.frames == mix.frames
    np.testing.assert_array_equal(read(files["master.wav"]), read(files["master.flac"]))
    mp3 = mutagen.File(files["master.mp3"]).info
    assert (round(mp3.bitrate, -3), mp3.sample_rate) == (320_000, 44_100)


@pytest.mark.parametrize(("bits", "wav", "flac"), [(16, "PCM_16", "PCM_16"), (32, "FLOAT", "PCM_24")])
def test_other_bit_depths_on_demand(bits: int, wav: str, flac: str, mix: Recording, tmp_path: Path) -> None:
    files = mastered(mix, tmp_path / "m", bits=bits, formats=("flac",), limiting_db=24.0).files
    assert (sf.info(files["master.wav"]).subtype, sf.info(files["master.flac"]).subtype) == (wav, flac)
    difference = read(files["master.wav"]) - read(files["master.flac"])
    assert np.abs(difference).max() <= (0 if bits == 16 else 2 * 2**-23)
    assert loudness(read(files["master.wav"])) == pytest.approx(-14, abs=0.1)


@pytest.mark.parametrize("name", ["master.wav", "master.flac", "master.mp3"])
def test_tags_are_carried_over(name: str, products: dict[str, Product]) -> None:
    tags = mutagen.File(products["balanced"].files[name], easy=name != "master.wav").tags
    artist = tags["TPE1"].text if name == "master.wav" else tags["artist"]
    assert list(artist) == ["Björk & Co"]


def test_presets_make_rough_recordings_denser_and_leave_their_tone(products: dict[str, Product]) -> None:
    brightness, crest = [], []
    for preset in PRESETS:
        samples = read(products[preset].files["master.wav"])
        power = np.abs(np.fft.rfft(samples, axis=1)).sum(axis=0) ** 2
        hertz = np.fft.rfftfreq(samples.shape[1], 1 / 44_100)
        brightness.append(power[hertz > 10_000].sum() / power[(hertz > 500) & (hertz < 2_000)].sum())
        crest.append(float(np.quantile(np.abs(samples), 0.999) / np.sqrt(np.mean(samples**2))))
    assert 10 * math.log10(max(brightness) / min(brightness)) < 1.0
    assert crest[0] > crest[1] > crest[2]


def test_the_same_mix_makes_the_same_bytes(
    products: dict[str, Product], mix: Recording, tmp_path: Path
) -> None:
    again = mastered(mix, tmp_path / "again", rough=1.0, limiting_db=24.0)
    for name, path in again.files.items():
        assert path.read_bytes() == products["balanced"].files[name].read_bytes()


def test_quiet_dynamic_music_reaches_the_target_too(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    frames = 12 * 44_100
    envelope = 10 ** (np.interp(np.arange(frames), np.linspace(0, frames, 9), rng.uniform(-35, 0, 9)) / 20)
    samples = (0.02 * envelope * rng.laplace(size=(2, frames))).astype(np.float32)
    master = read(
        mastered(
            write_samples(tmp_path / "mix.wav", samples, 44_100), tmp_path / "m", limiting_db=24.0
        ).files["master.wav"]
    )
    assert loudness(master) == pytest.approx(-14, abs=0.1)
    assert true_peak(master) <= -1.0


@pytest.mark.parametrize(
    ("channels", "frames", "rate"),
    [
        (1, 24_000, 8_000),
        (6, 96_000, 48_000),
        (2, 400_000, 192_000),
        (3, 44_100, 44_100),
        (2, 88_200, 88_200),
    ],
)
@pytest.mark.parametrize("wanted", [None, 44_100, 48_000])
def test_channels_stay_as_they_came_and_rates_become_the_nearer_of_two_or_what_is_wanted(
    channels: int, frames: int, rate: int, wanted: int | None, tmp_path: Path
) -> None:
    made = wanted or (44_100 if rate % 44_100 == 0 else 48_000)
    samples = np.random.default_rng(0).uniform(-0.1, 0.1, (channels, frames)).astype(np.float32)
    mix = write_samples(tmp_path / "mix.wav", samples, rate)
    files = mastered(mix, tmp_path / "m", sample_rate=wanted).files
    for name in ("master.wav", "master.flac"):
        info = sf.info(files[name])
        assert (info.channels, info.samplerate) == (channels, made)
        assert info.frames == round(frames * made / rate)
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
    assert not read(product.files["master.wav"]).any()
    assert product.measures["loudness_lufs"] == -math.inf
    assert product.measures["gain_db"] == 0


def test_a_click_in_a_quiet_room_does_not_make_the_room_loud(tmp_path: Path) -> None:
    samples = (1e-5 * np.random.default_rng(0).standard_normal((1, 5 * 48_000))).astype(np.float32)
    samples[0, 100_000] = 0.9
    product = mastered(write_samples(tmp_path / "mix.wav", samples, 48_000), tmp_path / "m")
    room = read(product.files["master.wav"])[0, :90_000]
    assert 20 * math.log10(np.sqrt(np.mean(room**2)) / 1e-5) <= 3.5  # of limiting, at most 3 dB
    assert any("less than half of its limiting in loudness" in note for note in product.notes)


def test_noise_near_the_gate_is_raised_by_40_db_at_most(tmp_path: Path) -> None:
    samples = (10**-3.3 * np.random.default_rng(0).standard_normal((2, 4 * 48_000))).astype(np.float32)
    samples *= np.float32(0.5)
    product = mastered(write_samples(tmp_path / "mix.wav", samples, 48_000), tmp_path / "m", "conservative")
    raised = np.sqrt(np.mean(read(product.files["master.wav"]) ** 2)) / np.sqrt(np.mean(samples**2))
    assert 20 * math.log10(raised) <= 40.1
    assert any(note.endswith("more would take over 40 dB of gain") for note in product.notes)


def test_an_offset_is_taken_out(tmp_path: Path) -> None:
    time = np.arange(6 * 48_000) / 48_000
    samples = (0.5 + 0.05 * np.sin(2 * np.pi * 440 * time))[None].astype(np.float32)
    product = mastered(write_samples(tmp_path / "m.wav", samples, 48_000), tmp_path / "m")
    master = read(product.files["master.wav"])
    assert "a constant offset was taken out: it cost headroom" in product.notes
    assert abs(master.mean()) < 1e-3


def crest(samples: Samples) -> float:
    return float(20 * np.log10(np.abs(samples).max() / np.sqrt(np.mean(samples**2))))


@pytest.mark.parametrize("preset", PRESETS)
def test_finished_music_is_only_turned_up_and_its_peaks_limited_by_3_db_at_most(
    preset: Preset, mix: Recording, tmp_path: Path
) -> None:
    product = mastered(mix, tmp_path / "m", preset, target_lufs=-6.0)
    master, original = read(product.files["master.wav"]), mix.read()
    assert crest(original) - crest(master) <= 3.1
    assert product.measures["limiting_db"] <= 3.05
    assert product.measures["bounded"]
    assert any("more would take over 3.0 dB off its peaks" in note for note in product.notes)
    assert not any("of gain" in note for note in product.notes)
    assert loudness(master) < -6.5
    # Where the limiter does not work, samples are those of the mix, but for dither.
    gain = 10 ** (float(product.measures["gain_db"]) / 20)
    quiet = np.abs(original * gain).max(axis=0) < 0.02
    far = np.convolve(~quiet, np.ones(44_100), "same") == 0
    assert not far.any() or np.abs(master - gain * original)[:, far].max() < 1e-6


def test_what_needs_no_limiting_is_the_mix_with_a_gain_but_for_dither(mix: Recording, tmp_path: Path) -> None:
    product = mastered(mix, tmp_path / "m", target_lufs=-24.0)
    gain = 10 ** (float(product.measures["gain_db"]) / 20)
    difference = read(product.files["master.wav"]) - np.float32(gain) * mix.read()
    assert 20 * math.log10(np.sqrt(np.mean(difference**2))) < -130
    assert not product.measures["bounded"]


def test_the_brief_may_allow_more_or_no_limiting(mix: Recording, tmp_path: Path) -> None:
    for allowed in (0.0, 6.0):
        product = mastered(mix, tmp_path / f"{allowed}", target_lufs=-6.0, limiting_db=allowed)
        assert product.measures["limiting_db"] <= allowed + 0.05
        assert product.measures["limiting_db"] >= allowed - 0.5


def test_how_rough_it_is_decides_without_a_step(mix: Recording, tmp_path: Path) -> None:
    masters = [
        read(mastered(mix, tmp_path / f"{rough}", rough=rough).files["master.wav"])
        for rough in (0.0, 1e-4, 0.5, 0.5001)
    ]
    for one, other in (masters[:2], masters[2:]):
        assert 10 * math.log10(np.mean((one - other) ** 2) / np.mean(one**2)) < -60


def test_a_loop_stays_a_loop_and_a_silent_channel_silent(tmp_path: Path) -> None:
    time = np.arange(8 * 44_100) / 44_100
    loop = np.stack([0.3 * np.sin(2 * np.pi * 220 * time) + 0.2 * np.sin(2 * np.pi * 3000 * time), 0 * time])
    mix = write_samples(tmp_path / "mix.wav", loop.astype(np.float32), 44_100)
    master = read(mastered(mix, tmp_path / "m", rough=1.0, preset="conservative").files["master.wav"])
    assert abs(master[0, 0] - master[0, -1]) <= np.abs(np.diff(master[0])).max()
    assert not master[1].any()


def test_loud_and_quiet_keep_their_distance(tmp_path: Path) -> None:
    """18 s at −54 dB, then 2 s of tutti."""
    rng = np.random.default_rng(5)
    samples = 10**-2.7 * rng.standard_normal((2, 20 * 44_100))
    samples[:, 18 * 44_100 :] *= 10 ** (33 / 20)
    mix = write_samples(tmp_path / "mix.wav", samples.astype(np.float32), 44_100)
    master = read(mastered(mix, tmp_path / "m").files["master.wav"])
    levels = [20 * np.log10(np.sqrt(np.mean(part**2))) for part in np.split(master, [17 * 44_100], axis=1)]
    before = [20 * np.log10(np.sqrt(np.mean(part**2))) for part in np.split(samples, [17 * 44_100], axis=1)]
    assert levels[1] - levels[0] == pytest.approx(before[1] - before[0], abs=3)
