"""`resonate separate` and `resonate engines`, on the embedded engine."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from click.testing import CliRunner, Result

from resonate_resources.recordings.recording import write_samples
from resonate_studio.cli import main
from resonate_studio.demo_song import DemoSong

RATE = 44_100
SECONDS = 6


def resonate(*arguments: object) -> Result:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("RESONATE_HOME", "RESONATE_STORAGE", "LALAL_LICENSE_KEY"):
            patch.setenv(name, "")
        return CliRunner().invoke(main, [str(argument) for argument in arguments])


def files_of(result: Result) -> list[dict[str, Any]]:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    return json.loads(result.stdout, parse_constant=refuse)["files"]


@pytest.fixture(scope="module")
def clip(demo_song: DemoSong, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some seconds of the demo song, and in `truth` its stems."""
    folder = tmp_path_factory.mktemp("clip")
    (folder / "truth").mkdir()
    span = (20 * RATE, (20 + SECONDS) * RATE)
    for name, stem in demo_song.stems.items():
        write_samples(folder / "truth" / f"{name}.wav", stem.read(*span), RATE)
    return write_samples(folder / "song.wav", demo_song.mix.read(*span), RATE).path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def separated(
    clip: Path, home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Result, Path]]:
    out = tmp_path_factory.mktemp("out")
    bad = clip.with_name("words.mp3")
    bad.write_text("not music")
    yield (
        resonate("separate", "--home", home, "--engine", "spectral", "--out", out, "--json", clip, bad),
        out,
    )


def test_the_json_is_what_was_promised(separated, clip):
    result, out = separated
    good, bad = files_of(result)
    assert set(good) == {
        *("source", "status", "error", "engine", "model", "stems", "quality"),
        *("attempts", "cost_minutes", "seconds", "notes"),
    }
    assert (good["source"], good["status"], good["error"]) == (str(clip), "ok", None)
    assert (good["engine"], good["model"]) == ("spectral", "deezer/spleeter:2stems")
    assert good["cost_minutes"] == 0
    assert list(good["stems"]) == ["vocals", "drums", "bass", "other"]
    for quality in good["quality"].values():
        assert set(quality) == {"kind", "si_sdr_db", "error_db"}
        assert quality["kind"] == "predicted"
    [attempt] = good["attempts"]
    assert set(attempt) == {"engine", "reason", "outcome"}
    assert attempt["reason"] == "asked for"
    assert bad["status"] == "failed"
    assert bad["error"].startswith("words.mp3: ")
    assert len(bad["error"].splitlines()) == 1
    assert result.exit_code == 1
    assert {Path(path).parent.parent for path in good["stems"].values()} == {out}


def test_stems_have_the_rate_channels_and_length_of_the_file_and_sum_to_it(separated, clip):
    good, _ = files_of(separated[0])
    mix, rate = sf.read(clip)
    stems = [sf.read(path) for path in good["stems"].values()]
    assert {(samples.shape, stem_rate) for samples, stem_rate in stems} == {(mix.shape, rate)}
    assert np.abs(sum(samples for samples, _ in stems) - mix).max() < 1e-5


def test_again_it_comes_from_the_cache_and_says_so_whatever_the_file_is_called(
    separated, clip, home, tmp_path
):
    first, _ = files_of(separated[0])
    copy = tmp_path / "another name.wav"
    shutil.copyfile(clip, copy)
    result = resonate("separate", "--home", home, "--engine", "spectral", "--out", tmp_path, "--json", copy)
    [again] = files_of(result)
    assert result.exit_code == 0
    assert again["attempts"][0]["outcome"].startswith("from the cache: ")
    assert again["quality"] == first["quality"]
    for name, path in again["stems"].items():
        assert Path(path).read_bytes() == Path(first["stems"][name]).read_bytes()


def test_the_cache_counts_and_forgets_what_was_separated(clip, tmp_path):
    arguments = ["separate", "--home", tmp_path, "--engine", "spectral", "--out", tmp_path / "out", clip]
    assert resonate(*arguments).exit_code == 0
    size = resonate("cache", "size", "--home", tmp_path).stdout.splitlines()
    assert size[-3] == "0.00 GB in results that count now"
    assert size[-1] != "0.00 GB in the cache"
    assert any(line.split()[:2] == ["separation", "spectral"] for line in size)
    assert resonate("cache", "clear", "--older-than", "0d", "--home", tmp_path).stdout.startswith(
        "removed 1 "
    )
    [again] = files_of(resonate(*arguments[:-1], "--json", clip))
    assert not again["attempts"][0]["outcome"].startswith("from the cache")


def test_with_the_truth_at_hand_quality_is_measured(clip, home, tmp_path):
    truth = clip.parent / "truth"
    result = resonate(
        *("separate", "--home", home, "--engine", "spectral", "--stems", 2),
        *("--truth", truth, "--out", tmp_path, "--json", clip),
    )
    [found] = files_of(result)
    assert list(found["stems"]) == ["vocals", "other"]
    vocals = found["quality"]["vocals"]
    assert (vocals["kind"], vocals["error_db"]) == ("measured", 0)
    estimate, true = (sf.read(path)[0].T for path in (found["stems"]["vocals"], truth / "vocals.wav"))
    estimate, true = (samples - samples.mean(1, keepdims=True) for samples in (estimate, true))
    alpha = np.vdot(estimate, true) / np.vdot(true, true)
    expected = 10 * np.log10(np.sum((alpha * true) ** 2) / np.sum((estimate - alpha * true) ** 2))
    assert vocals["si_sdr_db"] == pytest.approx(expected, abs=0.01)


def test_flac_holds_what_wav_does_and_is_turned_down_rather_than_clipped(home, tmp_path):
    t = np.arange(3 * RATE) / RATE
    loud = np.tile(1.6 * np.sin(2 * np.pi * 220 * t), (2, 1)).astype(np.float32)
    track = write_samples(tmp_path / "loud.wav", loud, RATE).path
    stems = {}
    for form in ("wav", "flac"):
        out = tmp_path / form
        result = resonate(
            *("separate", "--home", home, "--engine", "spectral", "--format", form),
            *("--out", out, "--json", track),
        )
        [found] = files_of(result)
        stems[form] = {name: sf.read(path)[0] for name, path in found["stems"].items()}
        assert {Path(path).suffix for path in found["stems"].values()} == {f".{form}"}
    peak = max(np.abs(samples).max() for samples in stems["wav"].values())
    assert peak > 1
    assert any("turned down" in note for note in found["notes"])
    for name, samples in stems["flac"].items():
        assert np.abs(samples - stems["wav"][name] / peak).max() < 1e-6


def test_an_engine_that_is_not_there_is_one_line_a_file(clip, home, tmp_path):
    for wish, line in (
        (("--engine", "demux"), "demux: no such engine; there are"),
        (("--engine", "lalal"), "LALAL_LICENSE_KEY is not set"),
    ):
        result = resonate("separate", "--home", home, *wish, "--out", tmp_path, "--json", clip)
        [found] = files_of(result)
        assert result.exit_code == 1
        assert found["error"].startswith("song.wav: ")
        assert line in found["error"]


def test_two_files_of_one_name_go_to_two_folders(home, tmp_path):
    rng = np.random.default_rng(0)
    tracks = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        noise = rng.uniform(-0.1, 0.1, (1, 8000)).astype(np.float32)
        tracks.append(write_samples(tmp_path / folder / "track.wav", noise, 8000).path)
    out = tmp_path / "out"
    resonate("separate", "--home", home, "--engine", "spectral", "--out", out, *tracks)
    assert len(list(out.iterdir())) == 2
    assert len(list(out.glob("track_*/vocals.wav"))) == 2


def test_a_folder_that_cannot_be_written_to_is_one_line(clip, home, tmp_path):
    (tmp_path / "file").write_text("in the way")
    result = resonate(
        "separate", "--home", home, "--engine", "spectral", "--out", tmp_path / "file" / "out", clip
    )
    assert result.exit_code == 1
    assert len(result.stderr.strip().splitlines()) == 1
    assert "can't be written to" in result.stderr


def test_the_list_of_engines_tells_which_can_run_and_why_others_cannot(home, monkeypatch, tmp_path):
    monkeypatch.setenv("RESONATE_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("RESONATE_WORKERS", str(tmp_path / "workers"))
    listed = json.loads(resonate("engines", "--home", home, "--json").stdout)
    assert listed["models"] == str(tmp_path / "models")
    by_name = {(engine["name"], engine["stems"]): engine for engine in listed["engines"]}
    assert by_name["spectral", 4]["available"]
    assert not by_name["lalal", 4]["available"]
    assert {engine["name"] for engine in listed["engines"]} == {
        "demucs",
        "roformer",
        "uvr",
        "lalal",
        "spectral",
    }
    assert {engine["stems"] for engine in listed["engines"] if engine["name"] == "demucs"} == {2, 4, 6}
    for_people = resonate("engines", "--home", home).stdout
    assert "no licence key (LALAL_LICENSE_KEY is not set)" in for_people
    assert f"weights go to {tmp_path / 'models'}" in for_people
    cloning = {engine["name"]: engine for engine in listed["cloning_engines"]}
    assert cloning.keys() == {"livesynth", "tokensynth", "rave", "ddsp"}
    assert not cloning["rave"]["available"]
    assert "no model" in cloning["rave"]["unavailable"]
    assert cloning["ddsp"]["weights"] == str(tmp_path / "models" / "ddsp")
    for engine in cloning.values():
        assert engine["licence"] in for_people
        assert engine["unavailable"] in for_people
    spleeter = next(model for model in listed["known_models"] if "spleeter" in model["name"])
    assert (spleeter["licence"], spleeter["commercial"]) == ("MIT (Deezer SA)", "yes")
    assert "deezer/spleeter:2stems" in for_people
