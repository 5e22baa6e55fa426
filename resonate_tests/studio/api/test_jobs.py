"""Jobs: a file comes, waits, is stopped and asked for again; what can't be used leaves nothing."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from starlette.testclient import TestClient

from resonate_resources.ingestion.intake import identify
from resonate_resources.ingestion.track_key import content_of
from resonate_resources.storage.taken_in import claim
from resonate_studio.api.app import create_app
from resonate_studio.api.launching import repository_of
from resonate_studio.api.opened import Opened
from resonate_studio.api.uploads import safe_name
from resonate_studio.registering import register
from resonate_tests.studio.api.conftest import ADDRESS, upload, wav


def files_of(opened: Opened) -> set[Path]:
    walked = os.walk(opened.settings.uploads)
    return {Path(folder, name) for folder, _, names in walked for name in names}


def test_an_uploaded_file_is_a_track_whose_run_waits_in_the_queue_of_the_instance(
    client: TestClient, opened: Opened
) -> None:
    accepted = upload(client, wav(10), "Räuber - Lied.wav")
    job = client.get(accepted["status_url"]).json()
    assert (job["status"], job["progress"], job["title"]) == ("queued", 0.0, "Lied")
    assert job["place"] >= 1
    run = opened.instance.get_run_by_id(accepted["job_id"])
    assert run is not None and run.remote_job_origin is not None
    assert run.tags["dagster/partition"] == accepted["track"]
    assert (
        run.remote_job_origin.location_name
        == repository_of(opened.instance).code_location_origin.location_name
    )
    source = opened.storage.sources.find(accepted["track"])
    assert source is not None and Path(source.uri).read_bytes() == wav(10)


def test_the_same_content_again_is_the_same_track_and_is_kept_once(
    client: TestClient, opened: Opened
) -> None:
    first = upload(client, wav(11), "one.wav")
    before = files_of(opened)
    second = upload(client, wav(11), "other.wav")
    assert (second["track"], second["job_id"]) == (first["track"], first["job_id"])
    assert files_of(opened) == before


def test_a_brief_and_a_reference_that_come_along_are_what_is_wanted(
    client: TestClient, opened: Opened
) -> None:
    answer = client.post(
        "/api/v1/jobs",
        files={"file": ("song.wav", wav(12)), "reference_track": ("like this.wav", wav(13))},
        data={"brief": json.dumps({"mastering": {"target_lufs": -9}}), "prompt": "slow and dark"},
    )
    track = answer.json()["track"]
    values = {one["name"]: one for one in client.get(f"/api/v1/tracks/{track}/brief").json()["values"]}
    assert values["mastering.target_lufs"]["value"] == -9
    assert values["profile.hints"]["value"] == "slow and dark"
    assert values["mastering.reference"]["value"] == values["mixing.reference"]["value"] == "like this.wav"
    briefs = opened.defs.resources["briefs"]  # type: ignore[index]
    place = briefs.resolve(track, None).brief.mastering.reference
    assert Path(place).read_bytes() == wav(13)


@pytest.mark.parametrize(
    ("files", "fields", "status", "told"),
    [
        ({}, {}, 415, "multipart"),
        ({}, {"prompt": "  "}, 422, "give a file"),
        ({}, {"prompt": "house", "composition": "{"}, 422, "composition: is no JSON"),
        ({}, {"prompt": "house", "composition": "[]"}, 422, "composition: is no object"),
        ({}, {"prompt": "house", "composition": '{"loud": 1}'}, 422, "loud: there is no such field"),
        ({}, {"prompt": "house", "composition": '{"asked": {"key": "H sharp"}}'}, 422, "is no key"),
        ({}, {"prompt": "x" * 10_001}, 422, "at most 10000 characters"),
        ({"file": ("x.wav", wav(15))}, {"composition": "{}"}, 422, "a file is there already"),
        ({"reference_track": ("r.wav", wav(14))}, {}, 422, "a reference alone"),
        ({"file": ("x.wav", b"no music at all" * 100)}, {}, 422, "x.wav: is not audio"),
        ({"file": ("x.wav", b"")}, {}, 422, "x.wav"),
        ({"file": ("x.wav", wav(15)), "reference_track": ("r.wav", b"nothing")}, {}, 422, "r.wav"),
        ({"file": ("x.wav", wav(15))}, {"brief": "{"}, 422, "no JSON"),
        ({"file": ("x.wav", wav(15))}, {"brief": "[1]"}, 422, "sections"),
        ({"file": ("x.wav", wav(15))}, {"brief": '{"mastering": {"loud": 1}}'}, 422, "no such setting"),
        (
            {"file": ("x.wav", wav(15))},
            {"brief": '{"mastering": {"reference": "/etc/passwd"}}'},
            422,
            "place",
        ),
        ({"file": ("x.wav", wav(15))}, {"other": "1"}, 422, "not known"),
        ({"file": ("x.wav", wav(15))}, {"brief": '{"": {"": 1}}'}, 422, "has no name"),
        ({"file": ("x.wav", wav(15))}, {"brief": '{"profile": {"hints": "\\ud800"}}'}, 422, "no Unicode"),
        ({"file": ("x.wav", wav(15))}, {"brief": '{"\\ud800": {"a": 1}}'}, 422, "no Unicode"),
        ({"file": ("x.wav", wav(15))}, {"brief": '{"mastering": {"target_lufs": 1e999}}'}, 422, "not finite"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line_and_leaves_nothing(
    client: TestClient,
    opened: Opened,
    files: dict[str, tuple[str, bytes]],
    fields: dict[str, str],
    status: int,
    told: str,
) -> None:
    before = files_of(opened), len(opened.instance.get_dynamic_partitions("tracks"))
    answer = client.post(
        "/api/v1/jobs", files=files or None, data=fields if files else None, **_alone(files, fields)
    )
    assert answer.status_code == status, answer.text
    assert told in answer.json()["detail"]
    assert "\n" not in answer.json()["detail"]
    assert str(opened.settings.home) not in answer.text
    assert (files_of(opened), len(opened.instance.get_dynamic_partitions("tracks"))) == before


def _alone(files: object, fields: dict[str, str]) -> dict[str, object]:
    """A form without any file, which the client would not send as multipart by itself."""
    if files or not fields:
        return {}
    body = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    return {"content": f"{body}--b--\r\n", "headers": {"content-type": "multipart/form-data; boundary=b"}}


def test_a_job_that_waits_can_be_cancelled_once_and_then_be_asked_for_again(client: TestClient) -> None:
    job = upload(client, wav(16))
    url = job["status_url"]
    assert client.post(f"{url}/retry").status_code == 409
    cancelled = client.post(f"{url}/cancel").json()
    assert (cancelled["status"], cancelled["ended_at"] is not None) == ("cancelled", True)
    assert client.post(f"{url}/cancel").status_code == 409
    again = client.post(f"{url}/retry")
    assert again.status_code == 202
    assert again.headers["location"] == again.json()["status_url"] != url
    assert client.get(again.json()["status_url"]).json()["status"] == "queued"


def test_a_run_that_failed_tells_why_and_how_far_it_came(client: TestClient, opened: Opened) -> None:
    job = upload(client, wav(17))
    run = opened.instance.get_run_by_id(job["job_id"])
    assert run is not None
    opened.instance.report_run_failed(run, "the disk in /var/lib/resonate is full")
    told = client.get(job["status_url"]).json()
    assert (told["status"], told["reason"]) == ("failed", "the disk in resonate is full")
    listed = client.get("/api/v1/tracks", params={"search": job["track"]}).json()["tracks"][0]
    assert (listed["state"], listed["reason"]) == ("failed", "the disk in resonate is full")


def test_a_done_job_lists_its_results_and_each_of_them_can_be_fetched(client: TestClient, track: str) -> None:
    jobs = client.get("/api/v1/jobs").json()["jobs"]
    done = next(job for job in jobs if job["track"] == track and job["status"] == "completed")
    assert done["progress"] == 1.0
    assert {"master.wav", "master.flac", "master.mp3"} <= {each["name"] for each in done["results"]}
    for each in done["results"]:
        answer = client.get(each["url"], headers={"Range": "bytes=0-0"})
        assert answer.status_code == 206, each
        assert answer.headers["content-range"] == f"bytes 0-0/{each['size']}"
        assert answer.headers["content-type"].split(";")[0] == each["media_type"]


def test_active_jobs_are_those_that_are_not_over(client: TestClient) -> None:
    waiting, over = upload(client, wav(18)), upload(client, wav(19))
    client.post(f"{over['status_url']}/cancel")
    active = [job["job_id"] for job in client.get("/api/v1/jobs", params={"active": True}).json()["jobs"]]
    assert waiting["job_id"] in active
    assert over["job_id"] not in active


def test_two_uploads_at_once_are_two_tracks(address: str) -> None:
    def send(seed: int) -> requests.Response:
        return requests.post(f"{address}/api/v1/jobs", files={"file": ("s.wav", wav(seed))}, timeout=30)

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(send, (20, 21)))
    assert [answer.status_code for answer in answers] == [202, 202]
    assert len({answer.json()["track"] for answer in answers}) == 2


def test_the_same_content_sent_by_four_at_once_is_one_track_and_one_job_and_is_kept_once(
    address: str, opened: Opened
) -> None:
    before = files_of(opened)

    def send(name: str) -> requests.Response:
        return requests.post(f"{address}/api/v1/jobs", files={"file": (f"{name}.wav", wav(25))}, timeout=30)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, ("Ann - One", "Ben - Two", "Cat - Three", "Dan - Four")))
    assert [answer.status_code for answer in answers] == [202] * 4
    assert len({(answer.json()["track"], answer.json()["job_id"]) for answer in answers}) == 1
    assert len(files_of(opened) - before) == 1


def test_content_that_another_process_enters_at_this_moment_gets_the_key_that_was_first(
    opened: Opened, tmp_path: Path
) -> None:
    (tmp_path / "Late - Name.wav").write_bytes(wav(26))
    late = identify(tmp_path / "Late - Name.wav", str(tmp_path / "Late - Name.wav"))
    # The other has entered it, and is about to tell Dagster of it.
    first = f"early-{content_of(late.track)}"
    assert claim(opened.storage.database, content_of(late.track), first) == first
    assert register(opened.storage, opened.instance, late).track == first


def test_a_reference_goes_with_the_last_brief_that_names_it_and_at_the_latest_with_its_track(
    client: TestClient, opened: Opened
) -> None:
    before = files_of(opened)

    def send(reference: int) -> str:
        files = {"file": ("song.wav", wav(27)), "reference_track": ("song.wav", wav(reference))}
        answer = client.post("/api/v1/jobs", files=files)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["track"])

    track = send(28)
    assert {path.read_bytes() for path in files_of(opened) - before} == {wav(27), wav(28)}
    assert send(29) == track
    assert {path.read_bytes() for path in files_of(opened) - before} == {wav(27), wav(29)}
    assert client.delete(f"/api/v1/tracks/{track}").status_code == 204
    assert files_of(opened) == before


def test_uploads_of_which_nothing_more_comes_give_their_places_to_others(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resonate_studio.api.uploads._CHUNK_SECONDS", 1.0)
    host, port = address.removeprefix("http://").split(":")
    head = (
        f"POST /api/v1/jobs HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 1000000\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
    ).encode() + bytes(80)
    stalled = [socket.create_connection((host, int(port)), timeout=20) for _ in range(4)]
    try:
        for connection in stalled:
            connection.sendall(head)
        time.sleep(0.3)
        refused = requests.post(f"{address}/api/v1/jobs", files={"file": ("s.wav", wav(30))}, timeout=30)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
        for connection in stalled:
            assert connection.recv(100).startswith(b"HTTP/1.1 408 ")
        sent = requests.post(f"{address}/api/v1/jobs", files={"file": ("s.wav", wav(30))}, timeout=30)
        assert sent.status_code == 202
    finally:
        for connection in stalled:
            connection.close()


def form(*parts: str, name: str = "song.wav", seed: int = 31) -> bytes:
    """A form of RFC 2046 with a file; parts: what stands before its first boundary."""
    head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return "".join(parts).encode() + head.encode() + wav(seed) + b"\r\n--b--\r\n"


def test_what_stands_before_the_first_boundary_of_a_form_is_passed_over(client: TestClient) -> None:
    headers = {"content-type": "multipart/form-data; boundary=b"}
    told = "This is a message in several parts.\r\nWhat reads it knows.\r\n"
    answer = client.post("/api/v1/jobs", content=form(told), headers=headers)
    assert answer.status_code == 202, answer.text
    endless = client.post("/api/v1/jobs", content=b"x" * 200_000, headers=headers)
    assert (endless.status_code, "boundary" in endless.json()["detail"]) == (400, True)


def test_a_file_name_that_no_header_holds_is_told_as_that(client: TestClient) -> None:
    headers = {"content-type": "multipart/form-data; boundary=b"}
    for length in (5_000, 9_000, 3_000_000):
        answer = client.post("/api/v1/jobs", content=form(name="n" * length + ".wav"), headers=headers)
        if length < 8_000:
            assert answer.status_code == 202
        else:
            assert answer.status_code == 422
            assert "header that is too long" in answer.json()["detail"]


def test_half_an_upload_leaves_nothing(address: str, opened: Opened) -> None:
    before = files_of(opened)
    host, port = address.removeprefix("http://").split(":")
    head = (
        f"POST /api/v1/jobs HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 9000000\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="file"; filename="half.wav"\r\n\r\n'
    ).encode()
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head + bytes(3_000_000))
        _until(lambda: any(path.name == "half.wav" for path in files_of(opened) - before))
    _until(lambda: files_of(opened) == before)


def test_an_upload_that_is_too_large_is_refused_before_and_while_it_comes(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESONATE_UPLOAD_BYTES", "50000")
    before = files_of(opened)
    with TestClient(create_app(opened), base_url=ADDRESS) as client:
        told = client.post("/api/v1/jobs", files={"file": ("long.wav", wav(22))})
        form = {"content-type": "multipart/form-data; boundary=b"}
        head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="l.wav"\r\n\r\n'
        untold = client.post("/api/v1/jobs", content=iter([head, *[bytes(10_000)] * 6]), headers=form)
    assert [answer.status_code for answer in (told, untold)] == [413, 413]
    assert files_of(opened) == before


def test_a_limit_that_is_no_number_of_bytes_is_told_at_the_start(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESONATE_UPLOAD_BYTES", "4 GB")
    with pytest.raises(ValueError, match="RESONATE_UPLOAD_BYTES: '4 GB' is no number of bytes"):
        create_app(opened)


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("../../etc/passwd.wav", "passwd.wav"),
        ("C:\\music\\song.mp3", "song.mp3"),
        (".hidden.wav", "hidden.wav"),
        ("a\x00b\n.wav", "ab.wav"),
        ("..", "upload"),
        ("", "upload"),
        (".wav", "wav"),
        ("ö" * 300 + ".flac", "ö" * 90 + ".flac"),
    ],
)
def test_a_name_that_a_client_tells_is_only_ever_a_name(told: str, kept: str) -> None:
    assert safe_name(told) == kept


def test_a_server_that_was_ended_and_begun_again_knows_its_jobs_and_tells_listeners_what_there_is(
    opened: Opened,
) -> None:
    with TestClient(create_app(opened), base_url=ADDRESS) as first:
        job = upload(first, wav(23))
    with TestClient(create_app(opened), base_url=ADDRESS) as second:
        assert second.get(job["status_url"]).json()["status"] == "queued"
        second.post(f"{job['status_url']}/cancel")
        # A listener of the server that was: its last id is of another.
        events = second.get(f"{job['status_url']}/events", headers={"Last-Event-ID": "01234567-3"}).text
    assert "event: job\n" in events
    assert '"status":"cancelled"' in events


def test_listeners_hear_of_a_job_until_it_is_over_and_of_what_they_missed(address: str) -> None:
    heard: list[tuple[str, str]] = []
    ready = threading.Event()

    def listen(last: str | None, enough: int) -> None:
        headers = {"Last-Event-ID": last} if last else {}
        with requests.get(f"{address}/api/v1/events", headers=headers, stream=True, timeout=20) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            number = ""
            for line in answer.iter_lines(decode_unicode=True):
                ready.set()
                name, _, value = line.partition(": ")
                number = value if name == "id" else number
                if name == "data":
                    heard.append((number, value))
                    if sum("cancelled" in told for _, told in heard) >= enough:
                        return

    listener = threading.Thread(target=listen, args=(None, 1), daemon=True)
    listener.start()
    assert ready.wait(10)
    accepted = requests.post(f"{address}/api/v1/jobs", files={"file": ("s.wav", wav(24))}, timeout=30).json()
    _until(lambda: any(accepted["job_id"] in told and "queued" in told for _, told in heard))
    place = heard[-1][0]
    requests.post(f"{address}{accepted['status_url']}/cancel", timeout=30)
    listener.join(10)
    assert not listener.is_alive()
    assert any(accepted["job_id"] in told and "cancelled" in told for _, told in heard)
    before = len(heard)
    listen(
        place, sum("cancelled" in told for _, told in heard) + 1
    )  # what came after that place is told again
    assert any(accepted["job_id"] in told and "cancelled" in told for _, told in heard[before:])


def _until(holds: object, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.02)
