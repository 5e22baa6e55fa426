from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from resonate_resources.recordings.recording import Recording, write_samples
from resonate_studio.cli import main
from resonate_studio.demo_song import DemoSong


@pytest.fixture(scope="module")
def song(demo_song: DemoSong, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rebuild") / "song.wav"
    samples = demo_song.mix.read(0, 8 * demo_song.mix.sample_rate)
    write_samples(path, samples, demo_song.mix.sample_rate)
    return path


def run(*words: object) -> tuple[int, str, str]:
    """Exit status, what was printed, and what was told beside it."""
    result = CliRunner().invoke(main, ["rebuild", *map(str, words)])
    return result.exit_code, result.stdout, result.stderr


def test_a_file_is_rebuilt_judged_and_told(song: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, output, error = run(song, "--home", tmp_path / "home", "--rounds", 1, "--out", out, "--json")
    assert code == 0, error
    told = json.loads(output)
    assert {Path(path).name for path in told["files"].values()} >= {
        *("drums.wav", "bass.wav", "rebuilt.wav", "regeneration.json", "loop.json", "picture.png")
    }
    assert "mix.wav" not in {path.name for path in out.rglob("*.wav")}  # whose? rebuilt.wav is the result
    assert all(Path(path).is_file() for path in told["files"].values())
    rebuilt, original = Recording.open(out / "rebuilt.wav"), Recording.open(song)
    assert (rebuilt.frames, rebuilt.sample_rate) == (original.frames, original.sample_rate)
    assert 0 < told["total"] <= 100
    assert told["leave_one_out_total"] <= told["total"] + 10
    first, *rounds = told["loop"]["rounds"]
    assert len(rounds) <= 1
    assert first["total"] <= told["loop"]["total"] == pytest.approx(told["total"], abs=0.2)
    assert told["stems"]["drums"]["kind"]

    # What was separated before is not separated again, and what was told of rounds is not left beside none.
    code, output, _ = run(song, "--home", tmp_path / "home", "--rounds", 0, "--out", out)
    assert code == 0
    assert " of 100 (" in output
    assert not (out / "loop.json").exists()
    assert not (out / "picture.png").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--set", "regeneration.rounds=-1"], "regeneration.rounds"),
        (["--set", "regeneration.instruments=theremin"], "regeneration.instruments"),
        (["--set", "mixing.conductor=none"], "is none of regeneration's settings"),
        (["--rounds", "-1"], "--rounds"),
    ],
)
def test_what_can_not_be_asked_for_is_refused_before_anything_is_heard(
    words: list[str], told: str, song: Path, tmp_path: Path
) -> None:
    code, _, error = run(song, *words, "--home", tmp_path / "home", "--out", tmp_path / "out")
    assert code != 0
    assert told in error
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_no_music_is_one_line(tmp_path: Path) -> None:
    text = tmp_path / "notes.wav"
    text.write_text("no music")
    code, _, error = run(text, "--home", tmp_path / "home", "--out", tmp_path / "out")
    assert code == 1
    assert error == "Error: notes.wav: is not audio, or too damaged to tell; give a music file\n"


@pytest.mark.parametrize("name", ["other.wav", "rebuilt.wav"])
def test_the_file_itself_is_never_written_over(name: str, song: Path, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_bytes(song.read_bytes())
    code, _, error = run(file, "--home", tmp_path / "home", "--rounds", 0, "--out", tmp_path)
    assert code == 2
    assert f"{name} in {tmp_path} is FILE itself" in error
    assert file.read_bytes() == song.read_bytes()
    assert list(tmp_path.iterdir()) == [file]
