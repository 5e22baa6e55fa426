"""Homes that earlier versions left, opened by this one: earlier_homes/make.sh made them, and makes the next."""

from __future__ import annotations

import json
import lzma
import shutil
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest

from resonate_assets.definitions import build_defs
from resonate_assets.jobs import STAGES
from resonate_assets.partitions import tracks
from resonate_assets.sensors import inbox_folder
from resonate_assets.settings import Settings
from resonate_resources.ingestion.resource import InboxResource
from resonate_resources.storage.artefacts import Artefact, Artefacts
from resonate_resources.storage.catalogue import stale_tracks
from resonate_resources.storage.current import current_of
from resonate_resources.storage.heartbeats import heartbeats
from resonate_resources.storage.resource import S3Resource, StorageResource
from resonate_resources.storage.store import LocalStore
from resonate_resources.storage.taken_in import tracks_of
from resonate_studio.home import open_instance
from resonate_studio.library_status import code_versions
from resonate_tests.e2e.test_backup import PATIENCE_S, Home, new_database, program, server
from resonate_tests.e2e.test_postgres import REPOSITORY, postgresql
from resonate_tests.resources.storage.test_schema import differences

__all__ = ["postgresql", "server"]

EARLIER = Path(__file__).parent / "earlier_homes"
TRACK = "before-7d42e0e9935a"
"""What each of them holds: three seconds, dropped into the inbox and processed by the daemon."""


@pytest.fixture(params=["before_versions"])
def home(request: pytest.FixtureRequest, server: dict[str, str], tmp_path: Path) -> Home:
    """A home that was moved here, or one whose database was dumped and restored in PostgreSQL."""
    with tarfile.open(EARLIER / f"{request.param}.tar.xz") as kept:
        kept.extractall(tmp_path, filter="data")
    folder = tmp_path / "resonate"
    if server:
        shutil.rmtree(folder / "dagster_home")
        (folder / "dagster_home").mkdir()
        shutil.copy(REPOSITORY / "docker" / "dagster.yaml", folder / "dagster_home")
        for file in folder.glob("resonate.sqlite*"):
            file.unlink()
        server = server | {"RESONATE_POSTGRES_DATABASE": new_database(server)}
        dump = tmp_path / "dump.sql"
        dump.write_bytes(lzma.decompress((EARLIER / f"{request.param}.sql.xz").read_bytes()))
        program(
            *("psql", server, "--quiet", "--set=ON_ERROR_STOP=1"),
            *(f"--dbname={server['RESONATE_POSTGRES_DATABASE']}", f"--file={dump}"),
        )
    return Home(folder, server)


def artefacts_of(home: Home) -> dict[str, Artefact]:
    store = Artefacts(LocalStore(home.folder))
    return {stage: made for stage in STAGES if (made := store.current(stage, TRACK)) is not None}


@pytest.mark.timeout(1800)
def test_a_home_of_an_earlier_version_is_opened_brought_up_and_gone_on_with(
    home: Home, server: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = artefacts_of(home)
    assert "exports" in before
    behind = {stage for stage in before if before[stage].manifest.code_version != code_versions()[stage]}
    assert behind, "a fixture that no code is newer than shows nothing"

    told = home.tracks()
    assert told.keys() == {TRACK}
    assert told[TRACK]["state"] in ("behind", "not accepted")  # which goes before it
    assert set(told[TRACK]["made"]) == before.keys()
    [stale] = stale_tracks(home.database, code_versions())
    assert behind | (code_versions().keys() - before.keys()) <= set(stale.stages)
    assert differences(home.database) == []
    indexed = current_of(home.database, [TRACK])[TRACK]
    assert {stage: (row.key, row.data_version) for stage, row in indexed.items()} == {
        stage: (made.manifest.key, made.data_version) for stage, made in before.items()
    }
    assert heartbeats(home.database, "run") == []
    assert tracks_of(home.database, [TRACK[-12:]]) == {TRACK[-12:]: TRACK}
    home.run("library", "rebuild-index")  # as the first night does: reads the tags that no table had
    shown = json.loads(home.run("library", "find", "before", "--json"))
    assert [one["track"] for one in shown["tracks"]] == [TRACK]

    for name, value in home.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    settings = Settings.from_environment()
    with open_instance(settings) as instance:
        instance.upgrade(lambda _: None)  # as `dagster instance migrate` does
        made = instance.get_materialized_partitions(dg.AssetKey("exports"))
        assert made == {TRACK}
        run = instance.get_run_records(dg.RunsFilter(job_name="process_track"), limit=1)[0].dagster_run
        assert run.is_success
        assert any(entry.is_dagster_event for entry in instance.all_logs(run.run_id))
        storage: StorageResource = build_defs(settings).resources["storage"]  # type: ignore[index]
        for _ in range(2):
            resources = {
                "storage": storage,
                "inbox": InboxResource(folder=settings.inbox, bucket="", s3=S3Resource()),
            }
            with dg.build_sensor_context(instance, resources=resources) as context:
                result = inbox_folder(context)
            assert isinstance(result, dg.SensorResult)
            assert not result.run_requests
        assert instance.get_dynamic_partitions(str(tracks.name)) == [TRACK]

    if not server:  # what it computes is the same in both
        home.run("process", home.folder / "inbox" / "before.wav")
        after = artefacts_of(home)
        assert after.keys() == {*STAGES}
        assert home.tracks()[TRACK]["state"] in ("done", "not accepted")
        for stage in ("brief", "raw_track"):  # what is made from nothing else
            same = after[stage].manifest.key == before[stage].manifest.key
            assert (after[stage].manifest.made_at == before[stage].manifest.made_at) == same, stage
        assert all(artefact.complete() for artefact in before.values())


def test_a_home_of_a_later_version_is_refused_in_one_line_and_left_as_it_is(tmp_path: Path) -> None:
    home = Home(tmp_path / "home", {})
    home.run("prepare")
    file = home.folder / "resonate.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE resonate_version SET version_num = '9999'")
        connection.commit()
        content = list(connection.iterdump())
    for command in (["status"], ["library", "list"], ["process", tmp_path]):
        process = home.start(*command)
        _, errors = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 1
        assert "its tables have version 9999" in errors
        assert "Traceback" not in errors
    with closing(sqlite3.connect(file)) as connection:
        assert list(connection.iterdump()) == content
