"""Mixes whose stems can be told apart again, so that the balance is known and not taken from the mixer's word."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyloudnorm
import pytest

from resonate_resources.mixing.balance import balance_error, balance_holds, target_loudness
from resonate_resources.mixing.brief import MixingBrief
from resonate_resources.mixing.resource import MixingResource
from resonate_resources.preset import Preset
from resonate_resources.recordings.recording import AudioError, Recording, Samples, Stems, write_samples
from resonate_studio.demo_song import DemoSong

RATE = 44_100
PRESETS: tuple[Preset, ...] = ("conservative", "balanced", "aggressive")
# One tone per stem, whole periods in a second.
PITCHES = {"vocals": 1000, "drums": 4000, "bass": 200, "other": 600}
ASKED_LU = {"vocals": 0, "drums": -3, "bass": -6, "other": -8}  # R3


def tone(hertz: float, amplitude: float, channels: int = 2, seconds: float = 4) -> Samples:
    wave = amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)
    return np.repeat(wave[None], channels, axis=0).astype(np.float32)


def stems_of(folder: Path, samples: dict[str, Samples], rate: int = RATE) -> Stems:
    return {name: write_samples(folder / f"{name}.wav", part, rate) for name, part in samples.items()}


def mixed(
    stems: Stems, folder: Path, preset: Preset = "balanced", **wanted: Any
) -> tuple[Recording, dict[str, float]]:
    into = folder / f"mix-{preset}"
    into.mkdir()
    product = MixingResource().mix(stems, MixingBrief(preset=preset, **wanted), into)
    assert sorted(path.name for path in into.iterdir()) == ["mix.wav"]
    assert not any(math.isnan(value) for value in product.measures.values() if isinstance(value, float))
    return Recording.open(product.files["mix.wav"]), dict(product.measures)  # type: ignore[arg-type]


def tone_loudness(mix: Samples, hertz: int) -> float:
    """Loudness, by pyloudnorm, of one tone cut out of the mix's last second."""
    spectrum = np.fft.rfft(mix[:, -RATE:], axis=1) / RATE * 2
    wave = np.abs(spectrum[:, hertz])[:, None] * np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE)
    return float(pyloudnorm.Meter(RATE).integrated_loudness(wave.T))


@pytest.mark.parametrize("preset", PRESETS)
def test_stems_sit_in_the_mix_as_r3_asks_whatever_their_level_was(preset: str, tmp_path: Path) -> None:
    amplitudes = {"vocals": 0.1, "drums": 0.3, "bass": 0.9, "other": 0.2}
    stems = stems_of(tmp_path, {name: tone(PITCHES[name], level) for name, level in amplitudes.items()})
    samples = mixed(stems, tmp_path, preset)[0].read()
    heard = {name: tone_loudness(samples, hertz) for name, hertz in PITCHES.items()}
    for name, asked in ASKED_LU.items():
        assert heard[name] - heard["vocals"] == pytest.approx(asked, abs=0.5)


def test_a_stem_is_as_much_louder_as_the_brief_wants_and_stands_where_it_wants(tmp_path: Path) -> None:
    stems = stems_of(tmp_path, {name: tone(hertz, 0.2) for name, hertz in PITCHES.items()})
    mix, measures = mixed(stems, tmp_path, gains_db={"drums": 4.0}, balance_lu={"bass": -10.0})
    heard = {name: tone_loudness(mix.read(), hertz) for name, hertz in PITCHES.items()}
    for name, asked in {**ASKED_LU, "drums": -3 + 4, "bass": -10}.items():
        assert heard[name] - heard["vocals"] == pytest.approx(asked, abs=0.5)
    assert not balance_holds(measures)  # it is not the usual one


@pytest.mark.parametrize("preset", PRESETS)
def test_a_song_is_mixed_in_balance_with_headroom_and_at_its_length(
    preset: str, demo_song: DemoSong, tmp_path: Path
) -> None:
    mix, measures = mixed(demo_song.stems, tmp_path, preset)
    assert (mix.sample_rate, mix.channels, mix.frames) == (
        demo_song.mix.sample_rate,
        demo_song.mix.channels,
        demo_song.mix.frames,
    )
    assert np.abs(mix.read()).max() <= 10 ** (-3 / 20)
    assert all(measures[f"{name}_levelled"] for name in ASKED_LU)
    assert balance_holds(measures)
    loudness = pyloudnorm.Meter(mix.sample_rate).integrated_loudness(mix.read().T)
    assert measures["loudness_lufs"] == pytest.approx(loudness, abs=0.1)


def test_presets_do_more_and_more_to_the_dynamics(demo_song: DemoSong, tmp_path: Path) -> None:
    crest = []
    for preset in PRESETS:
        samples = mixed({"vocals": demo_song.stems["vocals"]}, tmp_path, preset)[0].read()
        crest.append(20 * math.log10(np.abs(samples).max() / np.sqrt(np.mean(samples**2))))
    assert crest[0] > crest[1] > crest[2]


def test_silent_stems_stay_silent_and_residue_is_not_raised(tmp_path: Path) -> None:
    stems = stems_of(
        tmp_path,
        {
            "vocals": tone(1000, 0.1),
            "drums": np.zeros((2, 4 * RATE), np.float32),
            "bass": tone(200, 0.1),
            "other": tone(600, 1e-4),  # some −80 LUFS
        },
    )
    mix, measures = mixed(stems, tmp_path)
    samples = mix.read()
    assert measures["drums_loudness_lufs"] == -math.inf
    assert not measures["drums_levelled"]
    assert not measures["other_levelled"]
    # It was 60 dB under the voice, and still is, but for what balance moves the others by.
    assert tone_loudness(samples, 1000) - tone_loudness(samples, 600) > 50
    assert balance_holds(measures)


def test_a_stem_far_under_the_others_is_raised_by_20_db_at_most(tmp_path: Path) -> None:
    stems = stems_of(tmp_path, {"vocals": tone(1000, 0.005), "drums": tone(4000, 0.5)})
    mix, measures = mixed(stems, tmp_path)
    before, samples = tone(1000, 0.005) + tone(4000, 0.5), mix.read()
    raised = (tone_loudness(samples, 1000) - tone_loudness(before, 1000)) - (
        tone_loudness(samples, 4000) - tone_loudness(before, 4000)
    )
    assert not measures["vocals_levelled"]
    # The drum goes to its place: in a mix as loud as the track was, 3 dB and the voice's share under it.
    assert raised == pytest.approx(20 + 3 + 10 * math.log10(1 + 10**-0.3), abs=0.5)


def test_a_silent_track_is_a_silent_mix(tmp_path: Path) -> None:
    stems = stems_of(tmp_path, {name: np.zeros((2, RATE), np.float32) for name in PITCHES})
    mix, measures = mixed(stems, tmp_path)
    assert not mix.read().any()
    assert measures["loudness_lufs"] == -math.inf


@pytest.mark.parametrize(
    ("channels", "frames", "rate"),
    [
        (1, 1, 44_100),
        (2, 1, 48_000),
        (6, 3, 48_000),
        (6, 20_000, 48_000),
        (1, 8_000, 8_000),
        (2, 9_600, 192_000),
    ],
)
def test_any_shape_keeps_its_shape(channels: int, frames: int, rate: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    samples = {name: rng.uniform(-0.5, 0.5, (channels, frames)).astype(np.float32) for name in PITCHES}
    mix, _ = mixed(stems_of(tmp_path, samples, rate), tmp_path)
    assert (mix.channels, mix.frames, mix.sample_rate) == (channels, frames, rate)
    assert np.isfinite(mix.read()).all()


def test_nothing_is_delayed(tmp_path: Path) -> None:
    samples = np.zeros((2, 3 * RATE), np.float32)
    samples[:, 77_777] = 0.9
    mix, _ = mixed(stems_of(tmp_path, {"drums": samples}), tmp_path)
    assert np.argmax(np.abs(mix.read()[0])) == 77_777


def test_compression_leaves_the_image_where_it_is(tmp_path: Path) -> None:
    swell = np.linspace(0.02, 1, 4 * RATE, dtype=np.float32)
    left = tone(4000, 0.8) * swell
    left[1] *= np.float32(0.25)
    samples = mixed(stems_of(tmp_path, {"vocals": left}), tmp_path, "aggressive")[0].read()
    for start in (RATE, 2 * RATE, 3 * RATE):
        part = samples[:, start : start + 4410]
        ratio = np.sqrt(np.mean(part[0] ** 2) / np.mean(part[1] ** 2))
        assert 20 * math.log10(ratio) == pytest.approx(20 * math.log10(4), abs=0.1)


def test_the_sides_are_gone_an_octave_below_120_hz_and_kept_an_octave_above_1_khz(tmp_path: Path) -> None:
    sides = np.array([[1.0], [-1.0]], np.float32) * (tone(60, 0.3) + tone(2000, 0.3))
    middle = tone(60, 0.3) + tone(2000, 0.3)
    samples = mixed(stems_of(tmp_path, {"drums": sides + middle}), tmp_path, "conservative")[0].read()
    side = np.abs(np.fft.rfft((samples[0] - samples[1])[-RATE:]))
    middle = np.abs(np.fft.rfft((samples[0] + samples[1])[-RATE:]))
    assert 20 * math.log10(side[60] / middle[60]) < -12
    assert 20 * math.log10(side[2000] / middle[2000]) == pytest.approx(0, abs=0.2)


def test_the_same_stems_make_the_same_bytes(tmp_path: Path) -> None:
    stems = stems_of(tmp_path, {name: tone(hertz, 0.3) for name, hertz in PITCHES.items()})
    (tmp_path / "again").mkdir()
    assert mixed(stems, tmp_path)[0].sha256 == mixed(stems, tmp_path / "again")[0].sha256


def test_no_stems_are_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="no stems to mix: separate the track first"):
        MixingResource().mix({}, MixingBrief(), tmp_path)


def test_targets_sum_to_the_loudness_asked_for() -> None:
    targets = target_loudness(["vocals", "drums", "bass", "other"], -20)
    assert 10 * math.log10(sum(10 ** (level / 10) for level in targets.values())) == pytest.approx(-20)
    assert targets["drums"] - targets["vocals"] == pytest.approx(-3)


def test_balance_is_judged_by_the_stems_that_are_levelled() -> None:
    measures = {"vocals_loudness_lufs": -20.0, "vocals_levelled": True, "drums_levelled": True}
    assert balance_holds({**measures, "drums_loudness_lufs": -23.4})
    assert not balance_holds({**measures, "drums_loudness_lufs": -23.6})
    assert balance_holds({**measures, "drums_loudness_lufs": -60.0, "drums_levelled": False})
    assert balance_error({"vocals": -20.0, "drums": -24.0, "bass": -25.0}) == pytest.approx(2)
    assert balance_error({}) == 0
