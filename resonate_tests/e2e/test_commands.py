"""The commands of everyday life: status, retry, remove, going on from a stage, a file that has changed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from resonate_assets.jobs import STAGES
from resonate_assets.targets import ON_REQUEST, TARGETS
from resonate_resources.ingestion.track_key import content_of
from resonate_resources.recordings.recording import write_samples
from resonate_resources.storage.catalogue import read_catalogue
from resonate_resources.storage.current import current_of
from resonate_resources.storage.heartbeats import alive
from resonate_resources.storage.sources import Sources
from resonate_resources.storage.store import LocalStore
from resonate_resources.storage.taken_in import tracks_of
from resonate_studio.cli import main
from resonate_studio.home import open_instance, settings_for
from resonate_tests.e2e.test_bad_input import permissions_count

RATE = 22050


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RESONATE_HOME", "RESONATE_STORAGE", "RESONATE_INBOX", "RESONATE_DATABASE", "DAGSTER_HOME"):
        monkeypatch.setenv(name, "")


def resonate(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def song(path: Path, hertz: float) -> Path:
    time = np.arange(2 * RATE) / RATE
    pulse = np.random.default_rng(1).normal(size=time.size) * np.exp(-30 * (time % 0.5))
    write_samples(path, (0.1 * pulse + 0.1 * np.sin(2 * np.pi * hertz * time))[None].astype(np.float32), RATE)
    return path


def told(result: Result) -> dict[str, Any]:
    return dict(json.loads(result.stdout))


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one song two folders down, a picture, and what is hidden."""
    folder = tmp_path_factory.mktemp("music")
    (folder / "album" / "cd 1").mkdir(parents=True)
    (folder / "cover.jpg").write_bytes(b"jpeg")
    (folder / ".hidden.wav").write_bytes(b"")
    song(folder / "album" / "cd 1" / "[red] song.wav", 220.0)
    return folder


@pytest.fixture(scope="module")
def first(music: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The home, and what was told when the folder was processed."""
    home = tmp_path_factory.mktemp("home")
    return home, told(resonate("process", "--json", "--home", home, music))


@pytest.fixture(scope="module")
def track(first: tuple[Path, dict[str, Any]]) -> str:
    [one] = first[1]["tracks"]
    assert one["status"] == "ok", one["error"]
    return str(one["track"])


def test_a_folder_stands_for_all_audio_below_it_and_what_is_passed_over_is_told(
    first: tuple[Path, dict[str, Any]], music: Path
) -> None:
    assert [Path(one["source"]).name for one in first[1]["tracks"]] == ["[red] song.wav"]
    assert first[1]["passed_over"] == [str(music / "cover.jpg")]


def test_a_folder_without_audio_is_told_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = resonate("process", "--json", "--home", tmp_path / "home", tmp_path / "empty")
    assert result.exit_code == 1
    [one] = told(result)["tracks"]
    assert one["error"].startswith("empty: is a directory without audio files")


def test_the_status_of_one_track_tells_its_file_its_export_and_its_stages(
    first: tuple[Path, dict[str, Any]], music: Path, track: str
) -> None:
    home, processed = first
    answer = told(resonate("status", track[:8], "--json", "--home", home))
    assert [one["track"] for one in answer["tracks"]] == [track]
    details = answer["details"]
    assert details["source"] == processed["tracks"][0]["source"]
    assert list(details["stages"]) == [stage for stage in STAGES if stage not in ON_REQUEST]
    assert Path(details["exports"]).is_dir()
    plain = resonate("status", track, "--home", home).stdout.splitlines()
    assert track in plain[0]
    assert any(line.endswith("[red] song.wav") for line in plain)
    assert plain[-1] == f"home: {home}"


def test_the_catalogue_knows_of_a_track_what_its_run_told(
    first: tuple[Path, dict[str, Any]], track: str
) -> None:
    home, [run] = first[0], first[1]["tracks"]
    shown = told(resonate("library", "show", track, "--json", "--home", home))
    assert (shown["source"], shown["title"]) == (run["source"], "[red] song")
    assert shown["accepted"] == run["accepted"]
    assert shown["failed_checks"] == sorted(each["name"] for each in run["checks"] if not each["passed"])
    assert shown["failed_checks"]
    engines = {stage["stage"]: stage["engine"] for stage in shown["stages"]}
    assert engines == {stage: made["engine"] for stage, made in run["assets"].items()}
    found = told(
        resonate("library", "find", "RED", "--failed", shown["failed_checks"][0], "--json", "--home", home)
    )
    assert [row["track"] for row in found["tracks"]] == [track]


def test_a_listing_fits_eighty_columns(first: tuple[Path, dict[str, Any]], track: str) -> None:
    lines = resonate("status", "--home", first[0]).stdout.splitlines()
    assert any(track in line for line in lines)
    assert max(len(line) for line in lines if not line.startswith("home: ")) <= 80


def test_a_home_that_cannot_be_written_to_is_looked_at_all_the_same(
    first: tuple[Path, dict[str, Any]], track: str, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(first[0], home, ignore=shutil.ignore_patterns("artefacts", "exports"))
    before = [(place, place.stat().st_mtime_ns) for place in sorted(home.rglob("*"))]
    for folder, _, names in os.walk(home):
        for name in names:
            Path(folder, name).chmod(0o400)
        Path(folder).chmod(0o500)
    result = subprocess.run(
        [sys.executable, "-m", "resonate_studio.cli", "status", "--json", "--home", home],
        capture_output=True,
        preexec_fn=permissions_count,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert [one["track"] for one in json.loads(result.stdout)["tracks"]] == [track]
    assert [(place, place.stat().st_mtime_ns) for place in sorted(home.rglob("*"))] == before


def test_a_home_that_was_copied_tells_where_it_is_now(
    first: tuple[Path, dict[str, Any]], track: str, tmp_path: Path
) -> None:
    home = tmp_path / "elsewhere"
    shutil.copytree(first[0], home)
    answer = told(resonate("status", track, "--json", "--home", home))
    assert answer["details"]["exports"].startswith(f"{home}/exports/")
    again = told(resonate("retry", track, "--json", "--home", home))["tracks"][0]
    files = [file for made in again["assets"].values() for file in made["files"]]
    assert len(files) > len(STAGES)
    assert all(file.startswith(f"{home}/artefacts/") for file in files)
    assert all(made["from_cache"] for made in again["assets"].values())


def test_a_source_in_the_inbox_of_a_home_moves_with_it(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    source = Sources(LocalStore(old))
    from resonate_resources.storage.sources import Rejection, Source

    inside = Source("song-0123456789ab", str(old / "inbox" / "song.wav"), 1, "0" * 64)
    outside = replace(inside, track="other-0123456789ab", uri="/music/other.wav")
    for one in (inside, outside):
        source.register(one)
    source.reject(Rejection(str(old / "inbox" / "bad.wav"), "bad.wav: is empty"))
    shutil.copytree(old, new)
    moved = Sources(LocalStore(new))
    found = moved.find(inside.track)
    assert found is not None
    assert found.uri == str(new / "inbox" / "song.wav")
    assert moved.find(outside.track) == outside
    assert [one.uri for one in moved.rejections()] == [str(new / "inbox" / "bad.wav")]


def test_to_go_on_from_a_stage_makes_it_and_what_follows_anew_and_nothing_before_it(
    first: tuple[Path, dict[str, Any]], music: Path, track: str
) -> None:
    home, before = first
    [again] = told(resonate("process", "--json", "--home", home, "--stage", "mix", music))["tracks"]
    fresh = [stage for stage, made in again["assets"].items() if not made["from_cache"]]
    assert [stage for stage in fresh if stage not in TARGETS] == [
        "mix",
        "master",
        "qc_scores",
        "remix",
        "exports",
    ]
    old = before["tracks"][0]["assets"]["mix"]["files"]
    new = again["assets"]["mix"]["files"]
    assert set(old).isdisjoint(new)  # an attempt of its own: the old one was whole until the new one was
    assert [Path(file).read_bytes() for file in old] == [Path(file).read_bytes() for file in new]


def test_a_track_that_is_worked_at_is_not_removed(first: tuple[Path, dict[str, Any]], track: str) -> None:
    home, _ = first
    with alive(settings_for(home).database_url, "run", "x", track):
        refused = resonate("remove", track, "--yes", "--home", home)
    assert refused.exit_code == 1
    assert f"{track}: is being worked at" in refused.output
    assert (home / "artefacts" / "mix" / track / "manifest.json").is_file()


def test_numbers_in_a_list_are_taken_as_they_are_elsewhere(
    first: tuple[Path, dict[str, Any]], track: str
) -> None:
    for change in (["set", track, "mastering.also=[-9]"], ["unset", track, "mastering.also"]):
        result = resonate("brief", *change, "--home", first[0])
        assert result.exit_code == 0, result.stderr


def test_removing_asks_first(first: tuple[Path, dict[str, Any]], track: str) -> None:
    home, _ = first
    answered = CliRunner().invoke(main, ["remove", track, "--home", str(home)], input="n\n")
    assert answered.exit_code == 1
    assert track in answered.output
    assert (home / "artefacts" / "mix" / track / "manifest.json").is_file()


def test_a_file_that_has_changed_takes_the_place_of_its_older_track_where_that_is_asked_for(
    first: tuple[Path, dict[str, Any]], track: str, tmp_path: Path
) -> None:
    """Comes last: it removes the track."""
    home, before = first
    file = Path(before["tracks"][0]["source"])
    exported = next((home / "exports").iterdir())
    was = file.read_bytes()
    song(file, 330.0)
    [newer] = told(resonate("process", "--json", "--home", home, "--replace", file))["tracks"]
    assert newer["status"] == "ok"
    assert (newer["follows"], newer["replaced"]) == (track, True)
    assert not exported.exists()
    assert not list((home / "artefacts").glob(f"*/{track}"))
    assert not (home / "tracks" / f"{track}.json").exists()
    settings = settings_for(home)
    assert current_of(settings.database_url, [track]) == {}
    assert tracks_of(settings.database_url, [content_of(track)]) == {}
    with open_instance(settings) as instance:
        assert instance.get_dynamic_partitions("tracks") == [newer["track"]]
        assert {run.tags.get("dagster/partition") for run in instance.get_runs()} <= {newer["track"], None}
    catalogue = read_catalogue(LocalStore(home))
    assert catalogue is not None
    assert list(catalogue["track"]) == [newer["track"]]
    kept = resonate("remove", newer["track"], "--yes", "--keep-exports", "--home", home)
    assert kept.exit_code == 0, kept.output
    assert [one["track"] for one in told(resonate("status", "--json", "--home", home))["tracks"]] == []
    assert list((home / "exports").iterdir()) != []
    assert file.is_file()
    file.write_bytes(was)


@pytest.mark.parametrize(
    "command",
    [["status"], ["brief", "show", "a"], ["cache", "size"], ["retry", "--failed"], ["remove", "a"]],
    ids=" ".join,
)
def test_a_home_that_is_not_there_is_told_and_not_made(tmp_path: Path, command: list[str]) -> None:
    home = tmp_path / "mistyped"
    result = resonate(*command, "--home", home)
    assert result.exit_code == 1
    assert "no library is kept there" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not home.exists()


def test_what_is_wrong_is_an_object_where_objects_are_asked_for(tmp_path: Path) -> None:
    assert "no library" in told(resonate("status", "--json", "--home", tmp_path / "mistyped"))["error"]


def test_a_wrong_setting_of_a_brief_is_told_without_the_name_of_another_option(
    first: tuple[Path, dict[str, Any]],
) -> None:
    result = resonate("brief", "set", "a", "mastering.target_lufs=loud", "--home", first[0])
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: mastering.target_lufs")
