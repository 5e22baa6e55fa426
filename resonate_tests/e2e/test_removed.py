"""A track that is removed is nowhere any more: neither its name, nor its hashes, nor its sound."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import boto3
import dagster as dg
import pytest
import soundfile as sf
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import TickData, TickStatus

from resonate_assets.definitions import build_defs
from resonate_assets.forgetting import forget_run
from resonate_assets.settings import Settings
from resonate_assets.upkeep import upkeep
from resonate_resources.recordings.recording import Recording
from resonate_resources.storage.database import database
from resonate_resources.storage.resource import StorageResource
from resonate_studio.hearing.light_copies import LightCopies, Sound
from resonate_studio.hearing.light_store import LightStore
from resonate_studio.home import open_instance
from resonate_tests.e2e.test_backup import Home, new_database, postgresql, program, server
from resonate_tests.e2e.test_postgres import REPOSITORY
from resonate_tests.e2e.test_s3 import bucket, client, endpoint
from resonate_tests.peer_encoders import Floats

__all__ = ["bucket", "client", "endpoint", "postgresql", "server"]

ARTIST, TITLE = "Zyxwvut", "Plumbago Quarkling"
SLUG = "plumbago-quarkling"


def every_byte(
    home: Home, server: dict[str, str], stored: str, tmp_path: Path
) -> Iterator[tuple[str, bytes]]:
    """(place, what is in it) of the home, of storage in a bucket and of the database, live rows alone."""
    for path in home.folder.rglob("*"):
        yield str(path.relative_to(home.folder)), path.read_bytes() if path.is_file() else b""
    if server:
        dump = tmp_path / "dump.sql"
        name = server["RESONATE_POSTGRES_DATABASE"]
        program("pg_dump", server, f"--file={dump}", name)
        yield from ((f"PostgreSQL: {line[:40]!r}", line) for line in dump.read_bytes().splitlines())
        s3 = boto3.client("s3", endpoint_url=home.environment["RESONATE_S3_ENDPOINT"])
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=stored):
            for each in page.get("Contents", ()):
                yield each["Key"], s3.get_object(Bucket=stored, Key=each["Key"])["Body"].read()


def told_of(needles: dict[str, bytes], found: Iterator[tuple[str, bytes]]) -> dict[str, list[str]]:
    """What of the track → where it still is."""
    places: dict[str, list[str]] = {}
    for place, content in found:
        for what, needle in needles.items():
            if needle in content or needle in place.encode():
                places.setdefault(what, []).append(place)
    return places


@pytest.mark.timeout(1800)
def test_nothing_of_a_removed_track_is_left_in_a_home_a_bucket_or_a_database(
    server: dict[str, str],
    clips: list[Floats],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    stored = ""
    if server:
        stored = request.getfixturevalue("bucket")
        server = server | {"RESONATE_POSTGRES_DATABASE": new_database(server)}
    home = Home(tmp_path / "home", server)
    if server:
        (home.folder / "dagster_home").mkdir(parents=True)
        (home.folder / "dagster_home" / "dagster.yaml").write_bytes(
            (REPOSITORY / "docker" / "dagster.yaml").read_bytes()
        )
        home.environment |= {
            "RESONATE_STORAGE": f"s3://{stored}/library",
            "RESONATE_S3_ENDPOINT": request.getfixturevalue("endpoint"),
            **{name: os.environ[name] for name in os.environ if name.startswith("AWS_")},
        }
    song = tmp_path / "theirs" / f"{ARTIST} - {TITLE}.wav"
    song.parent.mkdir()
    sf.write(song, clips[0][:44100], 44100)
    content = song.read_bytes()
    home.run("process", song)
    [track] = home.tracks()
    assert SLUG in track

    for name, value in home.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    settings = Settings.from_environment()
    storage: StorageResource = build_defs(settings).resources["storage"]  # type: ignore[index]
    light = LightStore.of_home(settings)
    artefacts = {stage: storage.artefacts.current(stage, track) for stage in ("raw_track", "master", "stems")}
    needles = {
        "artist": ARTIST.encode(),
        "title": TITLE.encode(),
        "key": SLUG.encode(),
        "content": track[-12:].encode(),
    }
    for stage, name in (("raw_track", "track.wav"), ("master", "master.wav"), ("stems", "drums.wav")):
        made = artefacts[stage]
        assert made is not None
        sha256 = made.manifest.files[name].sha256
        needles[f"hash of {name}"] = sha256.encode()
        needles[f"sound of {name}"] = made.path(name).read_bytes()[100_000:100_064]
        heard = LightCopies(light).segment(Sound(Recording.open(made.path(name)), sha256), 0)
        needles[f"light copy of {name}"] = heard[len(heard) // 2 :][:64]
    light.write("0123456789abcdef-of another track", b"that stays")
    storage.store.write(f"listening/{track}/test.json", json.dumps({"track": track}).encode())
    with open_instance(settings) as instance:
        for keys in ([track], ["another"]):
            instance.create_tick(
                TickData(
                    *("origin", "inbox_folder", InstigatorType.SENSOR, TickStatus.SUCCESS, 1.0),
                    run_ids=[],
                    run_keys=keys,
                    selector_id="selector",
                )
            )
        instance.report_runless_asset_event(dg.AssetMaterialization("mix", partition=track))
        runs = [run.run_id for run in instance.get_runs()]
    assert set(needles) <= set(told_of(needles, every_byte(home, server, stored, tmp_path)))

    home.run("remove", track, "--yes")
    with open_instance(settings) as instance:
        resources = {name: build_defs(settings).resources[name] for name in ("storage", "keeping")}  # type: ignore[index]
        assert upkeep.execute_in_process(instance=instance, resources=resources).success  # the next night
        assert [tick.run_keys for tick in instance.get_ticks("origin", "selector")] == [["another"]]
        assert not {run.run_id for run in instance.get_runs()} & {*runs}
        assert instance.get_dynamic_partitions("tracks") == []
    database(home.database).dispose()
    left = told_of(needles, every_byte(home, server, stored, tmp_path))
    assert left == {}
    assert light.read("0123456789abcdef-of another track") == b"that stays"
    assert song.read_bytes() == content  # theirs


def test_a_run_that_is_forgotten_leaves_no_file() -> None:
    @dg.asset
    def told() -> None:
        print("something that nobody else says")

    with dg.instance_for_test() as instance:
        run_id = dg.materialize([told], instance=instance).run_id
        files = [path for path in Path(instance.root_directory).rglob("*") if run_id in str(path)]
        assert files
        forget_run(instance, run_id)
        assert [path for path in Path(instance.root_directory).rglob("*") if run_id in str(path)] == []
        assert instance.get_run_by_id(run_id) is None
