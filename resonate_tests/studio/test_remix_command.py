from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from click.testing import CliRunner, Result

from resonate_resources.recordings.recording import write_samples
from resonate_studio.cli import main

RATE = 22_050


def remix(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["remix", *map(str, arguments)])


@pytest.fixture
def song(tmp_path: Path) -> Path:
    time = np.arange(3 * RATE) / RATE
    audio = 0.3 * np.sin(2 * np.pi * 220 * time) * np.exp(-4 * (time % 0.5))
    return write_samples(tmp_path / "söng.wav", audio[np.newaxis].astype(np.float32), RATE).path


def test_a_file_becomes_stems_at_another_length_and_pitch(tmp_path: Path, song: Path) -> None:
    out, home = tmp_path / "out", tmp_path / "home"
    asked = (song, "--stretch", 1.25, "--semitones", -2, "--out", out, "--home", home)
    result = remix(*asked, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["semitones"] == -2
    written = {Path(file).name for file in told["files"]}
    assert written == {"vocals.wav", "drums.wav", "bass.wav", "other.wav", "track.wav", "remix.json"}
    assert {sf.info(file).frames for file in told["files"] if file.endswith(".wav")} == {
        round(1.25 * 3 * RATE)
    }
    assert {path.name for path in out.iterdir()} == written

    before = (out / "track.wav").read_bytes()
    again = remix(*asked)
    assert again.exit_code == 0, again.output
    other = remix(song, "--stretch", 1.5, "--out", out, "--home", home)
    assert other.exit_code == 1
    assert "--replace" in other.stderr
    assert (out / "track.wav").read_bytes() == before
    replaced = remix(song, "--stretch", 1.5, "--out", out, "--home", home, "--replace")
    assert replaced.exit_code == 0, replaced.output
    assert sf.info(out / "track.wav").frames == round(1.5 * 3 * RATE)


@pytest.mark.parametrize(("options", "words"), [
    (("--stretch", 3), "stretch: 3.0 can't be used"),
    (("--key", "H#"), "is no key such as"),
    (("--loops", 3), "loops.0: 3 can't be used"),
    (("--bpm", 128, "--stretch", 1.1), "can't both be asked for"),
    ((), "give at least one"),
])  # fmt: skip
def test_what_makes_no_sense_is_refused_before_anything_is_read(
    tmp_path: Path, song: Path, options: tuple[object, ...], words: str
) -> None:
    result = remix(song, *options, "--out", tmp_path / "out", "--home", tmp_path / "home")
    assert result.exit_code == 2
    assert words in result.stderr.replace("\n", " ")
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "home").exists()


def test_a_file_without_a_tempo_is_told_before_it_is_separated(tmp_path: Path) -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal((1, 2 * RATE)).astype(np.float32)
    song = write_samples(tmp_path / "noise.wav", noise, RATE).path
    result = remix(song, "--bpm", 128, "--out", tmp_path / "out", "--home", tmp_path / "home")
    assert result.exit_code == 1
    assert "noise.wav: no tempo was found: give --stretch instead" in result.stderr
    assert not (tmp_path / "home").exists()
    assert [*(tmp_path / "out").iterdir()] == []


def test_what_is_no_audio_and_no_track_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "song.wav").write_text("not a song")
    result = remix(
        tmp_path / "song.wav", "--semitones", 1, "--out", tmp_path / "out", "--home", tmp_path / "home"
    )
    assert result.exit_code == 1
    assert len([line for line in result.stderr.splitlines() if "Error" in line]) == 1
    missing = remix("no-such-track", "--semitones", 1, "--out", tmp_path / "out", "--home", tmp_path / "home")
    assert missing.exit_code == 1
    assert "Error" in missing.stderr
