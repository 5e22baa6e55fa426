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
    for name in ("tempo_bpm", "key", "loudness_lufs", "true_peak_dbtp", "bandwidth_hz", "width_db"):
        assert product.measures[name] == pytest.approx(profile[name])
    assert product.measures["beats"] == len(profile["beats_s"])
    assert product.measures["sections"] == len(profile["sections"])


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
