"""Files: by range, by archive, in other formats; and what the home keeps besides."""

from __future__ import annotations

import io
import socket
import time
import zipfile

import numpy as np
import pyarrow.parquet as pq
import pytest
import requests
import soundfile as sf
from starlette.testclient import TestClient

from resonate_resources.recordings.recording import Recording
from resonate_resources.storage.sources import Rejection
from resonate_studio.api.opened import Opened
from resonate_tests.studio.api.conftest import RATE


def test_a_file_comes_whole_or_by_range_under_a_name_for_people(
    client: TestClient, track: str, opened: Opened
) -> None:
    master = opened.storage.artefacts.current("master", track)
    assert master is not None
    content = master.path("master.wav").read_bytes()
    url = f"/api/v1/tracks/{track}/files/master/master.wav"
    whole = client.get(url)
    assert whole.content == content
    name = "%C3%9Cnder%20-%20S%C3%B6nne%20%28Master%29.wav"
    assert whole.headers["content-disposition"] == f"attachment; filename*=utf-8''{name}"
    assert whole.headers["content-type"] == "audio/wav"
    part = client.get(url, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, content[100:200])
    end = client.get(url, headers={"Range": "bytes=-10", "If-Range": whole.headers["etag"]})
    assert (end.status_code, end.content) == (206, content[-10:])
    changed = client.get(url, headers={"Range": "bytes=-10", "If-Range": '"other"'})
    assert (changed.status_code, changed.content) == (200, content)
    beyond = client.get(url, headers={"Range": f"bytes={len(content)}-"})
    assert beyond.status_code == 416
    assert (
        "inline"
        in client.get(f"/api/v1/tracks/{track}/files/master/picture.png").headers["content-disposition"]
    )


def test_notes_on_the_grid_are_taken_away_by_a_name_of_their_own(
    client: TestClient, track: str, opened: Opened
) -> None:
    midi = opened.storage.artefacts.current("midi", track)
    assert midi is not None
    stages = {stage["stage"]: stage for stage in client.get(f"/api/v1/tracks/{track}").json()["stages"]}
    urls = {result["name"]: result["url"] for result in stages["midi"]["results"]}
    played, quantised = (client.get(urls[name]) for name in ("bass.mid", "quantised/bass.mid"))
    assert quantised.content == midi.path("quantised/bass.mid").read_bytes()
    assert played.content == midi.path("bass.mid").read_bytes()
    assert quantised.headers["content-disposition"].endswith("%28Bass%2C%20quantised%29.mid")


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/passwd",
        "..%2f..%2fmanifest.json",
        "manifest.json",
        "%2fetc%2fpasswd",
        "quantised/../manifest.json",
    ],
)
def test_no_name_leads_to_a_file_that_is_no_result(client: TestClient, track: str, name: str) -> None:
    assert client.get(f"/api/v1/tracks/{track}/files/master/{name}").status_code == 404


def test_a_file_that_somebody_wrote_to_is_not_given_as_what_was_made(
    client: TestClient, track: str, opened: Opened
) -> None:
    stems = opened.storage.artefacts.current("regenerated_stems", track)
    assert stems is not None
    path = stems.path("other.wav")
    whole = path.read_bytes()
    try:
        path.write_bytes(whole[:-4])
        answer = client.get(f"/api/v1/tracks/{track}/files/regenerated_stems/other.wav")
        assert answer.status_code == 409
        assert str(opened.settings.home) not in answer.text
    finally:
        path.write_bytes(whole)


def test_an_archive_holds_what_was_asked_for_by_names_for_people(
    client: TestClient, track: str, original: Recording
) -> None:
    answer = client.get(
        f"/api/v1/tracks/{track}/archive", params={"what": "original,stems,midi", "format": "wav", "bits": 32}
    )
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        stems = [name for name in names if name.startswith("stems/")]
        assert "Ünder - Sönne (Original).wav" in names
        assert sorted(stems) == [
            f"stems/Ünder - Sönne ({stem}, unrestored).wav" for stem in ("Bass", "Drums", "Other", "Vocals")
        ]
        notes = [name for name in names if name.startswith("midi/")]
        assert sorted(notes) == sorted(
            f"midi/Ünder - Sönne ({stem}{grid}).mid"
            for stem in ("Bass", "Drums", "Other", "Vocals")
            for grid in ("", ", quantised")
        )
        summed = sum(sf.read(io.BytesIO(archive.read(name)), dtype="float32")[0] for name in stems)
        assert all(info.compress_type == zipfile.ZIP_STORED for info in archive.infolist())
    parted = client.get(
        f"/api/v1/tracks/{track}/archive", params={"what": "restored_track", "format": "wav", "bits": 32}
    )
    with zipfile.ZipFile(io.BytesIO(parted.content)) as restored:
        (name,) = restored.namelist()
        whole, _ = sf.read(io.BytesIO(restored.read(name)))
    assert np.abs(summed - whole).max() < 1e-3  # separation's exact_sum: 60 dB below the track
    rebuilt = client.get(f"/api/v1/tracks/{track}/archive", params={"what": "regenerated_stems"})
    with zipfile.ZipFile(io.BytesIO(rebuilt.content)) as archive:
        assert sorted(archive.namelist()) == [
            f"Ünder - Sönne ({part}, played anew).wav" for part in ("Bass", "Drums", "Mix", "Other", "Vocals")
        ]


@pytest.mark.parametrize(
    ("asked", "rate", "subtype"),
    [
        ({"format": "wav", "bits": 16}, RATE, "PCM_16"),
        ({"format": "flac", "bits": 24, "rate": 48000}, 48_000, "PCM_24"),
        ({"format": "mp3"}, RATE, "MPEG_LAYER_III"),
        ({"format": "opus"}, 48_000, "OPUS"),
    ],
)
def test_an_archive_is_in_the_format_that_was_asked_for(
    client: TestClient, track: str, original: Recording, asked: dict[str, str], rate: int, subtype: str
) -> None:
    answer = client.get(f"/api/v1/tracks/{track}/archive", params={"what": "original", **asked})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        (name,) = archive.namelist()
        info = sf.info(io.BytesIO(archive.read(name)))
    assert (info.samplerate, info.subtype) == (rate, subtype)
    assert info.duration == pytest.approx(original.duration, abs=0.05)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"what": "everything"}, 422),
        ({"what": "master,../x"}, 422),
        ({"bits": 12}, 422),
        ({"rate": 1}, 422),
        ({"format": "exe"}, 422),
    ],
)
def test_an_archive_of_what_there_is_not_is_refused(
    client: TestClient, track: str, asked: dict[str, str], status: int
) -> None:
    answer = client.get(f"/api/v1/tracks/{track}/archive", params=asked)
    assert answer.status_code == status
    assert list(answer.json()) == ["detail"]


def test_archives_that_nobody_reads_keep_nobody_from_covers_files_or_archives_of_others(
    address: str, track: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resonate_studio.api.access._TAKES_SECONDS", 2.0)
    host, port = address.removeprefix("http://").split(":")
    path = f"/api/v1/tracks/{track}/archive?what=original,mix,master,stems,restored_stems"

    def unread(client: str) -> socket.socket:
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(20)
        connection.bind((client, 0))
        connection.connect((host, int(port)))
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        return connection

    unreading = [unread("127.0.0.2") for _ in range(3)]
    try:
        for connection in unreading:
            assert connection.recv(12) == b"HTTP/1.1 200"
        one_more = unread("127.0.0.2")
        unreading.append(one_more)
        assert one_more.recv(12) == b"HTTP/1.1 429"  # at once, and no headers of an archive
        for other in (
            path,
            f"/api/v1/tracks/{track}/cover",
            f"/api/v1/tracks/{track}/files/master/master.wav",
        ):
            assert requests.get(f"{address}{other}", timeout=20).status_code == 200
        end = time.monotonic() + 20
        while True:  # those that took nothing are dropped, and others have their places
            again = unread("127.0.0.2")
            unreading.append(again)
            if (told := again.recv(12)) == b"HTTP/1.1 200":
                break
            assert (told, time.monotonic() < end) == (b"HTTP/1.1 429", True)
            time.sleep(0.2)
    finally:
        for connection in unreading:
            connection.close()


def test_the_catalogue_is_a_parquet_file_that_names_files_and_no_folders(
    client: TestClient, track: str
) -> None:
    rows = pq.read_table(io.BytesIO(client.get("/api/v1/catalogue").content)).to_pylist()
    mine = next(row for row in rows if row["track"] == track)
    assert mine["source"] == "song.flac"


def test_rejected_files_are_told_by_name_and_reason(client: TestClient, opened: Opened) -> None:
    uri = "/somewhere/else/b\udcffd.wav"  # a name that is not UTF-8
    opened.storage.sources.reject(
        Rejection(uri, "/somewhere/else/b\udcffd.wav: is not audio; give a music file")
    )
    try:
        (told,) = client.get("/api/v1/rejections").json()["files"]
    finally:
        opened.storage.sources.accept(None, uri)
    assert (told["name"], told["reason"]) == ("b\ufffdd.wav", "b\ufffdd.wav: is not audio; give a music file")


def test_the_cache_is_told_by_stage_and_what_counts_is_never_cleared(client: TestClient, track: str) -> None:
    before = client.get("/api/v1/cache").json()
    assert before["current_bytes"] == sum(row["current_bytes"] for row in before["rows"]) > 0
    answer = client.post("/api/v1/cache/clear", json={"older_than_days": 3650})
    assert answer.json()["results"] == 0
    assert client.get("/api/v1/cache").json()["current_bytes"] == before["current_bytes"]
    assert client.get(f"/api/v1/tracks/{track}").json()["missing_stages"] == []


def test_health_tells_whether_anybody_carries_out_runs(client: TestClient) -> None:
    told = client.get("/api/v1/health").json()
    assert told["runs"] is False  # no daemon was ever started on this home
    assert (told["inbox"], told["read_only"]) == ("inbox", False)
