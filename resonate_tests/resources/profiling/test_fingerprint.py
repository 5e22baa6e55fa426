"""What sounds the same has the same fingerprint, in whatever format it is kept."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from resonate_resources.profiling.fingerprint import FingerprintError, alike, fingerprint_of
from resonate_resources.recordings.decoding import decode
from resonate_resources.recordings.lossy import encode_lossy
from resonate_resources.recordings.recording import write_samples
from resonate_studio.demo_song import DemoSong, compose, render
from resonate_tests.programs import required


@pytest.fixture(autouse=True)
def _library(request: pytest.FixtureRequest) -> None:
    if "without" not in request.node.name:
        required("libchromaprint1")


def test_an_mp3_of_a_song_has_its_fingerprint_and_another_song_has_not(
    demo_song: DemoSong, tmp_path: Path
) -> None:
    own = fingerprint_of(demo_song.mix)
    encode_lossy(demo_song.mix, tmp_path / "song.mp3", "mp3", 96)
    as_mp3 = fingerprint_of(decode(tmp_path / "song.mp3", tmp_path).recording)
    (tmp_path / "other").mkdir()
    other = fingerprint_of(render(compose(seed=77), tmp_path / "other").mix)
    assert alike(own, as_mp3) > 0.8
    assert alike(own, other) < 0.5
    assert len(own) < 4000


def test_what_begins_later_is_still_alike(demo_song: DemoSong, tmp_path: Path) -> None:
    samples = demo_song.mix.read(2 * demo_song.mix.sample_rate, demo_song.mix.frames)
    later = write_samples(tmp_path / "later.wav", samples, demo_song.mix.sample_rate)
    assert alike(fingerprint_of(demo_song.mix), fingerprint_of(later)) > 0.8


def test_what_is_too_short_has_no_fingerprint_and_says_so(tmp_path: Path) -> None:
    short = write_samples(tmp_path / "short.wav", np.zeros((1, 44_100), np.float32), 44_100)
    with pytest.raises(FingerprintError, match="shorter than 3 s"):
        fingerprint_of(short)


def test_without_the_library_it_is_told(monkeypatch: pytest.MonkeyPatch, demo_song: DemoSong) -> None:
    monkeypatch.setitem(sys.modules, "chromaprint", None)
    with pytest.raises(FingerprintError, match="not installed"):
        fingerprint_of(demo_song.mix)


def test_a_sample_rate_that_the_library_does_not_take_is_told(tmp_path: Path) -> None:
    required("libchromaprint1")
    noise = 0.1 * np.random.default_rng(0).standard_normal((1, 5000)).astype(np.float32)
    with pytest.raises(FingerprintError, match="1000 Hz"):
        fingerprint_of(write_samples(tmp_path / "low.wav", noise, 1000))
