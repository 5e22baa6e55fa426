"""Tracks: the list, and all that is known of one."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image
from starlette.testclient import TestClient

from resonate_assets.jobs import STAGES
from resonate_assets.targets import ON_REQUEST
from resonate_resources.recordings.recording import Recording
from resonate_resources.storage.heartbeats import alive
from resonate_studio.api import library
from resonate_studio.api.opened import Opened
from resonate_studio.api.serving import Serving
from resonate_studio.hearing.light_store import LightStore
from resonate_studio.removing import Removal
from resonate_tests.studio.api.conftest import SECONDS, upload, wav


def test_the_list_finds_a_track_by_words_of_its_title_and_artist_in_any_order(
    client: TestClient, track: str
) -> None:
    for search, found in (("sönne ÜNDER", 1), ("sönne other", 0), (track, 1), ("nobody", 0)):
        listed = client.get("/api/v1/tracks", params={"search": search}).json()
        assert listed["total"] == found, search
        assert [one["track"] for one in listed["tracks"]] == [track] * found
    listed = client.get("/api/v1/tracks", params={"search": track}).json()["tracks"][0]
    assert (listed["title"], listed["artist"]) == ("Sönne", "Ünder")
    assert listed["state"] == ("done" if listed["accepted"] else "not accepted")
    assert listed["duration_s"] == pytest.approx(SECONDS, abs=0.001)


def test_what_is_not_known_stands_last_whichever_way_a_list_is_sorted(client: TestClient, track: str) -> None:
    waiting = upload(client, wav(50))["track"]
    for descending in (False, True):
        asked = {"sort": "score", "descending": descending, "limit": 500}
        names = [one["track"] for one in client.get("/api/v1/tracks", params=asked).json()["tracks"]]
        assert names.index(track) < names.index(waiting)


def test_a_page_of_the_list_goes_on_where_the_one_before_it_ended(client: TestClient) -> None:
    for seed in (51, 52):
        upload(client, wav(seed))
    whole = client.get("/api/v1/tracks", params={"sort": "added"}).json()
    pages = [
        client.get("/api/v1/tracks", params={"sort": "added", "offset": offset, "limit": 1}).json()["tracks"]
        for offset in range(whole["total"])
    ]
    assert [one["track"] for page in pages for one in page] == [one["track"] for one in whole["tracks"]]
    assert sum(whole["states"].values()) == whole["total"]


def test_of_a_large_library_what_happens_is_listed_before_listeners_hear_of_it_and_own_changes_at_once(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "_LARGE", 0)
    monkeypatch.setattr(library, "_LOOK_SECONDS", 3600.0)  # nobody looks but who tells of it
    serving: Serving = client.app.state.serving  # type: ignore[attr-defined]
    before = client.get("/api/v1/tracks").json()["total"]
    serving.events.look()
    come = upload(client, wav(55))["track"]
    assert client.get("/api/v1/tracks").json()["total"] == before
    serving.events.look()
    listed = client.get("/api/v1/tracks", params={"search": come}).json()
    assert [one["state"] for one in listed["tracks"]] == ["queued"]
    client.delete(f"/api/v1/tracks/{come}")
    assert client.get("/api/v1/tracks").json()["total"] == before


def test_the_list_can_be_narrowed_to_a_state(client: TestClient, track: str) -> None:
    whole = client.get("/api/v1/tracks", params={"limit": 500}).json()["tracks"]
    mine = next(one["state"] for one in whole if one["track"] == track)
    narrowed = client.get("/api/v1/tracks", params={"state": mine}).json()["tracks"]
    assert [one["track"] for one in narrowed] == [one["track"] for one in whole if one["state"] == mine]
    assert track in [one["track"] for one in narrowed]


def test_a_track_is_told_with_every_stage_and_everything_that_can_be_heard(
    client: TestClient, track: str, original: Recording
) -> None:
    told = client.get(f"/api/v1/tracks/{track}").json()
    assert [stage["stage"] for stage in told["stages"]] == [
        stage for stage in STAGES if stage not in ON_REQUEST
    ]
    assert told["missing_stages"] == []
    versions = {version["id"]: version for version in told["versions"] if version["current"]}
    stems = ["vocals", "drums", "bass", "other"]
    groups = ("stems", "restored_stems", "regenerated_stems")
    # Its recording lies in noise.
    expected = {
        "original",
        "restored_track",
        "mix",
        "master",
        *(f"{group}:{stem}" for group in groups for stem in stems),
        "regenerated_stems:rebuilt",  # their sum
    }
    assert set(versions) == expected
    assert versions["original"]["duration_s"] == pytest.approx(original.duration)
    assert versions["master"]["loudness_lufs"] == pytest.approx(-14.0, abs=3.5)  # peaks may hold it back by 3
    played_anew = {f"regenerated_stems:{stem}" for stem in (*stems, "rebuilt")}
    assert versions["regenerated_stems:rebuilt"]["stem"] is None
    assert {name for name, version in versions.items() if version["generated"]} == played_anew
    assert told["summary"]["generated"] is False  # neither the mix nor the master has any of them
    assert len(told["quality"]["dimensions"]) == 16
    assert told["music"]["key"] == "A minor"  # 220, 261.63 and 329.63 Hz are A, C and E
    assert told["source"] == "song.flac"
    assert told["dagster_url"].startswith("http://127.0.0.1:3000/")


def test_a_restored_recording_stands_beside_the_original_with_its_own_bandwidth(
    client: TestClient, track: str, opened: Opened
) -> None:
    told = client.get(f"/api/v1/tracks/{track}").json()
    assert [one["id"] for one in told["versions"] if one["group"] == "original"] == [
        "original",
        "restored_track",
    ]
    traces = opened.storage.artefacts.current("restored_track", track).read_json("traces.json")  # type: ignore[union-attr]
    known = {one["id"]: one["bandwidth_hz"] for one in told["versions"]}
    assert known["restored_track"] == pytest.approx(traces["bandwidth_hz"], rel=1e-4)
    assert known["mix"] is None


def test_each_step_of_a_restoration_is_told_with_its_aim_before_and_after(
    client: TestClient, track: str
) -> None:
    stages = {stage["stage"]: stage for stage in client.get(f"/api/v1/tracks/{track}").json()["stages"]}
    assert {name for name, stage in stages.items() if stage["steps"] is not None} == {
        "restored_track",
        "restored_stems",
    }
    assert list(stages["restored_stems"]["steps"]) == ["vocals", "drums", "bass", "other"]
    steps = {step["step"]: step for step in stages["restored_track"]["steps"]["track"]}
    denoise = steps["denoise"]  # its recording lies in noise
    assert (denoise["subject"], denoise["nothing_found"]) == ("noise", False)
    assert denoise["kept"] == 1
    assert denoise["aim"]["name"] == "the noise between notes"
    assert denoise["aim"]["unit"] == "dBFS"
    assert denoise["aim"]["after"] <= denoise["aim"]["before"] - 1.0  # less is taken back
    assert steps["declip"]["nothing_found"] is True  # 0.45 at most, and never flat
    assert steps["declip"]["aim"] is None
    assert not any(note.startswith("Track, denoise") for note in stages["restored_track"]["notes"])


def test_nothing_that_is_told_holds_a_path_of_the_server(
    client: TestClient, track: str, opened: Opened
) -> None:
    home = str(opened.settings.home)
    for address in (
        f"tracks/{track}",
        "tracks",
        "jobs",
        f"tracks/{track}/brief",
        "rejections",
        "cache",
        "health",
    ):
        told = client.get(f"/api/v1/{address}").text
        assert home not in told
        assert not re.search(r'["( ]/(home|root|tmp|usr|var)/', told), address


def test_the_cover_of_a_file_is_shown_small_and_kept_by_the_browser(client: TestClient, track: str) -> None:
    told = client.get(f"/api/v1/tracks/{track}").json()["summary"]
    answer = client.get(told["cover_url"])
    with Image.open(io.BytesIO(answer.content)) as cover:
        assert (cover.format, cover.size) == ("JPEG", (384, 256))  # of 900 × 600
    again = client.get(told["cover_url"], headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


def test_what_is_not_there_is_told_in_one_line(client: TestClient, track: str) -> None:
    waiting = upload(client, wav(53))["track"]
    for address in (
        "tracks/nobody",
        "tracks/nobody/brief",
        "tracks/nobody/brief/earlier",
        "tracks/nobody/cover",
        f"tracks/{waiting}/cover",
        f"tracks/{waiting}/archive",
        f"tracks/{track}/files/master/nothing.wav",
        f"tracks/{track}/files/nothing/master.wav",
        f"tracks/{track}/files/master/master.wav?key=0123456789abcdef",
        "jobs/00000000-0000-4000-8000-000000000000",
        "jobs/00000000-0000-4000-8000-000000000000/events",
        "nothing",
    ):
        answer = client.get(f"/api/v1/{address}")
        assert answer.status_code == 404, address
        assert list(answer.json()) == ["detail"]
        assert "\n" not in answer.json()["detail"]


def test_a_removed_track_is_gone_with_its_upload_and_its_content_may_come_again(
    client: TestClient, opened: Opened
) -> None:
    content = wav(54)
    first = upload(client, content)
    source = opened.storage.sources.find(first["track"])
    assert source is not None
    assert client.delete(f"/api/v1/tracks/{first['track']}").status_code == 204
    assert client.get(f"/api/v1/tracks/{first['track']}").status_code == 404
    assert source.uri not in [str(path) for path in opened.settings.uploads.rglob("*")]
    assert client.get(f"/api/v1/jobs/{first['job_id']}").status_code == 404
    assert upload(client, content)["track"] == first["track"]


def test_a_track_is_not_found_any_more_once_its_removal_has_begun(client: TestClient, opened: Opened) -> None:
    track = upload(client, wav(56))["track"]
    address = f"/api/v1/tracks/{track}"
    assert client.get(address).status_code == 200
    with alive(opened.storage.database, "remove", track, track):  # as Removal does while it is at it
        answer = client.get(address)
        assert (answer.status_code, answer.json()) == (404, {"detail": "the track was removed"})
        assert client.post(f"{address}/process").status_code == 404
    assert client.get(address).status_code == 200


def test_a_track_that_another_process_removed_is_not_told_from_memory(
    client: TestClient, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "_LARGE", 0)
    monkeypatch.setattr(library, "_LOOK_SECONDS", 3600.0)
    track = upload(client, wav(57))["track"]
    client.app.state.serving.library.refresh()  # type: ignore[attr-defined]
    assert client.get(f"/api/v1/tracks/{track}").status_code == 200
    light = LightStore.of_home(opened.settings)
    Removal(opened.storage, opened.instance, track, light).carry_out()
    assert client.get(f"/api/v1/tracks/{track}").status_code == 404


def test_a_track_can_be_asked_for_again_and_that_is_one_job_while_it_waits(
    client: TestClient, track: str
) -> None:
    asked = [client.post(f"/api/v1/tracks/{track}/process") for _ in range(2)]
    assert [answer.status_code for answer in asked] == [202, 202]
    jobs = {answer.json()["job_id"] for answer in asked}
    assert len(jobs) == 1
    assert client.post(f"/api/v1/jobs/{jobs.pop()}/cancel").json()["status"] == "cancelled"
