"""`resonate batch` and `resonate library scan`: what they tell, and what they refuse in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from mutagen.id3 import TBPM, TCON, TIT2
from mutagen.wave import WAVE

from resonate_studio.cli import main
from resonate_tests.dj_libraries import put_crate
from resonate_tests.tiny_music import music


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "STORAGE", "INBOX", "BUCKET", "DATABASE", "LIBRARIES", "S3_ENDPOINT"):
        monkeypatch.setenv(f"RESONATE_{name}", "")
    monkeypatch.setenv("DAGSTER_HOME", "")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One song in the crate House/Deep, one in none, and a text."""
    folder = tmp_path / "music"
    folder.mkdir()
    for name in ("a.wav", "b.wav"):
        (folder / name).write_bytes(music(name.encode()))
    (folder / "songs.zip").write_bytes(b"x")
    put_crate(folder, "House%%Deep", folder / "a.wav")
    return folder


def resonate(tmp_path: Path, *arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments), "--home", str(tmp_path / "home")])


def test_a_scan_tells_the_plan_and_makes_nothing(folder: Path, tmp_path: Path) -> None:
    result = resonate(tmp_path, "library", "scan", folder, "--json")
    assert result.exit_code == 0, result.output
    [plan] = json.loads(result.stdout)["libraries"]
    assert (plan["files"], plan["new_or_changed"], plan["passed_over"], plan["in_crates"]) == (2, 2, 1, 1)
    assert plan["crates"] == {"House/Deep": 1}
    assert plan["states"] == {"new": 2, "taken": 0, "done": 0, "failed": 0}
    assert sorted(plan["priorities"].values()) == [1, 1]
    lines = resonate(tmp_path, "library", "scan", folder).stdout.splitlines()
    assert lines[:-1] == [
        f"{folder}: 2 files: 2 new; 1 passed over, as they are no audio",
        "  1 file: in a crate",
        "  1 file: the rest",
        "what comes first:",
        f"  {folder / 'a.wav'} (in House/Deep)",
        f"  {folder / 'b.wav'}",
    ]
    assert not list((tmp_path / "home").rglob("track.wav"))


def test_the_first_ten_of_all_libraries_are_told_with_what_makes_them_so(
    folder: Path, tmp_path: Path
) -> None:
    more = tmp_path / "more"
    more.mkdir()
    for number in range(11):
        (more / f"{number:02}.wav").write_bytes(music(bytes([number])))
    wave = WAVE(more / "10.wav")
    wave.add_tags()
    for frame in (TCON(text="Deep House"), TBPM(text="128"), TIT2(text="It (Vocal Mix)")):
        wave.tags.add(frame)
    wave.save()
    first = json.loads(resonate(tmp_path, "library", "scan", more, folder, "--json").stdout)["first"]
    assert first[:2] == [
        {"source": str(folder / "a.wav"), "why": ["in House/Deep"]},
        {"source": str(more / "10.wav"), "why": ["House", "128 BPM", "vocals"]},
    ]
    # `more` comes before `music`, of which b.wav is the last.
    assert first[2:] == [{"source": str(more / f"{number:02}.wav"), "why": []} for number in range(8)]


@pytest.mark.parametrize("by_setting", [False, True])
def test_a_library_that_is_missing_is_told_and_the_others_are_scanned(
    by_setting: bool, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = [str(tmp_path / "away"), str(folder)]
    if by_setting:
        monkeypatch.setenv("RESONATE_LIBRARIES", ";".join(places))
    result = resonate(tmp_path, "library", "scan", *([] if by_setting else places))
    assert result.exit_code == 1
    assert f"{folder}: 2 files: 2 new" in result.stdout
    assert f"Error: {tmp_path / 'away'}: is no folder; give one, or s3://bucket/prefix\n" in result.stderr


def test_a_batch_of_what_has_no_audio_says_so(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "list.txt").write_text("x")
    result = resonate(tmp_path, "batch", tmp_path / "texts", "--output", tmp_path / "out")
    assert result.exit_code == 1
    assert f"Error: no audio below {tmp_path / 'texts'}\n" in result.stderr


def test_without_a_folder_the_libraries_of_the_setting_are_scanned(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert resonate(tmp_path, "library", "scan").exit_code == 2
    monkeypatch.setenv("RESONATE_LIBRARIES", str(folder))
    assert str(folder) in resonate(tmp_path, "library", "scan").stdout


@pytest.mark.parametrize("place", ["nowhere", "gs://music/in", "a file"])
def test_what_is_no_library_is_refused_in_one_line(tmp_path: Path, place: str) -> None:
    (tmp_path / "a file").write_text("x")
    named = place if "://" in place else str(tmp_path / place)
    for command in (("library", "scan", named), ("batch", named, "--output", tmp_path / "out")):
        result = resonate(tmp_path, *command)
        assert result.exit_code == 1
        [line] = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
        assert named in line
    assert not (tmp_path / "out").exists()


def test_an_output_that_is_the_library_itself_by_whatever_name_is_refused(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(folder)
    before = sorted(folder.rglob("*"))
    for output in (folder, tmp_path / "link"):
        result = resonate(tmp_path, "batch", folder, "--output", output)
        assert result.exit_code == 2
        assert "--output: is DIR itself" in result.stderr
    assert sorted(folder.rglob("*")) == before


def test_an_output_in_a_bucket_or_below_a_file_is_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for output in ("s3://music/out", str(folder / "a.wav" / "out")):
        result = resonate(tmp_path, "batch", folder, "--output", output)
        assert result.exit_code == 1
        assert "--output" in result.stderr
    assert not (tmp_path / "s3:").exists()


def test_a_crate_that_there_is_not_is_told_with_those_that_there_are(folder: Path, tmp_path: Path) -> None:
    result = resonate(tmp_path, "batch", folder, "--output", tmp_path / "out", "--chosen", "Techno*")
    assert result.exit_code == 1
    assert "--chosen: no crate is called Techno*; there are House/Deep" in result.stderr


def test_a_batchs_output_is_passed_over_by_later_scans_and_told(folder: Path, tmp_path: Path) -> None:
    (folder / "a.wav").unlink()
    (folder / "b.wav").write_bytes(b"no music")
    resonate(tmp_path, "batch", folder, "--output", folder / "out")
    (folder / "out" / "vocals.wav").write_bytes(music(b"vocals"))
    told = resonate(tmp_path, "library", "scan", folder).stdout
    assert "1 file: 1 failed" in told
    assert "1 passed over, as Resonate made them" in told
