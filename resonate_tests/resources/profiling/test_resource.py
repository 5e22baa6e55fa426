from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from resonate_resources.profiling.brief import ProfileBrief
from resonate_resources.profiling.profile import Profile
from resonate_resources.profiling.resource import ProfilingResource
from resonate_resources.recipe import Product
from resonate_resources.recordings.recording import Samples, write_samples
from resonate_studio.demo_song import DemoSong


@pytest.fixture(scope="module")
def product(demo_song: DemoSong, tmp_path_factory: pytest.TempPathFactory) -> Product:
    return ProfilingResource().profile(demo_song.mix, ProfileBrief(), tmp_path_factory.mktemp("profile"))


def test_the_demos_tempo_and_key_are_right(product: Product, demo_song: DemoSong) -> None:
    profile = Profile.read(product.files["profile.json"])
    assert profile.tempo_bpm == pytest.approx(demo_song.composition.tempo_bpm, abs=1)
    assert profile.key == demo_song.composition.key
    assert profile.duration_s == pytest.approx(demo_song.composition.duration, abs=0.01)


def test_measures_say_what_the_file_says(product: Product) -> None:
    profile = json.loads(product.files["profile.json"].read_text())
    for name in ("tempo_bpm", "key", "bandwidth_hz", "width_db", "snr_db", "cut"):
        assert product.measures[name] == pytest.approx(profile[name])
    assert product.measures["loudness_lufs"] == pytest.approx(profile["loudness"]["integrated_lufs"])
    assert product.measures["true_peak_dbtp"] == pytest.approx(profile["loudness"]["true_peak_dbtp"])
    assert product.measures["quality"] == pytest.approx(profile["quality"]["total"])
    assert product.measures["beats"] == len(profile["beats_s"])
    assert product.measures["sections"] == len(profile["sections"])


def test_levels_of_a_tone_are_those_of_its_amplitude(tmp_path: Path) -> None:
    """0.5 of a sine: −6 dBTP, RMS 3 dB under that; at 997 Hz in one channel BS.1770 reads its RMS."""
    tone = 0.5 * np.sin(2 * np.pi * 997 * np.arange(44_100 * 10) / 44_100)
    recording = write_samples(tmp_path / "tone.wav", tone[None].astype(np.float32), 44_100)
    product = ProfilingResource().profile(recording, ProfileBrief(), tmp_path)
    profile = Profile.read(product.files["profile.json"])
    assert profile.loudness.true_peak_dbtp == pytest.approx(-6.02, abs=0.05)
    assert profile.loudness.crest_db == pytest.approx(3.01, abs=0.05)
    assert profile.loudness.plr_db == pytest.approx(3.01, abs=0.1)
    for loudest in (profile.loudness.max_momentary_lufs, profile.loudness.max_short_term_lufs):
        assert loudest == pytest.approx(-9.03, abs=0.1)
    assert profile.rms_dbfs == pytest.approx(-9.03, abs=0.02)
    assert profile.centroid_hz == pytest.approx(997, rel=0.01)
    assert profile.dc == pytest.approx((0.0,), abs=1e-4)


def test_a_profile_survives_being_written_and_read(product: Product, tmp_path: Path) -> None:
    profile = Profile.read(product.files["profile.json"])
    profile.write(tmp_path / "again.json")
    assert Profile.read(tmp_path / "again.json") == profile


def test_the_same_track_gives_the_same_bytes(product: Product, demo_song: DemoSong, tmp_path: Path) -> None:
    again = ProfilingResource().profile(demo_song.mix, ProfileBrief(), tmp_path)
    assert again.files["profile.json"].read_bytes() == product.files["profile.json"].read_bytes()


def test_what_the_brief_knows_is_not_estimated(demo_song: DemoSong, tmp_path: Path) -> None:
    half = demo_song.composition.tempo_bpm / 2
    brief = ProfileBrief(tempo_bpm=half, key="C# major", hints="played by my aunt")
    product = ProfilingResource().profile(demo_song.mix, brief, tmp_path)
    profile = Profile.read(product.files["profile.json"])
    assert (profile.tempo_bpm, profile.key, profile.hints) == (half, "Db major", "played by my aunt")
    assert (profile.camelot, profile.open_key) == ("3B", "8d")  # as DJs' wheels have C# (D flat) major
    assert np.median(np.diff(profile.beats_s)) == pytest.approx(60 / half, rel=0.03)
    assert product.measures["tempo_bpm"] == half
    assert {"tempo_bpm as the brief says", "key as the brief says"} <= set(product.notes)


@pytest.mark.parametrize(
    ("audio", "sample_rate"),
    [
        (np.zeros((2, 44100)), 44100),
        (np.full((1, 1), 0.5), 44100),
        (np.full((1, 48000), 0.3), 48000),
        (0.1 * np.random.default_rng(5).standard_normal((1, 16000)), 8000),
        (0.1 * np.random.default_rng(6).standard_normal((6, 96000)), 192000),
    ],
    ids=["silence", "one sample", "direct current", "8 kHz", "six channels at 192 kHz"],
)
def test_odd_recordings_have_a_profile_without_a_tempo(
    audio: Samples, sample_rate: int, tmp_path: Path
) -> None:
    recording = write_samples(tmp_path / "odd.wav", audio.astype(np.float32), sample_rate)
    product = ProfilingResource().profile(recording, ProfileBrief(), tmp_path)
    profile = Profile.read(product.files["profile.json"])
    assert profile.tempo_bpm is None
    assert profile.beats_s == ()
    assert len(profile.sections) == 1
    assert any("tempo" in note for note in product.notes)
    assert not any(isinstance(value, float) and math.isnan(value) for value in product.measures.values())
    assert (profile.quality.total is None) == (profile.loudness.integrated_lufs is None)


def test_a_file_that_is_no_profile_is_refused(tmp_path: Path) -> None:
    (tmp_path / "profile.json").write_text('{"tempo_bpm": "fast"}')
    with pytest.raises(ValidationError):
        Profile.read(tmp_path / "profile.json")


def test_progress_rises_to_one(tmp_path: Path) -> None:
    seen: list[float] = []
    recording = write_samples(tmp_path / "noise.wav", np.zeros((1, 44100 * 20), np.float32), 44100)
    ProfilingResource().profile(recording, ProfileBrief(), tmp_path, seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
