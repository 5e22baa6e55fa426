"""Briefs: shown, changed, refused, looked back at, restored."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterEvent, DagsterEventType
from starlette.testclient import TestClient

from resonate_assets.jobs import STAGES
from resonate_resources.brief.brief import Brief
from resonate_resources.storage.heartbeats import alive
from resonate_studio.api.briefs import PLACES, READERS
from resonate_studio.api.opened import Opened
from resonate_tests.studio.api.conftest import upload, wav


@pytest.fixture(autouse=True)
def as_it_was(client: TestClient, opened: Opened, track: str) -> Iterator[None]:
    yield
    opened.storage.store.delete(f"briefs/{track}.json")
    for job in client.get("/api/v1/jobs", params={"active": True}).json()["jobs"]:
        if job["track"] == track:
            client.post(f"/api/v1/jobs/{job['job_id']}/cancel")


def values(client: TestClient, track: str) -> dict[str, object]:
    told = client.get(f"/api/v1/tracks/{track}/brief").json()["values"]
    return {one["name"]: one["value"] for one in told}


def change(client: TestClient, track: str, **asked: object) -> tuple[int, dict[str, object]]:
    headers = {"content-type": "application/json"}
    answer = client.patch(f"/api/v1/tracks/{track}/brief", content=json.dumps(asked), headers=headers)
    return answer.status_code, answer.json()


def master_again(opened: Opened, track: str) -> None:
    """What the daemon would do, of the stages that are looked at here."""
    job = opened.defs.resolve_job_def("process_track")
    chosen = [dg.AssetKey("brief"), dg.AssetKey("master")]
    assert job.execute_in_process(
        instance=opened.instance, partition_key=track, asset_selection=chosen
    ).success


def test_every_section_of_the_brief_has_the_stage_that_first_goes_by_it() -> None:
    assert set(READERS) == set(Brief.model_fields)
    assert {stage for stages in READERS.values() for stage in stages} <= set(STAGES)


def test_every_setting_that_is_a_place_is_known_as_one() -> None:
    """As the brief itself refuses what is no absolute path there, and takes it anywhere else."""
    found = set()
    for section, field in Brief.model_fields.items():
        for name in field.annotation.model_fields:  # type: ignore[union-attr]
            for place in ("here/there", ["here/there"]):
                try:
                    field.annotation.model_validate({name: place})  # type: ignore[union-attr]
                except ValueError as error:
                    if "absolute" in str(error):
                        found.add(f"{section}.{name}")
    assert found == set(PLACES)


def test_a_change_asks_for_what_depends_on_it_alone(client: TestClient, track: str) -> None:
    status, changed = change(client, track, set={"mastering.target_lufs": -20})
    assert status == 202
    assert changed["stages"] == ["master", "qc_scores", "exports"]
    told = {one["name"]: one for one in changed["brief"]["values"]}["mastering.target_lufs"]  # type: ignore[index]
    assert told == {
        "name": "mastering.target_lufs",
        "value": -20,
        "origin": "set for this track",
        "built_in": False,
    }
    job = client.get(changed["job"]["status_url"]).json()  # type: ignore[index]
    assert (job["status"], job["track"]) == ("queued", track)


def test_a_change_that_is_to_wait_and_one_that_changes_nothing_ask_for_no_job(
    client: TestClient, track: str
) -> None:
    status, changed = change(client, track, set={"mastering.target_lufs": -20}, process=False)
    assert (status, changed["job"]) == (200, None)
    assert changed["stages"]
    status, changed = change(client, track, unset=["mastering.target_lufs"])
    assert (status, changed["job"], changed["stages"]) == (200, None, [])


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"set": {"mastering.target_lufs": -90}}, "mastering.target_lufs: -90 can't be used"),
        ({"set": {"mastering.loud": 1}}, "there is no such setting"),
        ({"set": {"mastering": 1}}, "sections"),
        ({"set": {"": 1}}, "is no setting's name"),
        ({"set": {"profile.hints": "\ud800"}}, "no Unicode"),
        ({"unset": ["\ud800"]}, "no Unicode"),
        ({"reference_track": "nobody"}, "no other track"),
        ({"set": {"mastering.reference": "/etc/passwd"}}, "is a place on the server"),
        ({"set": {"mastering": {"reference": "/etc/passwd"}}}, "is a place on the server"),
        ({"set": {"separation.truth": "/etc"}}, "is a place on the server"),
        ({"set": {"regeneration.soundfonts": ["/etc/passwd"]}}, "is a place on the server"),
        ({"set": {"regeneration": {"plugins": ["/lib/x.so"]}}}, "is a place on the server"),
        ({"set": {"separation.engine": "none of these"}}, "separation.engine"),
        ({"unset": ["mastering.target_lufs"]}, "was not set"),
        ({"set": [1]}, "set"),
        ({"other": 1}, "other"),
    ],
)
def test_what_cannot_be_wanted_is_told_in_one_line_and_changes_nothing(
    client: TestClient, track: str, asked: dict[str, object], told: str
) -> None:
    before = values(client, track)
    status, answer = change(client, track, **asked)
    assert status == 422
    assert told in str(answer["detail"])
    assert values(client, track) == before


def test_another_track_of_the_library_is_taken_as_reference_by_its_key_alone(
    client: TestClient, opened: Opened, track: str
) -> None:
    other = upload(client, wav(60), "Towards.wav")["track"]
    status, changed = change(client, track, reference_track=other, process=False)
    assert status == 200, changed
    assert values(client, track)["mastering.reference"] == values(client, track)["mixing.reference"]
    assert values(client, track)["mastering.reference"] == "Towards.wav"
    source = opened.storage.sources.find(other)
    briefs = opened.defs.resources["briefs"]  # type: ignore[index]
    assert source is not None and briefs.resolve(track, None).brief.mastering.reference == source.uri
    change(client, track, unset=["mastering.reference", "mixing.reference"], process=False)
    assert Path(source.uri).is_file()  # the other track's own
    assert change(client, track, reference_track=track)[0] == 422


def test_a_change_that_is_refused_with_its_run_changes_nothing(
    client: TestClient, opened: Opened, track: str
) -> None:
    before = values(client, track)
    job = client.post(f"/api/v1/tracks/{track}/process").json()
    run = opened.instance.get_run_by_id(job["job_id"])
    assert run is not None
    opened.instance.handle_new_event(_begun(run))
    with alive(opened.storage.database, "run", run.run_id, track):  # by a command, say
        status, answer = change(client, track, set={"mastering.target_lufs": -20})
    assert (status, "can't be stopped from here" in str(answer["detail"])) == (409, True)
    assert values(client, track) == before
    opened.instance.report_run_canceled(run)


def _begun(run: dg.DagsterRun) -> dg.EventLogEntry:
    event = DagsterEvent(DagsterEventType.RUN_START.value, job_name=run.job_name)
    return dg.EventLogEntry(None, logging.INFO, "", run.run_id, time.time(), None, run.job_name, event)


def test_a_brief_that_results_were_made_by_is_found_again_and_restored(
    client: TestClient, opened: Opened, track: str
) -> None:
    before = values(client, track)
    first = client.get(f"/api/v1/tracks/{track}/brief/earlier").json()["briefs"]
    (current,) = [one for one in first if one["current"]]
    assert current["differs"] == {}
    change(client, track, set={"mastering.target_lufs": -20}, process=False)
    master_again(opened, track)
    told = client.get(f"/api/v1/tracks/{track}/brief/earlier").json()["briefs"]
    then = next(one for one in told if one["key"] == current["key"])
    assert not then["current"]
    assert then["differs"]["mastering.target_lufs"] == [-14.0, -20.0]
    masters = [
        version
        for version in client.get(f"/api/v1/tracks/{track}").json()["versions"]
        if version["group"] == "master"
    ]
    assert [version["current"] for version in masters] == [True, False]
    assert {version["settings"]["target_lufs"] for version in masters} == {-20.0, -14.0}
    heard = client.get(masters[1]["url"], headers={"Range": "bytes=0-3"})
    assert (heard.status_code, heard.content) == (206, b"RIFF")
    assert opened.version_recording(track, masters[1]["id"]).frames > 0
    answer = client.post(f"/api/v1/tracks/{track}/brief/earlier/{current['key']}")
    assert answer.status_code == 202
    assert values(client, track) == before
    master_again(opened, track)
    restored = client.get(f"/api/v1/tracks/{track}").json()["versions"]
    assert next(one for one in restored if one["id"] == "master")["settings"]["target_lufs"] == -14


def test_no_earlier_brief_is_made_up(client: TestClient, track: str) -> None:
    assert client.post(f"/api/v1/tracks/{track}/brief/earlier/0123456789abcdef").status_code == 404
    assert client.post(f"/api/v1/tracks/{track}/brief/earlier/../../x").status_code in (404, 405)


def test_the_schema_tells_ranges_and_what_only_the_server_sets(client: TestClient) -> None:
    schema = client.get("/api/v1/brief/schema").json()
    mastering = schema["$defs"]["MasteringBrief"]["properties"]
    assert (mastering["target_lufs"]["minimum"], mastering["target_lufs"]["maximum"]) == (-36, -6)
    assert mastering["reference"]["readOnly"] is True
    assert "readOnly" not in mastering["target_lufs"]
    assert json.dumps(schema)
