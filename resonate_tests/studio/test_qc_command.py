from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from resonate_resources.quality.scales import DIMENSIONS
from resonate_resources.recordings.recording import write_samples
from resonate_studio.cli import main
from resonate_studio.demo_song import DemoSong

RATE = 44_100


@pytest.fixture(scope="module")
def song(demo_song: DemoSong, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("qc") / "song.wav"
    samples = demo_song.mix.read(0, 15 * demo_song.mix.sample_rate)
    write_samples(path, samples, demo_song.mix.sample_rate)
    return path


def run(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["qc", *map(str, words)])
    return result.exit_code, result.output


def test_a_file_matches_itself(song: Path) -> None:
    code, output = run(song, song, "--json")
    report = json.loads(output)
    assert code == 0
    assert report["total"] == 100
    assert report["accepted"]
    assert {name: each["score"] for name, each in report["dimensions"].items()} == dict.fromkeys(
        DIMENSIONS, 100
    )
    assert all(each["detail"] for each in report["dimensions"].values())


def test_brightness_is_a_masters_to_change_and_not_a_rebuilt_tracks(song: Path, tmp_path: Path) -> None:
    import pedalboard
    import soundfile as sf

    samples, rate = sf.read(song, dtype="float32", always_2d=True)
    shelf = pedalboard.HighShelfFilter(4_000, 2.5)(samples.T.copy(), rate)
    brighter = write_samples(tmp_path / "brighter.wav", shelf, rate).path
    totals = {
        purpose: json.loads(run(song, brighter, "--as", purpose, "--json")[1])["total"]
        for purpose in ("master", "rebuilt")
    }
    assert totals["master"] > totals["rebuilt"]


def test_the_verdict_and_the_worst_are_told_in_words(song: Path, tmp_path: Path) -> None:
    hiss = 0.1 * np.random.default_rng(0).standard_normal((2, 15 * RATE)).astype(np.float32)
    code, output = run(song, write_samples(tmp_path / "hiss.wav", hiss, RATE).path)
    assert code == 0
    assert "not accepted" in output
    assert "0:" in output


@pytest.mark.parametrize("place", [0, 1])
def test_what_is_no_audio_is_one_clear_line(song: Path, tmp_path: Path, place: int) -> None:
    text = tmp_path / "text.wav"
    text.write_text("no audio at all")
    files = [song, song]
    files[place] = text
    code, output = run(*files)
    assert code == 1
    assert output.startswith("Error: ")
    assert output.count("\n") == 1


@pytest.mark.parametrize("sounding_s", [0.1, 0.05])
def test_what_sounds_at_its_edges_alone_is_scored_with_numbers(sounding_s: float, tmp_path: Path) -> None:
    short, long = tmp_path / "short.wav", tmp_path / "long.wav"
    tone = np.sin(2 * np.pi * 440 * np.arange(3 * RATE) / RATE) * 0.3
    write_samples(short, np.tile(tone[: int(sounding_s * RATE)], (2, 1)).astype(np.float32), RATE)
    write_samples(long, np.tile(tone, (2, 1)).astype(np.float32), RATE)
    code, output = run(short, long, "--json")
    assert code == 0, output
    assert all(0 <= each["score"] <= 100 for each in json.loads(output)["dimensions"].values())
