"""The command line: its JSON, its words for people, its presets, its cache, and where it keeps things."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest
from click.testing import CliRunner, Result

from resonate_assets.jobs import STAGES
from resonate_assets.targets import ON_REQUEST
from resonate_resources.ingestion.track_key import TRACK_KEY
from resonate_resources.recordings.recording import write_samples
from resonate_studio.cli import main

_WHERE = (
    *("RESONATE_HOME", "RESONATE_STORAGE", "RESONATE_INBOX", "RESONATE_BUCKET"),
    *("RESONATE_DATABASE", "RESONATE_S3_ENDPOINT", "DAGSTER_HOME"),
)


def resonate(*arguments: str | Path, **environment: str) -> Result:
    """The command line in this process, with those variables and no other that says where things are."""
    with pytest.MonkeyPatch.context() as patch:
        for name in _WHERE:
            patch.setenv(name, environment.get(name, ""))
        return CliRunner().invoke(main, [str(argument) for argument in arguments])


KEYS = {
    *("track", "source", "status", "error", "seconds", "follows", "replaced"),
    *("assets", "checks", "accepted", "why_not"),
}
"""Of each track in the JSON of `process`."""


@dataclass(frozen=True)
class Session:
    """A clip processed four times in one home: as JSON, for a person, with another preset, beside a bad file."""

    home: Path
    clip: Path
    first: Result
    manifests_before: dict[str, bytes]
    second: Result
    manifests_after: dict[str, bytes]
    from_cache: dict[str, bool]
    aggressive: Result
    with_bad_file: Result


def manifests(home: Path) -> dict[str, bytes]:
    return {
        path.parent.parent.name: path.read_bytes() for path in (home / "artefacts").glob("*/*/manifest.json")
    }


def from_cache(home: Path) -> dict[str, bool]:
    """Stage → whether its latest materialisation was served from the cache, as the web UI tells."""
    told = {}
    with dg.DagsterInstance.from_config(str(home / "dagster_home")) as instance:
        for stage in STAGES:
            event = instance.get_latest_materialization_event(dg.AssetKey(stage))
            assert event is not None
            assert event.asset_materialization is not None
            told[stage] = bool(event.asset_materialization.metadata["from_cache"].value)
    return told


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    home, inputs = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("inputs")
    rate = 44100
    time = np.arange(3 * rate) / rate
    pulse = np.random.default_rng(1).normal(size=time.size) * np.exp(-30 * (time % 0.5))
    mix = 0.1 * pulse + 0.1 * sum(np.sin(2 * np.pi * hertz * time) for hertz in (55.0, 220.0, 329.6))
    clip = inputs / "[bold] clip.wav"  # what rich would take for markup
    write_samples(clip, np.stack([mix, 0.8 * mix]).astype(np.float32), rate)
    bad = inputs / "[red]bad.mp3"
    bad.write_bytes(b"")
    first = resonate("process", "--json", "--home", home, clip)
    before = manifests(home)
    second = resonate("process", "--home", home, clip)
    after, cached = manifests(home), from_cache(home)
    aggressive = resonate(
        "process",
        "--json",
        "--home",
        home,
        "--preset",
        "aggressive",
        "--set",
        "mixing.balance=standard",
        clip,
    )
    with_bad_file = resonate("process", "--home", home, bad, clip)
    yield Session(home, clip, first, before, second, after, cached, aggressive, with_bad_file)


def track_of(result: Result) -> dict[str, Any]:
    [track] = json.loads(result.stdout)["tracks"]
    return dict(track)


# JSON


def test_the_json_has_the_agreed_keys_and_types_and_no_others(session: Session) -> None:
    assert session.first.exit_code == 0
    told = json.loads(session.first.stdout)
    assert set(told) == {"tracks"}
    [track] = told["tracks"]
    assert set(track) == KEYS
    assert TRACK_KEY.fullmatch(track["track"])
    assert (track["source"], track["status"], track["error"]) == (str(session.clip), "ok", None)
    assert track["seconds"] > 0
    assert list(track["assets"]) == list(STAGES)
    for stage, made in track["assets"].items():
        assert set(made) == {"files", "engine", "metadata", "from_cache"}
        assert made["from_cache"] is False
        assert made["engine"]
        assert bool(made["files"]) == (stage not in ON_REQUEST)  # none is asked for
        assert all(Path(file).is_absolute() and Path(file).is_file() for file in made["files"])
        assert made["metadata"]["seconds"] >= 0
    assert track["checks"]
    for check in track["checks"]:
        assert set(check) == {"asset", "name", "passed", "severity"}
        assert check["asset"] in STAGES
        assert isinstance(check["passed"], bool)
        assert check["severity"] in {"error", "warn"}


def test_every_blocking_check_of_a_sound_track_passes(session: Session) -> None:
    failed = [check for check in track_of(session.first)["checks"] if not check["passed"]]
    assert [check for check in failed if check["severity"] == "error"] == []


def test_a_failed_file_has_the_same_keys_with_its_error(tmp_path: Path) -> None:
    (tmp_path / "empty.mp3").write_bytes(b"")
    result = resonate("process", "--json", "--home", tmp_path / "home", tmp_path / "empty.mp3")
    track = track_of(result)
    assert result.exit_code == 1
    assert set(track) == KEYS
    assert (track["status"], list(track["assets"]), track["checks"]) == ("failed", [], [])
    assert track["error"].startswith("empty.mp3: ")


# For people


def test_people_are_told_where_the_export_is(session: Session) -> None:
    folder = session.home / track_of(session.first)["assets"]["exports"]["metadata"]["folder"]
    assert folder.is_dir()
    assert f"exported to {folder}" in session.second.output
    assert session.clip.name in session.second.output


def test_people_are_told_what_failed_and_the_others_go_on(session: Session) -> None:
    assert session.with_bad_file.exit_code == 1
    lines = session.with_bad_file.output.splitlines()
    assert [line for line in lines if line.startswith("failed [red]bad.mp3: ")]
    assert [line for line in lines if line.startswith("ok [bold] clip.wav as ")]
    assert "Traceback" not in session.with_bad_file.output


def test_status_tells_tracks_and_rejections(session: Session) -> None:
    told = json.loads(resonate("status", "--json", "--home", session.home).stdout)
    assert set(told) == {"tracks", "rejected"}
    states = {track["track"]: track["state"] for track in told["tracks"]}
    made = track_of(session.first)["track"]
    accepted = track_of(session.first)["accepted"]
    assert {track["track"]: track["accepted"] for track in told["tracks"]}[made] == accepted
    assert states[made] == ("done" if accepted else "not accepted")
    [rejected] = told["rejected"]
    assert rejected["uri"].endswith("[red]bad.mp3")
    plain = resonate("status", "--home", session.home).output
    lines = [line.strip() for line in plain.splitlines()]
    assert lines.count(f"rejected {rejected['reason']}") == 1
    assert list(states) == [made]
    assert any(line.startswith("1 track (1 ") and line.endswith("), 1 file rejected") for line in lines)


# Cache and presets


def test_a_second_run_is_served_from_the_cache_and_changes_nothing(session: Session) -> None:
    assert session.second.exit_code == 0
    assert session.from_cache == dict.fromkeys(STAGES, True)
    assert session.manifests_after == session.manifests_before


def test_another_preset_and_balance_change_the_sound_of_mix_and_master_and_nothing_before_them(
    session: Session,
) -> None:
    balanced, aggressive = track_of(session.first)["assets"], track_of(session.aggressive)["assets"]
    assert session.aggressive.exit_code == 0
    for stage in ("raw_track", "profile", "stems", "midi", "regenerated_stems"):
        assert aggressive[stage]["files"] == balanced[stage]["files"]
    for stage, name in (("mix", "mix.wav"), ("master", "master.wav")):
        [one], [two] = (
            [f for f in made[stage]["files"] if f.endswith(name)] for made in (balanced, aggressive)
        )
        assert Path(one).read_bytes() != Path(two).read_bytes()


# Where things are


def test_a_home_that_is_given_has_its_own_dagster_instance_whatever_the_environment_says(
    tmp_path: Path,
) -> None:
    elsewhere, home = tmp_path / "elsewhere", tmp_path / "home"
    (tmp_path / "empty.mp3").write_bytes(b"")
    environment = {name: str(elsewhere / name.lower()) for name in ("RESONATE_HOME", "DAGSTER_HOME")}
    resonate("process", "--home", home, tmp_path / "empty.mp3", **environment)
    assert not elsewhere.exists()
    assert {"dagster_home", "rejected"} <= {path.name for path in home.iterdir()}


def test_a_storage_that_is_set_is_used_with_a_home_that_is_given_and_is_told(tmp_path: Path) -> None:
    home, storage = tmp_path / "home", tmp_path / "storage"
    (tmp_path / "empty.mp3").write_bytes(b"")
    result = resonate("process", "--home", home, tmp_path / "empty.mp3", RESONATE_STORAGE=str(storage))
    assert (storage / "rejected").is_dir()
    assert not (home / "rejected").exists()
    assert result.stdout.splitlines()[-1] == f"home: {home}, storage: {storage} (RESONATE_STORAGE)"


def test_without_a_home_the_environment_says_where_everything_is(tmp_path: Path) -> None:
    home, storage, dagster_home = (tmp_path / name for name in ("home", "storage", "dagster"))
    (tmp_path / "empty.mp3").write_bytes(b"")
    resonate(
        "process",
        tmp_path / "empty.mp3",
        RESONATE_HOME=str(home),
        RESONATE_STORAGE=str(storage),
        DAGSTER_HOME=str(dagster_home),
    )
    assert (dagster_home / "dagster.yaml").is_file()
    assert "rejected" in {path.name for path in storage.iterdir()}
    assert not (home / "dagster_home").exists()


def test_a_dagster_yaml_of_ones_own_is_kept(tmp_path: Path) -> None:
    mine = tmp_path / "dagster" / "dagster.yaml"
    mine.parent.mkdir()
    mine.write_text("telemetry:\n  enabled: false\n")
    result = resonate("prepare", RESONATE_HOME=str(tmp_path / "home"), DAGSTER_HOME=str(mine.parent))
    assert result.exit_code == 0
    assert mine.read_text() == "telemetry:\n  enabled: false\n"


# Usage


def test_the_version_is_that_of_the_package() -> None:
    result = resonate("--version")
    assert (result.exit_code, result.output) == (0, f"resonate, version {version('resonate-studio')}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["process"],
        ["process", "--preset", "loud", "a.wav"],
        ["process", "--nonsense", "a.wav"],
        ["status", "one", "surplus"],
        ["retry"],
        ["retry", "--failed", "one"],
        ["process", "--stage", "mixing", "a.wav"],
        ["library", "prune", "--older-than", "99999999999999999999d"],
        ["library", "prune", "--older-than", "200000d"],
        ["nonsense"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2_with_a_word_on_usage(arguments: list[str]) -> None:
    result = resonate(*arguments)
    assert result.exit_code == 2
    assert "Usage: " in result.stderr
    assert result.stdout == ""
