"""Everything on S3: a song in the watched bucket becomes a master and exports in the library's bucket."""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import dagster as dg
import pytest
import soundfile as sf
from moto.server import ThreadedMotoServer

from resonate_assets.definitions import build_defs
from resonate_assets.jobs import STAGES
from resonate_assets.partitions import tracks
from resonate_assets.sensors import inbox_bucket
from resonate_assets.settings import Settings
from resonate_resources.storage.resource import S3Resource
from resonate_resources.storage.s3_store import S3Store
from resonate_tests.e2e.conftest import CLIP_SECONDS
from resonate_tests.peer_encoders import Floats
from resonate_tests.s3_policies import held_to

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

HOURS = 3600.0


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The address of an S3 server, with the credentials that boto3 wants to see in the environment."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_ACCESS_KEY_ID", "nobody")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def client(endpoint: str) -> S3Client:
    return boto3.client("s3", endpoint_url=endpoint)


@pytest.fixture
def bucket(client: S3Client) -> str:
    """A new, empty bucket."""
    name = f"resonate-{uuid.uuid4().hex[:8]}"
    client.create_bucket(Bucket=name)
    return name


def keys_in(client: S3Client, bucket: str, prefix: str) -> list[str]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [item["Key"] for page in pages for item in page.get("Contents", ())]


class Watch:
    """The bucket's sensor and the job, run as Dagster's daemon and a worker run them, with these' rights."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance) -> None:
        self.defs = build_defs(settings)
        self._instance = instance
        self._cursor: str | None = None

    def tick(self) -> list[str]:
        """One look; returns the tracks that runs are asked for, which are partitions from here on."""
        resources = {name: self.defs.resources[name] for name in ("storage", "inbox")}  # type: ignore[index]
        with (
            dg.build_sensor_context(self._instance, self._cursor, resources=resources) as context,
            held_to("daemon"),
        ):
            result = inbox_bucket(context)
        assert isinstance(result, dg.SensorResult)
        for request in result.dynamic_partitions_requests or ():
            assert isinstance(request, dg.AddDynamicPartitionsRequest)
            self._instance.add_dynamic_partitions(str(tracks.name), request.partition_keys)
        self._cursor = result.cursor
        return [str(request.partition_key) for request in result.run_requests or ()]

    def run(self, track: str) -> dg.ExecuteInProcessResult:
        job = self.defs.resolve_job_def("process_track")
        with held_to("worker"):
            return job.execute_in_process(instance=self._instance, partition_key=track)


def test_a_song_put_into_the_bucket_comes_out_mastered_and_exported_exactly_once(
    endpoint: str, client: S3Client, bucket: str, clips: list[Floats], tmp_path: Path
) -> None:
    song = BytesIO()
    sf.write(song, clips[0], 44100, format="FLAC")
    client.put_object(Bucket=bucket, Key="incoming/live/first take 🎸.flac", Body=song.getvalue())
    client.put_object(Bucket=bucket, Key="incoming/cover.jpg", Body=b"no music")
    wanted = b'[exports]\ntargets = ["ableton", "rekordbox", "mirrored"]\n'
    client.put_object(Bucket=bucket, Key="incoming/brief.toml", Body=wanted)
    settings = Settings(
        home=tmp_path / "home",
        storage=f"s3://{bucket}/library",
        inbox="",
        bucket=f"s3://{bucket}/incoming/",
        s3_endpoint=endpoint,
    )
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        watch = Watch(settings, instance)
        (track,) = watch.tick()
        assert watch.run(track).success
        assert watch.tick() == []

        # The same content written again, and under another name, is no new track.
        client.put_object(Bucket=bucket, Key="incoming/live/first take 🎸.flac", Body=song.getvalue())
        client.put_object(Bucket=bucket, Key="incoming/second name.flac", Body=song.getvalue())
        assert [watch.tick(), watch.tick()] == [[], []]

    for stage in STAGES:
        manifests = [
            key for key in keys_in(client, bucket, f"library/artefacts/{stage}/") if "manifest" in key
        ]
        assert f"library/artefacts/{stage}/{track}/manifest.json" in manifests
    exports = keys_in(client, bucket, "library/exports/")
    (master,) = [key for key in exports if key.endswith(" (Master).wav")]
    master_file = client.get_object(Bucket=bucket, Key=master)["Body"].read()
    assert sf.info(BytesIO(master_file)).duration == pytest.approx(CLIP_SECONDS, abs=1e-3)
    (told,) = [key for key in exports if key.endswith("/metadata.json")]
    facts = json.loads(client.get_object(Bucket=bucket, Key=told)["Body"].read())
    [live] = [key for key in exports if key.endswith(".als")]
    packed = client.get_object(Bucket=bucket, Key=live)["Body"].read()
    assert b"<LiveSet>" in gzip.decompress(packed)
    mirrored = keys_in(client, bucket, "library/mirrored/")
    assert {key.rpartition("_")[2] for key in mirrored} >= {"Vocals.wav", "Drums.wav", "Provenance.json"}
    # Programs that are told where files are find none in a bucket.
    assert not [key for key in exports if "rekordbox" in key]
    of_rekordbox = f"library/artefacts/rekordbox/{track}/manifest.json"
    [note] = json.loads(client.get_object(Bucket=bucket, Key=of_rekordbox)["Body"].read())["notes"]
    assert "`resonate export rekordbox` writes a folder" in note
    assert facts["source"] == f"s3://{bucket}/incoming/live/first take 🎸.flac"
    # The user's own object is as it was.
    kept = client.get_object(Bucket=bucket, Key="incoming/live/first take 🎸.flac")["Body"].read()
    assert kept == song.getvalue()


@pytest.fixture
def store(client: S3Client, bucket: str, tmp_path: Path) -> S3Store:
    """A store whose cache holds 2500 bytes."""
    return S3Store(client, bucket, "library", tmp_path / "cache", cache_bytes=2500)


def cached_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / "cache").rglob("*") if path.is_file())


def test_a_key_written_again_holds_the_new_bytes_and_a_file_fetched_before_keeps_the_old(
    store: S3Store,
) -> None:
    store.write("a/b", b"old")
    before = store.fetch("a/b")
    store.write("a/b", b"newer")
    assert store.read("a/b") == b"newer"
    assert store.size("a/b") == 5
    assert store.fetch("a/b").read_bytes() == b"newer"
    assert before.read_bytes() == b"old"


def test_a_missing_key_is_none_or_a_file_not_found_that_names_it(store: S3Store, bucket: str) -> None:
    assert store.read("nothing") is None
    assert store.size("nothing") is None
    assert list(store.entries("nothing")) == []
    store.delete("nothing")
    with pytest.raises(FileNotFoundError, match=rf"s3://{bucket}/library/nothing"):
        store.fetch("nothing")


def test_entries_are_those_below_a_prefix_and_not_its_namesakes(store: S3Store) -> None:
    for key in ("stems/a/x", "stems/a/y", "stems/ab/x"):
        store.write(key, key.encode())
    assert {(entry.key, entry.size) for entry in store.entries("stems/a")} == {
        ("stems/a/x", 9),
        ("stems/a/y", 9),
    }
    store.delete("stems/a")
    assert [entry.key for entry in store.entries("stems")] == ["stems/ab/x"]


def test_a_file_taken_in_is_in_the_bucket_and_is_not_downloaded_again(
    store: S3Store, client: S3Client, bucket: str, tmp_path: Path
) -> None:
    file = tmp_path / "stem.wav"
    file.write_bytes(b"samples")
    store.adopt(file, "stems/vocals.wav")
    assert not file.exists()
    assert client.get_object(Bucket=bucket, Key="library/stems/vocals.wav")["Body"].read() == b"samples"
    inode = next((tmp_path / "cache").rglob("*vocals.wav")).stat().st_ino
    fetched = store.fetch("stems/vocals.wav")
    assert fetched.read_bytes() == b"samples"
    assert fetched.stat().st_ino == inode


def test_the_cache_forgets_what_was_used_longest_ago_and_stays_within_its_bound(
    store: S3Store, tmp_path: Path
) -> None:
    for number in range(6):
        store.write(f"files/{number}", bytes(1000))
        file = store.fetch(f"files/{number}")
        long_ago = time.time() - 2 * HOURS + number
        os.utime(file, (long_ago, long_ago))
        assert cached_bytes(tmp_path) <= 2500 + 1000  # the last came in a moment ago
    kept = {path.name[-1] for path in (tmp_path / "cache").rglob("*") if path.is_file()}
    assert kept == {"4", "5"}
    assert store.fetch("files/0").read_bytes() == bytes(1000)


def test_the_cache_keeps_files_in_use_even_above_its_bound(store: S3Store) -> None:
    fetched = []
    for number in range(6):
        store.write(f"files/{number}", bytes(1000))
        fetched.append(store.fetch(f"files/{number}"))
    assert all(file.read_bytes() == bytes(1000) for file in fetched)


class Refusing:
    """A client whose bulk deletion keeps some keys, as where the policy of a bucket forbids it (HTTP 200)."""

    def __init__(self, client: S3Client, kept: str) -> None:
        self._client, self._kept = client, kept

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def delete_objects(self, Bucket: str, Delete: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        going = [one for one in Delete["Objects"] if self._kept not in one["Key"]]
        if going:
            self._client.delete_objects(Bucket=Bucket, Delete={"Objects": going})  # type: ignore[typeddict-item]
        return {
            "Errors": [
                {"Key": one["Key"], "Code": "AccessDenied", "Message": "Access Denied"}
                for one in Delete["Objects"]
                if self._kept in one["Key"]
            ]
        }


def test_a_key_that_bulk_deletion_could_not_delete_is_told(
    client: S3Client, bucket: str, tmp_path: Path
) -> None:
    refusing: Any = Refusing(client, "locked")
    store = S3Store(refusing, bucket, "library", tmp_path / "cache", cache_bytes=2500)
    for name in ("locked-1", "locked-2", "free"):
        store.write(f"stems/{name}", b"x")
    with pytest.raises(OSError, match=rf"s3://{bucket}/library/stems/locked-.: .*AccessDenied.* and 1 more"):
        store.delete("stems")
    assert sorted(entry.key for entry in store.entries("stems")) == ["stems/locked-1", "stems/locked-2"]


class Server:
    """Accepts connections and, request by request, answers with a status, or says nothing at all (None)."""

    def __init__(self, answers: list[int | None]) -> None:
        self.requests = 0
        self._answers = answers
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with suppress(OSError):
            while connection.recv(65536):
                answer = self._answers[min(self.requests, len(self._answers) - 1)]
                self.requests += 1
                if answer is not None:
                    body = b"data" if answer == 200 else b""
                    head = f'HTTP/1.1 {answer} told\r\nContent-Length: {len(body)}\r\nETag: "e"\r\n\r\n'
                    connection.sendall(head.encode() + body)

    def close(self) -> None:
        self._listening.close()


@pytest.mark.usefixtures("endpoint")
def test_an_endpoint_that_says_nothing_fails_in_half_a_minute_with_one_line(tmp_path: Path) -> None:
    server = Server([None])
    store = S3Store(S3Resource(endpoint_url=server.url).get_client(), "b", "", tmp_path, cache_bytes=1)
    began = time.monotonic()
    with pytest.raises(OSError, match=r"^s3://b/key: S3 can't be used .*timeout") as caught:
        store.read("key")
    assert time.monotonic() - began < 30
    assert "\n" not in str(caught.value)
    server.close()


@pytest.mark.usefixtures("endpoint")
def test_an_endpoint_that_is_gone_fails_in_half_a_minute_with_one_line(tmp_path: Path) -> None:
    server = Server([None])
    server.close()
    store = S3Store(S3Resource(endpoint_url=server.url).get_client(), "b", "", tmp_path, cache_bytes=1)
    began = time.monotonic()
    for work in (
        lambda: store.read("key"),
        lambda: store.write("key", b""),
        lambda: list(store.entries("a")),
    ):
        with pytest.raises(OSError, match="S3 can't be used") as caught:
            work()
        assert "\n" not in str(caught.value)
    assert time.monotonic() - began < 30
    file = tmp_path / "file"
    file.write_bytes(b"x")
    with pytest.raises(OSError, match="S3 can't be used"):
        store.adopt(file, "key")


@pytest.mark.usefixtures("endpoint")
def test_an_error_that_passes_is_not_seen(tmp_path: Path) -> None:
    server = Server([503, 500, 200])
    store = S3Store(S3Resource(endpoint_url=server.url).get_client(), "b", "", tmp_path, cache_bytes=1)
    assert store.read("key") == b"data"
    assert server.requests == 3
    server.close()


# On the command line


def told_of(storage: str, endpoint: str, command: list[str], tmp_path: Path) -> tuple[dict[str, Any], float]:
    """The object that a command prints where storage is there, and the seconds that it takes."""
    environment = os.environ | {"RESONATE_STORAGE": storage, "RESONATE_S3_ENDPOINT": endpoint}
    began = time.monotonic()
    result = subprocess.run(
        [sys.executable, "-m", "resonate_studio.cli", *command, "--json", "--home", tmp_path / "home"],
        capture_output=True,
        env=environment,
        check=False,
    )
    assert result.returncode == 1
    assert b"Traceback" not in result.stderr
    return dict(json.loads(result.stdout)), time.monotonic() - began


@pytest.fixture
def two_songs(tmp_path: Path, clips: list[Floats]) -> list[str]:
    paths = [tmp_path / "one.wav", tmp_path / "two.wav"]
    for path in paths:
        sf.write(path, clips[0][:4410], 44100)
    return [str(path) for path in paths]


def test_a_bucket_that_is_not_there_is_a_line_for_each_file_of_a_batch(
    endpoint: str, two_songs: list[str], tmp_path: Path
) -> None:
    answer, _ = told_of("s3://nowhere/library", endpoint, ["process", *two_songs], tmp_path)
    assert [one["status"] for one in answer["tracks"]] == ["failed", "failed"]
    for one in answer["tracks"]:
        assert one["error"].startswith("s3://nowhere/library/")
        assert "NoSuchBucket" in one["error"]
        assert one["error"].isprintable()
    answer, _ = told_of("s3://nowhere/library", endpoint, ["status"], tmp_path)
    assert "NoSuchBucket" in answer["error"]


@pytest.mark.usefixtures("endpoint")
def test_an_endpoint_that_says_nothing_is_told_by_the_command_line(
    two_songs: list[str], tmp_path: Path
) -> None:
    server = Server([None])
    answer, _ = told_of("s3://b/library", server.url, ["process", two_songs[0]], tmp_path)
    [one] = answer["tracks"]
    assert one["seconds"] < 30
    assert one["error"].startswith("s3://b/library/")
    assert "timeout" in one["error"]
    server.close()


@pytest.mark.usefixtures("endpoint")
def test_an_endpoint_that_is_gone_or_none_is_told_by_the_command_line(
    two_songs: list[str], tmp_path: Path
) -> None:
    server = Server([None])
    server.close()
    answer, took = told_of("s3://b/library", server.url, ["process", *two_songs], tmp_path)
    assert [one["status"] for one in answer["tracks"]] == ["failed", "failed"]
    assert took < 60
    answer, _ = told_of("s3://b/library", "127.0.0.1:9", ["process", *two_songs], tmp_path)
    for one in answer["tracks"]:
        assert one["error"].startswith("RESONATE_S3_ENDPOINT=127.0.0.1:9: ")
