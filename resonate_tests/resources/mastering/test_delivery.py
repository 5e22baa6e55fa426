"""Files of a master: easing, excerpts, thrift, several targets, and what files say of their own loudness."""

# mypy: disable-error-code="no-untyped-call"

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

from resonate_resources.mastering import foresight
from resonate_resources.mastering.brief import FORMATS, MasteringBrief
from resonate_resources.mastering.easing import WINDOW_SECONDS, eased
from resonate_resources.mastering.resource import MasteringResource
from resonate_resources.recipe import Product
from resonate_resources.recordings.decoding import decoded
from resonate_resources.recordings.recording import Recording, Samples, write_samples
from resonate_resources.recordings.tag_reading import read_tags
from resonate_resources.recordings.tags import Tags

RATE = 44_100
COVER = b"\xff\xd8\xff12"
TAGS = Tags(artist="Björk", title="Jóga", bpm=84.5, key="F#m", artwork=COVER)


def music(seconds: float, seed: int = 0) -> Samples:
    """Beats over held tones."""
    time = np.arange(round(seconds * RATE)) / RATE
    rng = np.random.default_rng(seed)
    beat = np.exp(-(time % 0.5) / 0.08) * rng.standard_normal(time.size)
    held = sum(np.sin(2 * np.pi * hertz * time) for hertz in (110, 165, 220, 330))
    left = 0.12 * beat + 0.06 * held
    return np.stack([left, 0.8 * left + 0.02 * np.sin(2 * np.pi * 440 * time)]).astype(np.float32)


def mastered(folder: Path, samples: Samples, **wanted: Any) -> Product:
    mix = write_samples(folder / "mix.wav", samples, RATE)
    (folder / "m").mkdir()
    return MasteringResource().master(mix, mix, MasteringBrief(**wanted), 0.0, TAGS, folder / "m")


def loudness(path: Path) -> float:
    samples, rate = sf.read(path)
    return float(pyloudnorm.Meter(rate).integrated_loudness(samples))


def test_each_target_gets_a_master_of_its_own_in_every_format(tmp_path: Path) -> None:
    wanted = {"also": ("Apple", "ebu-r128", -18.5), "formats": ("flac", "opus"), "limiting_db": 12.0}
    product = mastered(tmp_path, music(8), **wanted)
    expected = {"": -14.0, "-apple": -16.0, "-ebu-r128": -23.0, "-18.5lufs": -18.5}
    names = {f"master{label}.{form}" for label in expected for form in ("flac", "opus")}
    assert set(product.files) == names | {"master.wav"}
    for label, lufs in expected.items():
        for form in ("flac", "opus"):
            assert loudness(product.files[f"master{label}.{form}"]) == pytest.approx(lufs, abs=0.1)
    assert product.measures["apple_opus_loudness_lufs"] == pytest.approx(-16, abs=0.1)
    assert product.measures["18.5lufs_gain_db"] < product.measures["gain_db"]


@pytest.mark.parametrize("target", ["loud", "3", "-40"])
def test_a_target_that_is_none_is_refused(target: str) -> None:
    with pytest.raises(ValueError, match=target):
        MasteringBrief(also=(target,))


def test_a_target_that_is_asked_for_twice_is_made_once() -> None:
    assert MasteringBrief(also=("-9", "Spotify", "spotify", "-9.0")).also == ("-9.0", "spotify")


@pytest.mark.parametrize("form", FORMATS)
def test_files_say_how_loud_they_are_beside_their_tags_and_cover(form: str, tmp_path: Path) -> None:
    """ReplayGain 2.0 brings to −18 LUFS; RFC 7845 says 1/256 dB to −23 LUFS."""
    product = mastered(tmp_path, music(4), formats=(form,), target_lufs=-20.0)
    path = product.files[f"master.{form}"]
    assert read_tags(path) == TAGS
    tags: Any = mutagen.File(path).tags
    if form == "opus":
        assert int(tags["R128_TRACK_GAIN"][0]) == pytest.approx(256 * -3, abs=0.1 * 256)
        assert "REPLAYGAIN_TRACK_GAIN" not in tags
        return
    key = {"flac": "REPLAYGAIN_TRACK_{}", "m4a": "----:com.apple.iTunes:REPLAYGAIN_TRACK_{}"}.get(
        form, "TXXX:REPLAYGAIN_TRACK_{}"
    )
    gain, peak = (tags[key.format(name)] for name in ("GAIN", "PEAK"))
    if form in ("wav", "mp3"):
        gain, peak = gain.text, peak.text
    gain, peak = (bytes(text[0]).decode() if form == "m4a" else text[0] for text in (gain, peak))
    assert gain.endswith(" dB")
    assert float(gain.removesuffix(" dB")) == pytest.approx(2.0, abs=0.1)
    assert 20 * math.log10(float(peak)) == pytest.approx(
        float(product.measures["true_peak_dbtp" if form == "wav" else f"{form}_true_peak_dbtp"]), abs=0.01
    )


def decoded_peak_dbtp(path: Path) -> float:
    with decoded(path) as (_, _, blocks):
        samples = np.concatenate(list(blocks), axis=1)
    return float(20 * np.log10(np.abs(resample_poly(samples, 4, 1, axis=1)).max()))


@pytest.mark.parametrize("limiting_db", [3.0, 24.0])
def test_a_file_that_encoding_leaves_softer_than_the_wav_is_at_the_ceiling_and_says_so(
    limiting_db: float, tmp_path: Path
) -> None:
    """Noise at −6 LUFS: whatever the limiter does, encoders raise its peaks by decibels."""
    noise = (0.1 * np.random.default_rng(3).standard_normal((2, 4 * RATE))).astype(np.float32)
    wanted = {"formats": ("mp3", "m4a", "opus"), "target_lufs": -6.0, "limiting_db": limiting_db}
    product = mastered(tmp_path, noise, **wanted)
    wav_lufs, softer = loudness(product.files["master.wav"]), 0
    for form, called in {"mp3": "MP3", "m4a": "AAC", "opus": "Opus"}.items():
        path = product.files[f"master.{form}"]
        peak_dbtp = decoded_peak_dbtp(path)
        assert peak_dbtp <= -1.0
        own = float(product.measures[f"{form}_loudness_lufs"])
        if wav_lufs - own > 0.15:
            softer += 1
            assert peak_dbtp >= -1.6
            assert any(
                f"the {called} is at {own:.1f} LUFS, not {wav_lufs:.1f}" in note for note in product.notes
            )
    assert softer


@pytest.mark.parametrize("alike", [0.0, 1.0])
def test_what_is_mixed_down_for_mp3_is_at_the_target_as_the_rest(alike: float, tmp_path: Path) -> None:
    """Six channels that are one lose nothing in stereo, six of their own do."""
    rng = np.random.default_rng(1)
    shared, own = rng.standard_normal((1, 4 * RATE)), rng.standard_normal((6, 4 * RATE))
    samples = (0.02 * (alike * shared + (1 - alike) * own)).astype(np.float32)
    files = mastered(tmp_path, samples, formats=("mp3",), target_lufs=-20.0).files
    assert sf.info(files["master.mp3"]).channels == 2
    assert loudness(files["master.mp3"]) == pytest.approx(-20, abs=0.1)


def test_limiting_that_brings_less_than_half_of_it_in_loudness_is_left_out_unless_asked_for(
    tmp_path: Path,
) -> None:
    """Blips of 10 ms are all that is heard: what the limiter takes off them, loudness loses."""
    time = np.arange(10 * RATE) / RATE
    blips = (0.5 * np.sin(2 * np.pi * 1000 * time) * (time % 0.25 < 0.01)).astype(np.float32)[None]
    (tmp_path / "asked").mkdir()
    thrifty = mastered(tmp_path, blips, formats=("wav",), target_lufs=-6.0)
    asked = mastered(tmp_path / "asked", blips, formats=("wav",), target_lufs=-6.0, limiting_db=3.0)
    assert asked.measures["limiting_db"] == pytest.approx(3, abs=0.05)
    gained = float(asked.measures["loudness_lufs"]) - float(thrifty.measures["loudness_lufs"])
    assert gained <= 0.5 * (asked.measures["limiting_db"] - thrifty.measures["limiting_db"]) + 0.1
    assert thrifty.measures["limiting_db"] < 1.0
    assert any("less than half of its limiting" in note for note in thrifty.notes)


def test_a_dip_is_as_deep_as_asked_in_its_window_and_gone_two_windows_away(tmp_path: Path) -> None:
    source = write_samples(tmp_path / "a.wav", np.full((2, 20 * RATE), 0.5, np.float32), RATE)
    gain_db = 20 * np.log10(eased(source, {100: 1.5, 300: 0.2}, tmp_path / "b.wav").read()[0] / 0.5)
    window = round(WINDOW_SECONDS * RATE)
    np.testing.assert_allclose(gain_db[100 * window : 101 * window], -1.5, atol=1e-3)
    np.testing.assert_allclose(gain_db[300 * window : 301 * window], -0.2, atol=1e-3)
    far = np.ones(gain_db.size, bool)
    for number in (100, 300):
        far[(number - 2) * window : (number + 3) * window] = False
    assert not gain_db[far].any()
    assert np.abs(np.diff(gain_db)).max() < 1.5 * np.pi / window  # of a cosine over one window; no click


def test_excerpts_tell_where_the_whole_will_be_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute of soft music with three loud spots whose peaks are at −0.9 dBTP: each is found in its place."""
    monkeypatch.setattr(foresight, "LONG_SECONDS", 30.0)
    samples = 0.05 * music(60) / np.abs(music(60)).max()
    time = np.arange(RATE // 5) / RATE
    spot = 10 ** (-0.9 / 20) * np.hanning(time.size) * np.sin(2 * np.pi * 700 * time)
    for second in (10, 31, 47):
        samples[:, second * RATE : second * RATE + spot.size] = spot
    recording = Recording.open(write_samples(tmp_path / "a.wav", samples.astype(np.float32), RATE).path)
    for form in ("mp3", "m4a", "opus"):
        dips = foresight.foreseen(recording, form, -1.0, tmp_path).dips
        spots = {math.floor(window * WINDOW_SECONDS) for window in dips}
        assert spots == {10, 31, 47}
        assert all(0.05 <= dip <= 0.5 for dip in dips.values())


def test_of_what_is_loud_throughout_a_sample_tells_how_far_it_will_be_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foresight, "LONG_SECONDS", 30.0)
    time = np.arange(60 * RATE) / RATE
    tone = (10 ** (-0.5 / 20) * np.sin(2 * np.pi * 700 * time))[None].astype(np.float32)
    recording = write_samples(tmp_path / "a.wav", tone, RATE)
    assert foresight.foreseen(recording, "mp3", -1.0, tmp_path).over_db == pytest.approx(0.5, abs=0.1)
    assert foresight.foreseen(recording, "mp3", -0.3, tmp_path).over_db == 0
