"""Production's Dagster instance: a track processed with everything Dagster knows in a real PostgreSQL server."""

from __future__ import annotations

import math
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import psycopg2  # type: ignore[import-untyped]
import pytest
import soundfile as sf
import sqlalchemy as sa
import yaml  # type: ignore[import-untyped]

from resonate_assets.acceptance import judge
from resonate_assets.jobs import ORIGIN, STAGES
from resonate_assets.runs import report_dead_runs
from resonate_assets.settings import Settings
from resonate_resources.machines.deciding import Need
from resonate_resources.machines.ledger import days, settle
from resonate_resources.separation.lalal.ledger import LalalCaps, Ledger
from resonate_resources.storage import current, heartbeats
from resonate_resources.storage.database import database, now, transaction, upsert
from resonate_resources.storage.duplicates import find_duplicates
from resonate_resources.storage.inbox import Seen
from resonate_resources.storage.taken_in import TakenIn, enter_tracks, tracks_of
from resonate_resources.storage.track_search import Wanted, find
from resonate_resources.storage.tracks import (
    bring_up_to_date,
    fingerprints,
    folded,
    record_checks,
    tracks,
)
from resonate_studio.home import open_instance
from resonate_studio.processing import Processor
from resonate_tests.manifests import manifest
from resonate_tests.peer_encoders import Floats
from resonate_tests.postgresql_server import connect, postgresql_server
from resonate_tests.resources.storage.test_schema import BEFORE, differences

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def postgresql(free_port: int) -> Iterator[dict[str, str]]:
    """A PostgreSQL server on 127.0.0.1; the environment that tells docker/dagster.yaml where it is."""
    with postgresql_server(free_port) as environment:
        yield environment


@pytest.fixture
def roles(postgresql: dict[str, str]) -> dict[str, dict[str, str]]:
    """A new database with the roles of docker/policies/postgresql.sql: the environment of each."""
    name, passwords = f"resonate_{secrets.token_hex(4)}", [secrets.token_hex(16), secrets.token_hex(16)]
    connection = connect(postgresql)
    connection.autocommit = True
    with closing(connection), connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    subprocess.run(
        [
            *("psql", "--no-psqlrc", "--quiet", "--host", "127.0.0.1", "--username", "postgres"),
            *("--port", postgresql["RESONATE_POSTGRES_PORT"], "--dbname", name),
            *("--file", REPOSITORY / "docker" / "policies" / "postgresql.sql"),
        ],
        check=True,
        env=os.environ
        | {
            "PGPASSWORD": postgresql["RESONATE_POSTGRES_PASSWORD"],
            "RESONATE_POSTGRES_OWNER_PASSWORD": passwords[0],
            "RESONATE_POSTGRES_PASSWORD": passwords[1],
        },
    )
    return {
        user: postgresql
        | {
            "RESONATE_POSTGRES_USER": user,
            "RESONATE_POSTGRES_PASSWORD": password,
            "RESONATE_POSTGRES_DATABASE": name,
        }
        for user, password in zip(("resonate_owner", "resonate"), passwords, strict=True)
    }


def test_a_track_is_processed_in_postgresql_by_a_role_that_can_only_read_and_write_rows(
    roles: dict[str, dict[str, str]], clips: list[Floats], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dagster_home = tmp_path / "dagster_home"
    dagster_home.mkdir()
    shutil.copy(REPOSITORY / "docker" / "dagster.yaml", dagster_home)
    monkeypatch.setenv("DAGSTER_HOME", str(dagster_home))
    sf.write(tmp_path / "song.wav", clips[0], 44100)

    def settings_as(role: str) -> Settings:
        for name, value in roles[role].items():
            monkeypatch.setenv(name, value)
        return Settings(
            tmp_path,
            str(tmp_path / "storage"),
            inbox="",
            bucket="",
            s3_endpoint=None,
            database=url_of(roles[role]),
        )

    with open_instance(settings_as("resonate_owner")) as instance:
        instance.upgrade(lambda _: None)
    settings = settings_as("resonate")
    with open_instance(settings) as instance:
        done = Processor(settings, instance).process(tmp_path / "song.wav")
        assert done.error is None
        assert instance.get_dynamic_partitions("tracks") == [done.track]

    with connect(roles["resonate"]) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT status FROM runs")
        assert cursor.fetchall() == [("SUCCESS",)]
        cursor.execute(
            "SELECT count(*) FROM event_logs WHERE dagster_event_type = %s AND partition = %s",
            (dg.DagsterEventType.ASSET_MATERIALIZATION.value, done.track),
        )
        assert cursor.fetchone() == (len(ORIGIN) + len(STAGES),)
    for forbidden in ("DROP TABLE runs", "ALTER TABLE heartbeats ADD x int", "CREATE TABLE mine (x int)"):
        with (
            closing(connect(roles["resonate"])) as connection,
            connection.cursor() as cursor,
            pytest.raises(psycopg2.errors.InsufficientPrivilege),
        ):
            cursor.execute(forbidden)
    assert not [*tmp_path.rglob("*.db"), *tmp_path.rglob("*.sqlite")], (
        "something was kept in SQLite after all"
    )


def url_of(environment: dict[str, str]) -> str:
    """The same server's database, for what processes must agree on."""
    return (
        f"postgresql+psycopg2://{environment['RESONATE_POSTGRES_USER']}:{environment['RESONATE_POSTGRES_PASSWORD']}"
        f"@{environment['RESONATE_POSTGRES_HOST']}:{environment['RESONATE_POSTGRES_PORT']}"
        f"/{environment['RESONATE_POSTGRES_DATABASE']}"
    )


def test_two_hosts_that_reserve_at_once_do_not_pass_a_cap(postgresql: dict[str, str]) -> None:
    program = (
        "import sys\n"
        "from resonate_resources.models.hosted.caps import CapReachedError\n"
        "from resonate_resources.separation.lalal.ledger import LalalCaps, Ledger\n"
        "url, run = sys.argv[1:]\n"
        "ledger = Ledger(url, run, LalalCaps(per_run=1000, per_day=80))\n"
        "ledger.spent_today()\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "granted = 0\n"
        "try:\n"
        "    while granted < 81:\n"
        "        ledger.reserve(f'{run}/{granted}', 1)\n"
        "        granted += 1\n"
        "except CapReachedError:\n"
        "    print(granted)\n"
    )
    hosts = [
        subprocess.Popen(
            [sys.executable, "-c", program, url_of(postgresql), run],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for run in ("one", "other")
    ]
    for host in hosts:
        assert host.stdout is not None
        assert host.stdout.readline() == "ready\n"
    for host in hosts:
        assert host.stdin is not None
        host.stdin.write("go\n")
        host.stdin.flush()
    granted = [int(host.communicate(timeout=120)[0]) for host in hosts]
    assert sum(granted) == 80
    assert Ledger(url_of(postgresql), "", LalalCaps()).spent_today() == 80


def test_the_last_place_goes_to_one_of_those_who_ask_at_once(postgresql: dict[str, str]) -> None:
    url = url_of(postgresql)
    at_once, most, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal at_once, most
        with heartbeats.holding(url, "pool", "cloud", 2):
            with lock:
                at_once += 1
                most = max(most, at_once)
            time.sleep(0.05)
            with lock:
                at_once -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (at_once, most) == (0, 2)


def test_of_hosts_that_look_at_once_one_starts_the_machine_for_gpu_runs(postgresql: dict[str, str]) -> None:
    url, together = url_of(postgresql), threading.Barrier(6)
    actions: list[str] = []

    def host() -> None:
        together.wait()  # all have seen it stopped
        decision, _ = settle(url, "a machine", 1.0, "stopped", Need(waiting=1, working=0), 10.0)
        actions.append(decision.action)

    threads = [threading.Thread(target=host) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(actions) == ["none"] * 5 + ["start"]
    settle(url, "a machine", 1.0, "running", Need(waiting=0, working=1), 10.0)
    assert [day.machine for day in days(url)] in (["a machine"], ["a machine"] * 2)  # around midnight
    database(url).dispose()


def test_a_live_run_of_another_host_is_left_alone_and_a_dead_one_is_reported(
    postgresql: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hosts share a database and nothing else: no process id and no lock file of one means anything here."""
    url = url_of(postgresql)
    monkeypatch.setattr(heartbeats, "DEAD_AFTER_SECONDS", 4.0)
    monkeypatch.setattr(heartbeats, "BEAT_SECONDS", 0.1)
    monkeypatch.setattr(heartbeats, "HOST", "host-a")
    dead_row = heartbeats._row("run", "dead", None) | {"host": "host-b"}
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        for run_id in ("live", "dead"):
            run = dg.DagsterRun("process_track", run_id, status=dg.DagsterRunStatus.STARTED)
            instance.add_run(run)
        with transaction(url) as db:
            db.execute(sa.insert(heartbeats._heartbeats).values(**dead_row, beat_at=now()))
        awake = [0.0]
        watch = heartbeats.Watch(lambda: awake[0])
        with heartbeats.alive(url, "run", "live"):
            told = []
            for _ in range(6):
                time.sleep(1.0)
                awake[0] += 6.0
                told += report_dead_runs(instance, url, watch)
            statuses = {run.run_id: run.status for run in instance.get_runs()}
    assert statuses == {"live": dg.DagsterRunStatus.STARTED, "dead": dg.DagsterRunStatus.FAILURE}
    (line,) = told
    assert "host-b" in line


def test_the_index_and_the_ledger_are_kept_in_postgresql_as_in_sqlite(postgresql: dict[str, str]) -> None:
    names = ("USER", "PASSWORD", "PORT", "DATABASE")
    url = "postgresql+psycopg2://{}:{}@127.0.0.1:{}/{}".format(
        *(postgresql[f"RESONATE_POSTGRES_{name}"] for name in names)
    )
    song, other = "song-0123456789ab", "other-ba9876543210"
    for version in ("s1", "s2"):
        made = manifest(
            "stems", song, data_version=version, measures={"sdr": 9.5}, made_from={"raw_track": "r1"}
        )
        current.record_all(url, [made, replace(made, track=other), replace(made, stage="mix")])
    assert current.current_of(url, [song])[song]["stems"].data_version == "s2"
    made_of = current.stages_made(url)  # beside what other tests have made there
    assert (sorted(made_of[song]), sorted(made_of[other])) == (["mix", "stems"], ["stems"])
    assert song in [track for track, _ in current.all_versions(url, other)]
    seen = current.changed_since(url, 0)
    assert seen.whole
    assert {song, other} <= seen.tracks
    current.forget(url, [("stems", other)])
    assert current.changed_since(url, seen.last).tracks == {other}

    inbox = TakenIn(url, "/in")
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


# The catalogue


@pytest.fixture
def own(postgresql: dict[str, str]) -> str:
    """URL of a new database on the server."""
    name = f"catalogue_{secrets.token_hex(4)}"
    connection = connect(postgresql)
    connection.autocommit = True  # as CREATE DATABASE wants it
    with closing(connection), connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    return url_of({**postgresql, "RESONATE_POSTGRES_DATABASE": name})


def test_a_database_of_before_there_were_versions_is_brought_up_by_one_of_many_processes(
    own: str, tmp_path: Path
) -> None:
    before = tmp_path / "before.sqlite"
    with closing(sqlite3.connect(before)) as connection:
        connection.executescript(BEFORE.read_text())
    known = sa.MetaData()
    earlier: dict[str, list[dict[str, Any]]] = {}
    with sa.create_engine(f"sqlite:///{before}").connect() as old, database(own).begin() as db:
        db.exec_driver_sql(BEFORE.with_name("before_migrations_postgresql.sql").read_text())
        known.reflect(db)
        for table in known.sorted_tables:
            earlier[table.name] = [dict(row._mapping) for row in old.execute(sa.select(table))]
            if earlier[table.name]:
                db.execute(sa.insert(table), earlier[table.name])
    program = (
        "import sys; from resonate_resources.storage.database import transaction\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "with transaction(sys.argv[1]): pass\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", program, own], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
    for process in processes:
        process.communicate(b"\n")
    assert [process.returncode for process in processes] == [0] * 4
    assert differences(own) == []
    with database(own).connect() as db:
        for table in known.sorted_tables:
            found = [dict(row._mapping) for row in db.execute(sa.select(table))]
            assert sorted(found, key=repr) == sorted(earlier[table.name], key=repr), table.name


def test_tracks_are_found_and_compared_in_postgresql_as_in_sqlite(own: str) -> None:
    for number, (track, bpm) in enumerate((("Ångström-1", 128.0), ("angstrom-2", 64.0), ("other-3", 90.0))):
        measures = {"tempo_bpm": bpm, "camelot": "8A", "loudness_lufs": "-inf"}
        current.record_all(
            own,
            [
                manifest("raw_track", track, measures={"duration_s": 1.5, "channels": 2}),
                manifest("profile", track, measures=measures),
                manifest("qc_scores", track, measures={"master_total": 80.0 + number}),
            ],
        )
        words = np.random.default_rng(number // 2).integers(0, 2**32, 200, np.uint32)
        row = {"track": track, "name_folded": folded(track), "sound_sha256": None}
        mark = {"track": track, "data_version": "v", "fingerprint": " ".join(map(str, words)), "sketch": None}
        with transaction(own) as db:
            upsert(db, tracks, [row])
            upsert(db, fingerprints, [mark])
    record_checks(own, "other-3", "mix", ["mix_does_not_clip"])
    bring_up_to_date(own, judge, "c")
    bring_up_to_date(own, judge, "c")

    def found(wanted: Wanted, sort: str = "bpm") -> list[str]:
        return [row["track"] for row in find(own, wanted, sort)]

    assert found(Wanted(words=("ANGSTRÖM",))) == ["angstrom-2", "Ångström-1"]
    assert found(Wanted(bpm=(128.0, 128.0), half_or_double=True)) == ["angstrom-2", "Ångström-1"]
    assert found(Wanted(failed_check="mix_does_not_clip")) == ["other-3"]
    assert found(Wanted(accepted=False), "score") == ["Ångström-1", "angstrom-2", "other-3"]
    assert found(Wanted(least_score=81.5), "loudness") == ["other-3"]
    assert next(find(own, Wanted(words=("other",)), "key"))["loudness_lufs"] == -math.inf
    groups = find_duplicates(
        own, lambda text: np.array(text.split(), np.uint32), lambda one, other: float(one == other)
    )
    assert [sorted(group.tracks) for group in groups] == [["angstrom-2", "Ångström-1"]]
