"""A home that is backed up while a run goes on, and restored elsewhere: all is there, nothing is made again."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import soundfile as sf

from resonate_assets.jobs import STAGES
from resonate_resources.separation.lalal.ledger import LalalCaps, Ledger
from resonate_resources.storage.artefacts import Artefacts
from resonate_resources.storage.store import LocalStore
from resonate_tests.e2e.test_postgres import REPOSITORY, postgresql, url_of
from resonate_tests.peer_encoders import Floats
from resonate_tests.postgresql_server import connect
from resonate_tests.programs import required

__all__ = ["postgresql"]

PATIENCE_S = 800.0


class Home:
    """A home, and the commands of one who works with it. server: PostgreSQL's, in place of SQLite."""

    def __init__(self, folder: Path, server: dict[str, str]) -> None:
        self.folder = folder
        self.database = url_of(server) if server else f"sqlite:///{folder / 'resonate.sqlite'}"
        told = {"RESONATE_DATABASE": self.database} if server else {}
        self.environment = {**os.environ, **server, **told, "RESONATE_HOME": str(folder)}
        self.environment.pop("DAGSTER_HOME", None)

    def start(self, *command: str | Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "resonate_studio.cli", *command],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *command: str | Path) -> str:
        process = self.start(*command)
        out, errors = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, out + errors
        return out

    def tracks(self) -> dict[str, dict[str, Any]]:
        return {one["track"]: one for one in json.loads(self.run("status", "--json"))["tracks"]}

    def made(self, track: str) -> dict[str, tuple[str, str]]:
        """Stage → when its result was made, and what is in it; each with all its files, byte by byte."""
        found = {}
        for stage in STAGES:
            artefact = Artefacts(LocalStore(self.folder)).current(stage, track)
            if artefact is not None:
                assert artefact.complete(), stage
                found[stage] = artefact.manifest.made_at, artefact.data_version
        return found


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest) -> dict[str, str]:
    """Nothing, or a PostgreSQL server with a new database."""
    if request.param == "sqlite":
        return {}
    found: dict[str, str] = request.getfixturevalue("postgresql")
    return found | {"RESONATE_POSTGRES_DATABASE": new_database(found)}


def new_database(server: dict[str, str]) -> str:
    name = f"kept_{secrets.token_hex(4)}"
    connection = connect(server)
    connection.autocommit = True  # as CREATE DATABASE wants it
    with closing(connection), connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    return name


def program(name: str, server: dict[str, str], *options: str | Path) -> None:
    """One of PostgreSQL's own, as docs/operations.md calls it."""
    by_libpq = {
        f"PG{part}": server[f"RESONATE_POSTGRES_{part}"] for part in ("HOST", "PORT", "USER", "PASSWORD")
    }
    subprocess.run(
        [required("postgresql") / name, *options],
        check=True,
        env={**os.environ, **by_libpq},
        capture_output=True,
    )


@pytest.mark.timeout(1800)
def test_a_home_that_is_backed_up_while_a_run_goes_on_is_whole_where_it_is_restored(
    server: dict[str, str], clips: list[Floats], tmp_path: Path
) -> None:
    home = Home(tmp_path / "home", server)
    if server:
        (home.folder / "dagster_home").mkdir(parents=True)
        shutil.copy(REPOSITORY / "docker" / "dagster.yaml", home.folder / "dagster_home")
    names = ["one", "three"] if server else ["one", "two", "three"]
    songs = [tmp_path / f"{name}.wav" for name in names]
    for song, clip in zip(songs, clips, strict=False):
        sf.write(song, clip[:44100], 44100)
    home.run("process", *songs[:-1])
    finished = sorted(home.tracks())
    at_first = home.made(finished[0])
    home.run("brief", "set", finished[0], "mastering.target_lufs=-17")
    Ledger(home.database, "a run", LalalCaps()).reserve("a job", 7.0)
    before = {track: home.made(track) for track in finished}
    assert {len(made) for made in before.values()} == {len(STAGES)}

    under_way = home.start("process", songs[-1])
    end = time.monotonic() + PATIENCE_S
    while not [*home.folder.glob("artefacts/raw_track/three-*/manifest.json")]:
        assert time.monotonic() < end
        assert under_way.poll() is None
        time.sleep(0.2)
    kept = tmp_path / "kept"
    if server:
        program(
            "pg_dump",
            server,
            "--format=custom",
            f"--file={tmp_path / 'dump'}",
            server["RESONATE_POSTGRES_DATABASE"],
        )
    told = home.run("backup", "--to", kept)
    assert under_way.poll() is None, "the run was over before the backup was"
    assert "whole" in told
    assert ("not in it: the database in PostgreSQL" in told) == bool(server)
    under_way.terminate()
    under_way.communicate(timeout=PATIENCE_S)
    home.folder.rename(tmp_path / "lost")

    shutil.copytree(kept, tmp_path / "restored", symlinks=True)
    if server:
        server = server | {"RESONATE_POSTGRES_DATABASE": new_database(server)}
        program(
            "pg_restore",
            server,
            f"--dbname={server['RESONATE_POSTGRES_DATABASE']}",
            "--no-owner",
            tmp_path / "dump",
        )
    restored = Home(tmp_path / "restored", server)
    restored.run("library", "rebuild-index")
    states = restored.tracks()
    assert {states[track]["state"] for track in finished} <= {"done", "not accepted", "behind"}
    [third] = states.keys() - {*finished}
    assert states[third]["state"] not in ("done", "not accepted")
    assert restored.made(third)
    assert {track: restored.made(track) for track in finished} == before
    assert "-17" in restored.run("brief", "show", finished[0])
    assert Ledger(restored.database, "", LalalCaps()).spent_today() == 7.0
    restored.run("brief", "unset", finished[0], "mastering.target_lufs")
    restored.run("process", songs[0])
    assert restored.made(finished[0]) == at_first  # all of it from the cache

    artefact = Artefacts(LocalStore(restored.folder)).current("stems", finished[0])
    assert artefact is not None
    Path(artefact.location(next(iter(artefact.manifest.files)))).unlink()
    process = restored.start("backup", "--to", tmp_path / "kept anew")
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert f"not whole: stems of {finished[0]}" in errors


def test_a_backup_goes_into_an_empty_folder_outside_the_home(tmp_path: Path) -> None:
    home = Home(tmp_path / "home", {})
    home.run("prepare")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    (tmp_path / "by another name").symlink_to(home.folder)
    for place in (tmp_path / "full", home.folder / "kept", tmp_path / "by another name" / "kept"):
        process = home.start("backup", "--to", place)
        _, errors = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 1
        assert "give an empty folder outside the home" in errors
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["file"]


def test_a_backup_to_a_bucket_is_refused_and_no_folder_of_that_name_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "home", {})
    home.run("prepare")
    monkeypatch.chdir(tmp_path)
    process = home.start("backup", "--to", "s3://bucket/backups")
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert "s3: is not known here; give a folder on this machine" in errors
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
