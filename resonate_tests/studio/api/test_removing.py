"""A track's removal and what else goes on: it is killed in its midst, runs begin, somebody else removes it."""

from __future__ import annotations

import dagster as dg
import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from resonate_assets.jobs import process_track
from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.storage import heartbeats
from resonate_resources.storage.database import now, transaction, upsert
from resonate_resources.storage.heartbeats import REMOVAL, alive
from resonate_resources.storage.store import new_directory
from resonate_resources.storage.tracks import tracks
from resonate_studio import removing
from resonate_studio.api.opened import Opened
from resonate_studio.hearing.light_store import LightStore, beginning_of
from resonate_studio.processing import Processor
from resonate_studio.references import FOLDER
from resonate_studio.removing import Removal
from resonate_tests.studio.api.conftest import upload, wav


def removal_of(opened: Opened, track: str) -> Removal:
    return Removal(opened.storage, opened.instance, track, LightStore.of_home(opened.settings))


def runs_of(opened: Opened, track: str) -> list[dg.DagsterRun]:
    return list(opened.instance.get_runs(dg.RunsFilter(tags={"dagster/partition": track})))


@pytest.mark.parametrize(
    ("killed_after", "seed"),
    [
        (name, 70 + number)
        for number, name in enumerate(
            (
                "forget_exports",
                "forget_references",
                "forget",
                "forget_rows",
                "forget_in_catalogue",
                "forget_run",
                "forget_in_records",
                "forget_tracks",
            )
        )
    ],
)
def test_a_removal_that_was_killed_leaves_nothing_once_it_is_begun_again(
    client: TestClient, opened: Opened, monkeypatch: pytest.MonkeyPatch, killed_after: str, seed: int
) -> None:
    storage, light = opened.storage, LightStore.of_home(opened.settings)
    track = upload(client, wav(seed))["track"]
    source = storage.sources.find(track)
    assert source is not None
    reference = opened.settings.uploads / f"{FOLDER}{seed}" / "reference.wav"
    reference.parent.mkdir()
    reference.write_bytes(b"of somebody else")
    with new_directory(storage.store, "brief") as into:
        (into / "brief.json").write_bytes(f"{seed}".encode())
        settings = {"mastering": {"reference": str(reference)}}
        made = storage.artefacts.keep(
            Product({"brief.json": into / "brief.json"}),
            stage="brief",
            track=track,
            recipe=Recipe(Engine("test"), settings),
            reads=[],
            seconds=0.0,
        )
    storage.artefacts.publish(made)
    heard = beginning_of(made.manifest.files["brief.json"].sha256) + "-heard"
    light.write(heard, b"light copy")

    undisturbed = getattr(removing, killed_after)

    def killed(*given: object, **named: object) -> None:
        undisturbed(*given, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(removing, killed_after, killed)
        with pytest.raises(KeyboardInterrupt):
            removal_of(opened, track).carry_out()
    assert removal_of(opened, track).carry_out() is None
    assert light.read(heard) is None
    assert not reference.exists()
    assert source.uri not in [str(path) for path in opened.settings.uploads.rglob("*")]
    assert storage.sources.find(track) is None
    assert not list(storage.store.entries(f"artefacts/brief/{track}"))
    assert runs_of(opened, track) == []
    assert track not in opened.instance.get_dynamic_partitions("tracks")


def test_a_run_of_a_track_that_is_being_removed_does_not_begin(client: TestClient, opened: Opened) -> None:
    track = upload(client, wav(80))["track"]
    with alive(opened.storage.database, REMOVAL, track, track):
        done = Processor(opened.settings, opened.instance).process_again(track)
    assert done.error is not None
    assert f"{track}: is being removed" in done.error
    assert opened.storage.artefacts.current("brief", track) is None
    assert removal_of(opened, track).carry_out() is None
    assert runs_of(opened, track) == []


def test_what_waits_is_cancelled_before_anything_of_its_track_goes(
    client: TestClient, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    track = upload(client, wav(81))["track"]
    seen = list[dg.DagsterRunStatus]()
    monkeypatch.setattr(
        removing, "forget_exports", lambda *_, **__: seen.extend(run.status for run in runs_of(opened, track))
    )
    assert removal_of(opened, track).carry_out() is None
    assert seen == [dg.DagsterRunStatus.CANCELED]


def test_a_track_at_which_somebody_began_to_work_or_that_another_removes_is_left_whole(
    client: TestClient, opened: Opened
) -> None:
    track = upload(client, wav(82))["track"]
    for kind in ("run", REMOVAL):
        with alive(opened.storage.database, kind, track, track):
            assert "is being worked at" in str(removal_of(opened, track).carry_out())
    [waiting] = runs_of(opened, track)
    assert (waiting.job_name, waiting.is_finished) == (process_track.name, False)
    assert opened.storage.sources.find(track) is not None
    assert removal_of(opened, track).carry_out() is None


def test_nothing_of_a_removed_track_is_left_beside_databases_that_others_have_open(
    client: TestClient, opened: Opened
) -> None:
    url, track = opened.storage.database, upload(client, wav(83))["track"]
    dead = {"id": "dead", "kind": "run", "name": "killed", "track": track, "host": "elsewhere", "pid": 1}
    with transaction(url) as db:
        upsert(db, tracks, [{"track": track, "title": "Heard by Nobody"}])
        db.execute(sa.insert(heartbeats._heartbeats).values(**dead, beat_at=now() - 60))
    assert removal_of(opened, track).carry_out() is None
    with transaction(url) as db:
        told = db.execute(sa.select(heartbeats._heartbeats.c.track)).scalars().all()
    assert track not in told
    home = opened.settings.home
    own = [path.name for path in home.glob("resonate.sqlite*") if b"Heard by Nobody" in path.read_bytes()]
    assert own == []
    of_dagster = [path for path in (home / "dagster_home").rglob("*.db*") if path.is_file()]
    assert [path.name for path in of_dagster if track.encode() in path.read_bytes()] == []
