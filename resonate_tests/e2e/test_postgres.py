"""Production's Dagster instance: a track processed with everything Dagster knows in a real PostgreSQL server."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg2  # type: ignore[import-untyped]
import pytest
import soundfile as sf
import yaml  # type: ignore[import-untyped]

from resonate_assets.settings import Settings
from resonate_resources.engine import Engine
from resonate_resources.storage import current
from resonate_resources.storage.artefacts import Manifest
from resonate_resources.storage.database import database
from resonate_resources.storage.inbox import Seen
from resonate_resources.storage.ledger import Ledger, enter_tracks, tracks_of
from resonate_studio.home import open_instance
from resonate_studio.processing import Processor
from resonate_tests.peer_encoders import Floats
from resonate_tests.programs import required

REPOSITORY = Path(__file__).parents[2]


def _account() -> dict[str, Any]:
    """Who runs the server, as arguments of subprocess: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise LookupError("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody")


@pytest.fixture(scope="module")
def postgresql(free_port: int) -> Iterator[dict[str, str]]:
    """A PostgreSQL server on 127.0.0.1; the environment that tells docker/dagster.yaml where it is."""
    programs = required("postgresql")
    account = _account()
    # Not in pytest's own directory: another user can't get below it.
    directory = Path(tempfile.mkdtemp(prefix="resonate-postgresql-"))
    password = secrets.token_hex(16)
    (directory / "password").write_text(password)
    if account:
        os.chown(directory, account["user"], account["group"])
        os.chown(directory / "password", account["user"], account["group"])
    try:
        subprocess.run(
            [
                *(programs / "initdb", "--pgdata", directory / "data", "--username", "resonate"),
                *("--auth", "scram-sha-256", "--pwfile", directory / "password"),
                *("--encoding", "UTF8", "--locale", "C", "--no-sync"),
            ],
            check=True,
            capture_output=True,
            cwd=directory,
            **account,
        )
        with (directory / "log").open("wb") as log:
            server = subprocess.Popen(
                [
                    *(
                        programs / "postgres",
                        "-D",
                        directory / "data",
                        "-h",
                        "127.0.0.1",
                        "-p",
                        str(free_port),
                    ),
                    *(
                        "-k",
                        directory,
                        "-F",
                    ),  # socket beside the data; no fsync: nothing here outlives the test
                ],
                stdout=log,
                stderr=log,
                cwd=directory,
                **account,
            )
        try:
            environment = {
                "RESONATE_POSTGRES_HOST": "127.0.0.1",
                "RESONATE_POSTGRES_PORT": str(free_port),
                "RESONATE_POSTGRES_USER": "resonate",
                "RESONATE_POSTGRES_PASSWORD": password,
                "RESONATE_POSTGRES_DATABASE": "postgres",
            }
            _wait_for(server, environment, directory / "log")
            yield environment
        finally:
            server.terminate()
            server.wait(30)
    finally:
        shutil.rmtree(directory)


def connect(environment: dict[str, str]) -> Any:
    return psycopg2.connect(
        host=environment["RESONATE_POSTGRES_HOST"],
        port=environment["RESONATE_POSTGRES_PORT"],
        user=environment["RESONATE_POSTGRES_USER"],
        password=environment["RESONATE_POSTGRES_PASSWORD"],
        dbname=environment["RESONATE_POSTGRES_DATABASE"],
    )


def _wait_for(server: subprocess.Popen[bytes], environment: dict[str, str], log: Path) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            connect(environment).close()
        except psycopg2.OperationalError:
            if server.poll() is not None or time.monotonic() > end:
                pytest.fail(f"PostgreSQL did not start: {log.read_text()[-2000:]}")
            time.sleep(0.2)
        else:
            return


def test_a_track_is_processed_on_an_instance_in_postgresql(
    postgresql: dict[str, str], clips: list[Floats], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dagster_home = tmp_path / "dagster_home"
    dagster_home.mkdir()
    shutil.copy(REPOSITORY / "docker" / "dagster.yaml", dagster_home)
    monkeypatch.setenv("DAGSTER_HOME", str(dagster_home))
    for name, value in postgresql.items():
        monkeypatch.setenv(name, value)
    sf.write(tmp_path / "song.wav", clips[0], 44100)

    settings = Settings(tmp_path, str(tmp_path / "storage"), inbox="", bucket="", s3_endpoint=None)
    with open_instance(settings) as instance:
        account = Processor(settings, instance, "balanced").process(tmp_path / "song.wav")
        assert account.error is None
        assert instance.get_dynamic_partitions("tracks") == [account.track]

    with connect(postgresql) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT status FROM runs")
        assert cursor.fetchall() == [("SUCCESS",)]
        cursor.execute(
            "SELECT count(*) FROM event_logs WHERE dagster_event_type = %s AND partition = %s",
            (dg.DagsterEventType.ASSET_MATERIALIZATION.value, account.track),
        )
        assert cursor.fetchone() == (10,)
    assert not list(dagster_home.rglob("*.db")), "something was kept in SQLite after all"


def test_the_index_and_the_ledger_are_kept_in_postgresql_as_in_sqlite(postgresql: dict[str, str]) -> None:
    names = ("USER", "PASSWORD", "PORT", "DATABASE")
    url = "postgresql+psycopg2://{}:{}@127.0.0.1:{}/{}".format(
        *(postgresql[f"RESONATE_POSTGRES_{name}"] for name in names)
    )
    song, other = "song-0123456789ab", "other-ba9876543210"
    for version in ("s1", "s2"):
        made = Manifest(
            "stems", song, "k", version, "3", Engine("masks"), {"raw_track": "r1"}, {}, {"sdr": 9.5}, (), 1.0
        )
        current.record_all(url, [made, replace(made, track=other), replace(made, stage="mix")])
    assert current.current_of(url, [song])[song]["stems"].data_version == "s2"
    assert {track: sorted(stages) for track, stages in current.stages_made(url).items()} == {
        song: ["mix", "stems"],
        other: ["stems"],
    }
    assert [track for track, _ in current.all_versions(url, other)] == [song]
    seen = current.changed_since(url, 0)
    assert (seen.tracks, seen.whole) == ({song, other}, True)
    current.forget(url, [("stems", other)])
    assert current.changed_since(url, seen.last).tracks == {other}

    inbox = Ledger(url, "/in")
    strange, deep = os.fsdecode(b"/in/\xff.wav"), f"/in/{'deep/' * 800}song.wav"
    files = [Seen(uri, 1, "x", settled=True) for uri in (strange, deep, "/in/new.wav")]
    for _ in range(2):
        inbox.enter({strange: "1:x", deep: "1:x"})
    assert list(inbox.fresh(files)) == files[2:]
    assert inbox.sampled(2) == [strange]
    enter_tracks(url, {"0123456789ab": "another-name-0123456789ab"})
    enter_tracks(url, {"0123456789ab": song})
    assert tracks_of(url, ["0123456789ab", "ba9876543210"]) == {"0123456789ab": song}
    database(url).dispose()  # a server that is asked to end waits for who is connected


def test_production_differs_from_one_machine_in_its_database_only() -> None:
    production = yaml.safe_load((REPOSITORY / "docker" / "dagster.yaml").read_text())
    one_machine = yaml.safe_load((REPOSITORY / "dagster_home" / "dagster.yaml").read_text())
    del production["storage"]
    assert production == one_machine
