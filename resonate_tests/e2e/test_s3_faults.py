"""S3 that is overloaded, slow, or breaks off in the midst of an object: nothing is taken for whole that is not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import numpy as np
import pytest
import soundfile as sf
from dagster._core.execution.plan.objects import StepFailureData

from resonate_assets.settings import Settings
from resonate_resources.ingestion.refusing import refused_in_one_line
from resonate_resources.storage.inbox import BucketInbox
from resonate_resources.storage.manifest import Manifest
from resonate_resources.storage.resource import S3Resource
from resonate_resources.storage.s3_store import S3Error, S3Store
from resonate_tests.e2e.test_s3 import Watch, bucket, client, endpoint, keys_in
from resonate_tests.peer_encoders import Floats
from resonate_tests.s3_proxy import Fault, S3Proxy

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["bucket", "client", "endpoint"]

BIG = np.random.default_rng(0).bytes(20 * 2**20)
"""An object of several parts: boto3 takes 8 MiB for one."""
SMALL = BIG[:100_000]


@pytest.fixture
def proxy(endpoint: str) -> Iterator[S3Proxy]:
    made = S3Proxy(endpoint)
    yield made
    made.end()


@pytest.fixture
def store(proxy: S3Proxy, bucket: str, tmp_path: Path) -> S3Store:
    client = S3Resource(endpoint_url=proxy.url).get_client()
    return S3Store(client, bucket, "library", tmp_path / "cache", cache_bytes=2**30)


def first(proxy: S3Proxy, times: int, fault: Fault, method: str, *, part: str = "") -> None:
    """So many requests of a kind go wrong."""
    left = [times]

    def of(asked: str, path: str) -> Fault:
        if asked != method or part not in path or not left[0]:
            return "none"
        left[0] -= 1
        return fault

    proxy.fault = of


def files_in(folder: Path) -> list[Path]:
    return [path for path in (folder / "cache").rglob("*") if path.is_file()]


def adopted(store: S3Store, folder: Path, data: bytes, key: str = "stems/vocals.wav") -> None:
    file = folder / "file"
    file.write_bytes(data)
    store.adopt(file, key)


@pytest.mark.parametrize("data", [SMALL, BIG], ids=["small", "several parts"])
def test_an_object_of_which_half_comes_is_fetched_again_and_then_whole(
    data: bytes, store: S3Store, proxy: S3Proxy, client: S3Client, bucket: str
) -> None:
    client.put_object(Bucket=bucket, Key="library/stem.wav", Body=data)
    first(proxy, 1, "cut", "GET")
    assert store.fetch("stem.wav").read_bytes() == data
    assert "cut" in [fault for _, _, fault in proxy.asked]


@pytest.mark.parametrize("data", [SMALL, BIG], ids=["small", "several parts"])
def test_an_object_of_which_only_half_ever_comes_is_one_line_and_leaves_no_file(
    data: bytes, store: S3Store, proxy: S3Proxy, client: S3Client, bucket: str, tmp_path: Path
) -> None:
    client.put_object(Bucket=bucket, Key="library/stem.wav", Body=data)
    proxy.fault = lambda method, _: "cut" if method == "GET" else "none"
    with pytest.raises(S3Error, match=rf"^s3://{bucket}/library/stem.wav: S3 can't be used") as caught:
        store.fetch("stem.wav")
    assert "\n" not in str(caught.value)
    assert files_in(tmp_path) == []
    with pytest.raises(S3Error, match="S3 can't be used") as caught:
        store.read("stem.wav")
    assert "\n" not in str(caught.value)


def test_what_is_read_into_memory_is_read_again_where_it_breaks_off(store: S3Store, proxy: S3Proxy) -> None:
    store.write("manifest.json", SMALL)
    first(proxy, 1, "cut", "GET")
    assert store.read("manifest.json") == SMALL


@pytest.mark.parametrize("data", [SMALL, BIG], ids=["small", "several parts"])
def test_an_upload_that_breaks_off_is_made_again(
    data: bytes, store: S3Store, proxy: S3Proxy, client: S3Client, bucket: str, tmp_path: Path
) -> None:
    first(proxy, 1, "cut", "PUT")
    adopted(store, tmp_path, data)
    assert client.get_object(Bucket=bucket, Key="library/stems/vocals.wav")["Body"].read() == data
    assert "cut" in [fault for _, _, fault in proxy.asked]


@pytest.mark.parametrize("data", [SMALL, BIG], ids=["small", "several parts"])
def test_an_upload_that_always_breaks_off_is_one_line_and_no_object(
    data: bytes, store: S3Store, proxy: S3Proxy, client: S3Client, bucket: str, tmp_path: Path
) -> None:
    proxy.fault = lambda method, _: "cut" if method == "PUT" else "none"
    with pytest.raises(
        S3Error, match=rf"^s3://{bucket}/library/stems/vocals.wav: S3 can't be used"
    ) as caught:
        adopted(store, tmp_path, data)
    assert "\n" not in str(caught.value)
    assert client.list_objects_v2(Bucket=bucket).get("KeyCount") == 0


def test_an_overloaded_service_is_asked_three_times(store: S3Store, proxy: S3Proxy) -> None:
    store.write("a", b"data")
    first(proxy, 2, "overloaded", "GET")
    assert store.read("a") == b"data"
    proxy.asked.clear()
    first(proxy, 3, "overloaded", "GET")
    with pytest.raises(S3Error, match=r"S3 answered SlowDown Please reduce your request rate\.$"):
        store.read("a")
    assert [fault for *_, fault in proxy.asked] == ["overloaded"] * 3


def test_a_slow_service_is_waited_for(store: S3Store, proxy: S3Proxy, tmp_path: Path) -> None:
    """Each answer takes two seconds, of the five that one may take."""
    proxy.delay_seconds = 2.0
    began = time.monotonic()
    adopted(store, tmp_path, SMALL)
    assert store.read("stems/vocals.wav") == SMALL
    assert time.monotonic() - began >= 2 * 3


def test_a_song_of_which_half_comes_is_no_fault_of_the_song(
    proxy: S3Proxy, client: S3Client, bucket: str, tmp_path: Path
) -> None:
    """A file that can't be used is not tried again; one that did not come is."""
    song = BytesIO()
    sf.write(song, np.zeros((44100, 2)), 44100, format="WAV")
    client.put_object(Bucket=bucket, Key="incoming/song.wav", Body=song.getvalue())
    proxy.fault = lambda method, path: "cut" if method == "GET" and path.endswith("song.wav") else "none"
    inbox = BucketInbox(S3Resource(endpoint_url=proxy.url).get_client(), f"s3://{bucket}/incoming")
    uri = f"s3://{bucket}/incoming/song.wav"
    with (
        pytest.raises(S3Error, match=rf"^{uri}: S3 can't be used .*total bytes expected is 176444"),
        refused_in_one_line(uri),
    ):
        inbox.local_copy(uri, tmp_path)
    proxy.fault = lambda *_: "none"
    assert inbox.local_copy(uri, tmp_path).read_bytes() == song.getvalue()


def test_a_track_is_made_whole_or_not_at_all(
    proxy: S3Proxy, client: S3Client, bucket: str, clips: list[Floats], tmp_path: Path
) -> None:
    """First no audio comes through, then every fifth request goes wrong."""
    song = BytesIO()
    sf.write(song, clips[0], 44100, format="FLAC")
    client.put_object(Bucket=bucket, Key="incoming/song.flac", Body=song.getvalue())
    settings = Settings(
        home=tmp_path / "home",
        storage=f"s3://{bucket}/library",
        inbox="",
        bucket=f"s3://{bucket}/incoming/",
        s3_endpoint=proxy.url,
    )
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        watch = Watch(settings, instance)
        (track,) = watch.tick()

        def run() -> dg.ExecuteInProcessResult:
            return watch.defs.resolve_job_def("process_track").execute_in_process(
                instance=instance,
                partition_key=track,
                asset_selection=[dg.AssetKey(stage) for stage in ("brief", "raw_track", "profile")],
                raise_on_error=False,
            )

        proxy.fault = lambda method, path: "cut" if method == "PUT" and ".wav" in path else "none"
        failed = run()
        assert not failed.success
        (failure,) = [event for event in failed.all_events if event.is_step_failure]
        data = failure.event_specific_data
        assert isinstance(data, StepFailureData)
        assert data.error is not None
        assert data.error.cause is not None
        reason = data.error.cause.message.strip()
        assert f"s3://{bucket}/library/artefacts/" in reason
        assert "\n" not in reason
        assert {each.stage for each in manifests(client, bucket)} <= {"brief"}

        proxy.asked.clear()
        wrong: tuple[Fault, Fault] = ("overloaded", "cut")
        proxy.fault = lambda *_: wrong[len(proxy.asked) // 5 % 2] if len(proxy.asked) % 5 == 4 else "none"
        assert run().success
    assert {fault for *_, fault in proxy.asked} == {"overloaded", "cut", "none"}
    for manifest in manifests(client, bucket):
        prefix = f"library/artefacts/{manifest.stage}/{manifest.track}/{manifest.key}/{manifest.attempt}"
        for name, file in manifest.files.items():
            data_there = client.get_object(Bucket=bucket, Key=f"{prefix}/{name}")["Body"].read()
            assert (len(data_there), sha256(data_there).hexdigest()) == (file.size, file.sha256)


def manifests(client: S3Client, bucket: str) -> list[Manifest]:
    found = keys_in(client, bucket, "library/artefacts/")
    bodies = [client.get_object(Bucket=bucket, Key=key)["Body"] for key in found if "manifest" in key]
    return [Manifest.from_json(body.read()) for body in bodies]
