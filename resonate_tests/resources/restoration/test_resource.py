from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from resonate_resources.preset import Preset
from resonate_resources.recipe import Product
from resonate_resources.recordings.recording import Recording, Samples, Stems, write_samples
from resonate_resources.restoration.brief import RestorationBrief
from resonate_resources.restoration.resource import RestorationResource
from resonate_resources.separation.brief import SeparationBrief
from resonate_resources.separation.resource import SeparationResource
from resonate_resources.separation.spectral import spleeter
from resonate_resources.signal.bandwidth import detect_bandwidth
from resonate_resources.signal.si_sdr import measure_si_sdr, si_sdr
from resonate_studio.demo_song import DemoSong, PhoneRecording

PRESETS: tuple[Preset, ...] = ("conservative", "balanced", "aggressive")


@pytest.fixture(scope="module")
def separated(phone_recording: PhoneRecording, tmp_path_factory: pytest.TempPathFactory) -> Stems:
    """The stems of the phone recording, as the masks alone part it: noise is left in its vocals.

    In those that Spleeter finds there is hardly any (`e2e/test_demo.py` restores them, too).
    """
    folder = tmp_path_factory.mktemp("separated")
    separation = SeparationResource()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spleeter, "_checkpoint", lambda: None)
        return opened(separation.separate(separation.plan(phone_recording.mix, SeparationBrief()), folder))


@pytest.fixture(scope="module")
def restored(separated: Stems, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Product]:
    """Preset → the restored stems of the phone recording."""
    return {preset: restore(separated, tmp_path_factory.mktemp(preset), preset) for preset in PRESETS}


def restore(stems: Stems, into: Path, preset: Preset = "balanced") -> Product:
    return RestorationResource().restore(stems, RestorationBrief(preset=preset), into)


def opened(product: Product) -> Stems:
    return {path.stem: Recording.open(path) for path in product.files.values() if path.suffix == ".wav"}


def quiet_frames_db(recording: Recording) -> float:
    """Level of the quietest twentieth of all 50 ms that are not digital silence, in dBFS."""
    samples = recording.read().astype(np.float64)
    frame = recording.sample_rate // 20
    whole = samples[:, : samples.shape[1] // frame * frame].reshape(len(samples), -1, frame)
    powers = np.sort((whole**2).mean(axis=(0, 2)))
    powers = powers[powers > 1e-12]
    return float(10 * np.log10(powers[: len(powers) // 20].mean()))


def band_level_db(recording: Recording, lower_hz: float, upper_hz: float) -> float:
    samples = recording.read(0, 1 << 21)  # 48 s
    hz = np.fft.rfftfreq(samples.shape[1], 1 / recording.sample_rate)
    power = np.abs(np.fft.rfft(samples)) ** 2
    return float(10 * np.log10(power[:, (hz >= lower_hz) & (hz < upper_hz)].mean() + 1e-30))


def saved(folder: Path, **stems: Samples) -> Stems:
    return {
        name: write_samples(folder / f"source-{name}.wav", samples, 44_100) for name, samples in stems.items()
    }


@pytest.mark.parametrize("name", ["vocals", "drums", "bass", "other"])
@pytest.mark.parametrize("preset", PRESETS)
def test_no_stem_of_a_phone_recording_gets_further_from_the_truth(
    phone_recording: PhoneRecording, separated: Stems, restored: dict[str, Product], preset: str, name: str
) -> None:
    truth = phone_recording.stems[name]
    before = measure_si_sdr(separated[name], truth)
    after = measure_si_sdr(opened(restored[preset])[name], truth)

    assert after >= before


@pytest.mark.parametrize("name", ["drums", "bass", "other"])
@pytest.mark.parametrize("preset", PRESETS)
def test_what_is_added_to_a_stem_is_less_than_what_was_taken_off_it(
    separated: Stems, restored: dict[str, Product], preset: str, name: str
) -> None:
    change = opened(restored[preset])[name].read().astype(np.float64) - separated[name].read()
    whole = 1 << 22  # longer than the track: all of it counts
    assert change.shape[1] <= whole
    hz = np.fft.rfftfreq(whole, 1 / 44_100)
    power = np.abs(np.fft.rfft(change, whole)) ** 2

    assert power[:, hz > 40].sum() <= 0.55 * power[:, hz < 40].sum()  # rumble is where nothing is added
    assert power[:, hz < 40].sum() > 0


def test_the_vocals_of_a_phone_recording_get_nearer_to_the_truth_and_their_noise_falls(
    phone_recording: PhoneRecording, separated: Stems, restored: dict[str, Product]
) -> None:
    truth, before = phone_recording.stems["vocals"], separated["vocals"]
    for preset in PRESETS:
        after = opened(restored[preset])["vocals"]
        assert measure_si_sdr(after, truth) > measure_si_sdr(before, truth)
        assert quiet_frames_db(after) < quiet_frames_db(before)


def test_the_octave_above_a_phones_band_comes_nearer_to_the_clean_stems(
    demo_song: DemoSong, phone_recording: PhoneRecording, tmp_path: Path
) -> None:
    after = opened(restore(phone_recording.stems, tmp_path))
    for name in ("vocals", "drums", "other"):
        clean_db, before_db, after_db = (
            band_level_db(stem, 10_000, 14_000) - band_level_db(stem, 1_000, 4_000)
            for stem in (demo_song.stems[name], phone_recording.stems[name], after[name])
        )
        assert abs(after_db - clean_db) < abs(before_db - clean_db), name


@pytest.mark.parametrize(
    ("preset", "most_db"), [("conservative", -46), ("balanced", -43), ("aggressive", -40)]
)
def test_overtones_of_a_stem_without_noise_cost_less_than_five_thousandths_of_a_decibel(
    tmp_path: Path, preset: Preset, most_db: float
) -> None:
    """Noise that ends at 8 kHz, parted from other noise so that it is at 10 dB: as good as stems get here."""
    rng = np.random.default_rng(0)
    spectra = np.fft.rfft(rng.standard_normal((2, 5 * 44_100)) * [[0.1], [0.1 * 10 ** (-10 / 20)]])
    spectra[:, 5 * 8_000 :] = 0
    truth, error = np.fft.irfft(spectra).astype(np.float32)[:, None]
    stems = saved(tmp_path, drums=truth + error)

    after = opened(restore(stems, tmp_path, preset))["drums"].read()

    cost = si_sdr(truth + error, truth) - si_sdr(after, truth)
    assert 0 < cost < 0.005
    added = after - truth - error
    assert 10 * np.log10(np.sum(added**2) / np.sum((truth + error) ** 2)) == pytest.approx(most_db, abs=0.01)


def test_a_bass_without_lows_gets_an_octave_under_it(tmp_path: Path) -> None:
    time = np.arange(5 * 44_100) / 44_100
    bass = sum(0.3 / n * np.sin(2 * np.pi * 110 * n * time) for n in (1, 2, 3))
    bass = bass * np.clip(np.minimum(time, 5 - time) / 0.5, 0, 1)  # clicks at the ends would be rumble
    stems = saved(
        tmp_path, vocals=np.zeros((1, time.size), np.float32), bass=np.asarray(bass, np.float32)[None]
    )
    product = restore(stems, tmp_path, "aggressive")

    octave_db = -40 - 3.01  # half of what may be added: there are overtones too
    assert float(product.measures["bass_sub_bass_added_db"]) == pytest.approx(octave_db, abs=0.01)
    added = (opened(product)["bass"].read(44_100, 2 * 44_100) - stems["bass"].read(44_100, 2 * 44_100))[0]
    partials_db = 10 * np.log10((1 + 1 / 4 + 1 / 9) / 2 * 0.3**2)  # mean square of the three, in dB
    heard_db = 20 * np.log10(np.abs(np.fft.rfft(added))[55] * 2 / 44_100) - 3.01
    assert heard_db == pytest.approx(partials_db + octave_db, abs=1)


def test_a_stronger_preset_does_more(restored: dict[str, Product]) -> None:
    for measure in ("vocals_noise_reduction_db", "bass_sub_bass_added_db"):
        values = [float(restored[preset].measures[measure]) for preset in PRESETS]
        assert values == sorted(values)
        assert values[0] < values[-1]


def test_shape_and_rate_stay(separated: Stems, restored: dict[str, Product]) -> None:
    for product in restored.values():
        assert list(product.files) == ["vocals.wav", "drums.wav", "bass.wav", "other.wav"]
        for name, stem in opened(product).items():
            source = separated[name]
            assert (stem.sample_rate, stem.channels, stem.frames) == (
                source.sample_rate,
                source.channels,
                source.frames,
            )


def test_a_clean_full_range_song_is_left_as_it_is(demo_song: DemoSong, tmp_path: Path) -> None:
    product = restore(demo_song.stems, tmp_path)

    for name, stem in opened(product).items():
        np.testing.assert_array_equal(stem.read(), demo_song.stems[name].read())
    assert all("left as it is" in note or "nothing added" in note for note in product.notes)
    assert detect_bandwidth(demo_song.mix).upper_hz > 16_000


def test_steps_that_are_not_wanted_are_not_taken(tmp_path: Path) -> None:
    time = np.arange(5 * 44_100) / 44_100
    bass = sum(0.3 / n * np.sin(2 * np.pi * 110 * n * time) for n in (1, 2, 3))  # without lows
    bass = bass + 0.003 * np.sin(2 * np.pi * 25 * time)  # rumble
    bass = bass * np.clip(np.minimum(time, 5 - time) / 0.5, 0, 1)
    stems = saved(tmp_path, bass=np.asarray(bass, np.float32)[None])
    levels = {}
    for steps in ((), ("cut_rumble",), ("extend",)):
        product = RestorationResource().restore(stems, RestorationBrief(steps=steps), tmp_path)
        change = (opened(product)["bass"].read() - stems["bass"].read())[0, 44_100 : 3 * 44_100]
        spectrum = np.abs(np.fft.rfft(change)) / len(change) * 2  # whole periods of both
        levels[steps] = spectrum[2 * 25], spectrum[2 * 55]

    assert levels[()] == (0, 0)
    assert levels["cut_rumble",] == pytest.approx((0.003, 0), abs=3e-4)
    rumble, octave = levels["extend",]
    assert rumble < 1e-4 < octave


def test_only_what_belongs_to_the_artefact_is_left_in_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "into"
    folder.mkdir()
    noise = np.random.default_rng(0).standard_normal((1, 88_200)).astype(np.float32) * 0.01
    product = restore(saved(tmp_path, vocals=noise, drums=noise), folder)

    assert sorted(path.name for path in folder.iterdir()) == sorted(product.files)


def test_the_same_stems_give_the_same_bytes(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).standard_normal((2, 132_300)).astype(np.float32) * 0.01
    stems = saved(tmp_path, vocals=noise, bass=np.cumsum(noise, axis=1) * np.float32(0.01))
    hashes = []
    for folder in (tmp_path / "once", tmp_path / "again"):
        folder.mkdir()
        hashes.append([stem.sha256 for stem in opened(restore(stems, folder)).values()])

    assert hashes[0] == hashes[1]


@pytest.mark.parametrize(
    ("frames", "channels", "rate"),
    [(0, 2, 44_100), (1, 1, 44_100), (500, 2, 8_000), (20_000, 1, 8_000), (96_000, 6, 192_000)],
)
@pytest.mark.parametrize("sounding", [False, True], ids=["silence", "noise"])
def test_any_length_rate_and_number_of_channels_comes_out_finite(
    tmp_path: Path, frames: int, channels: int, rate: int, sounding: bool
) -> None:
    samples = (
        np.random.default_rng(0).standard_normal((channels, frames)).astype(np.float32) * 0.05 * sounding
        + 0.1 * sounding
    )
    stems = {
        name: write_samples(tmp_path / f"source-{name}.wav", samples.astype(np.float32), rate)
        for name in ("vocals", "drums", "bass", "other")
    }

    product = restore(stems, tmp_path, "aggressive")

    assert all(math.isfinite(float(value)) for value in product.measures.values())
    for stem in opened(product).values():
        assert (stem.sample_rate, stem.channels, stem.frames) == (rate, channels, frames)
        assert np.isfinite(stem.read()).all()


def test_the_recipe_says_what_will_be_done() -> None:
    recipe = RestorationResource().recipe(RestorationBrief(preset="aggressive", steps=("denoise",)))

    assert recipe.engine.name == "noisereduce"
    assert recipe.settings == {"preset": "aggressive", "steps": ["denoise"]}


def test_progress_rises_to_the_end(tmp_path: Path) -> None:
    silence = np.zeros((2, 44_100), np.float32)
    heard: list[float] = []
    stems = saved(tmp_path, vocals=silence, drums=silence)
    RestorationResource().restore(stems, RestorationBrief(), tmp_path, heard.append)

    assert heard == sorted(heard)
    assert heard[-1] == 1
