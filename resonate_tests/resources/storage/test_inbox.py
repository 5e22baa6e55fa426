"""Inboxes: what one look finds, and what is planned from it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from resonate_resources.storage.inbox import (
    AUDIO_SUFFIXES,
    BESIDE_MUSIC,
    BucketInbox,
    FolderInbox,
    Plan,
    Seen,
    fingerprint,
    plan,
)
from resonate_resources.storage.s3_store import S3Error

_URIS = st.sampled_from([f"/in/{letter}.wav" for letter in "abcdefgh"])
_FILES = st.builds(Seen, _URIS, st.integers(0, 3), st.sampled_from("xyz"), st.booleans())
_LOOK = st.lists(_FILES, max_size=8, unique_by=lambda seen: seen.uri)


def taken(planned: Plan) -> list[str]:
    return [seen.uri for seen in planned.take]


# The plan


@given(look=_LOOK, before=_LOOK, last=_LOOK, limit=st.integers(0, 5))
def test_a_plan_takes_no_more_than_the_limit_and_nothing_that_was_dealt_with(
    look: list[Seen], before: list[Seen], last: list[Seen], limit: int
) -> None:
    done = {seen.uri: fingerprint(seen) for seen in before}
    planned = plan(look, done, {seen.uri: fingerprint(seen) for seen in last}, limit)
    assert len(planned.take) <= limit
    assert len(set(taken(planned))) == len(planned.take)
    assert all(done.get(seen.uri) != fingerprint(seen) for seen in planned.take)


@given(look=_LOOK, last=_LOOK)
def test_what_may_be_growing_is_not_taken_before_two_looks_agree(look: list[Seen], last: list[Seen]) -> None:
    waiting = {seen.uri: fingerprint(seen) for seen in last}
    planned = plan(look, {}, waiting, limit=100)
    assert all(seen.settled or waiting.get(seen.uri) == fingerprint(seen) for seen in planned.take)


@given(look=_LOOK, before=_LOOK, last=_LOOK, limit=st.integers(0, 5))
def test_every_file_is_dealt_with_or_taken_or_waits_or_is_left_for_later(
    look: list[Seen], before: list[Seen], last: list[Seen], limit: int
) -> None:
    done = {seen.uri: fingerprint(seen) for seen in before}
    planned = plan(look, done, {seen.uri: fingerprint(seen) for seen in last}, limit)
    for seen in look:
        fate = (done.get(seen.uri) == fingerprint(seen), seen in planned.take, seen.uri in planned.waiting)
        assert sum(fate) <= 1
        assert any(fate) or (seen.settled and planned.left > 0)


@given(look=_LOOK, limit=st.integers(1, 3))
def test_files_that_lie_still_are_all_taken_exactly_once_in_as_few_looks_as_the_limit_allows(
    look: list[Seen], limit: int
) -> None:
    done: dict[str, str] = {}
    waiting: dict[str, str] = {}
    all_taken: list[str] = []
    for _ in range(1 + -(-len(look) // limit)):  # one look more, as the unsettled are seen twice
        planned = plan(look, done, waiting, limit)
        done |= {seen.uri: fingerprint(seen) for seen in planned.take}
        waiting = dict(planned.waiting)
        all_taken += taken(planned)
    assert sorted(all_taken) == sorted(seen.uri for seen in look)


@given(sizes=st.lists(st.integers(0, 50), min_size=1, max_size=12))
def test_a_growing_file_is_taken_at_its_final_size_only(sizes: list[int]) -> None:
    waiting: dict[str, str] = {}
    sizes = [*sorted(set(sizes)), max(sizes), max(sizes)]
    found = []
    for size in sizes:
        planned = plan([Seen("/in/a.wav", size, "same", settled=False)], {}, waiting, limit=1)
        waiting = dict(planned.waiting)
        found += [seen.size for seen in planned.take]
    assert found
    assert set(found) == {max(sizes)}


# The folder


@pytest.mark.parametrize(
    "suffix",
    [
        *("mov", "mkv", "m4v", "3gp", "avi", "mp2", "ac3", "tta", "ts", "webm"),
        *("caf", "w64", "rf64", "au", "flv", "wma"),
    ],
)
def test_containers_of_all_kinds_are_music(suffix: str) -> None:
    assert f".{suffix}" in AUDIO_SUFFIXES
    assert not AUDIO_SUFFIXES & BESIDE_MUSIC


def test_a_folder_shows_audio_at_any_depth_and_leaves_what_lies_beside_it_alone(tmp_path: Path) -> None:
    shown = ("a.wav", "album/cd 1/b.FLAC", "c.Mp3", "d.Zip", "noending", "song.als")  # the last to be told of
    for name in shown:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"audio")
    for name in (
        *(
            "cover.jpg",
            "list.m3u",
            "album.cue",
            "rip.log",
            "Thumbs.db",
            "desktop.ini",
            "brief.toml",
            "a.wav.asd",
        ),
        *(
            ".hidden.wav",
            "d.wav.part",
            "._a.wav",
            ".trash/e.wav",
            ".DS_Store",
            "song.mp3.crdownload",
            "Icon\r",
        ),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"other")
    found = {seen.uri: seen.size for seen in FolderInbox(tmp_path).look()}
    assert found == {str(tmp_path / name): 5 for name in shown}


def test_a_file_that_came_just_now_may_still_be_growing_whatever_its_modification_time_says(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.wav").write_bytes(b"half")
    os.utime(tmp_path / "a.wav", (0, 0))  # as `cp -p` and unpackers do before the last byte is written
    [seen] = FolderInbox(tmp_path).look()
    assert not seen.settled


def test_a_file_that_has_lain_still_for_more_than_a_minute_is_settled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.wav").write_bytes(b"")
    written = time.time()
    monkeypatch.setattr(time, "time", lambda: written + 61)
    [seen] = FolderInbox(tmp_path).look()
    assert seen.settled


def test_a_write_that_keeps_size_and_modification_time_shows(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"one")
    os.utime(path, (0, 0))
    [before] = FolderInbox(tmp_path).look()
    time.sleep(0.02)  # the kernel's clock for time stamps ticks every 4 to 10 ms
    path.write_bytes(b"two")
    os.utime(path, (0, 0))
    [after] = FolderInbox(tmp_path).look()
    assert fingerprint(before) != fingerprint(after)


def test_a_dangling_link_is_shown_once_and_a_link_to_audio_is_audio(tmp_path: Path) -> None:
    (tmp_path / "gone.wav").symlink_to(tmp_path / "nothing.wav")
    (tmp_path / "real.wav").write_bytes(b"audio")
    (tmp_path / "link.wav").symlink_to(tmp_path / "real.wav")
    look = {seen.uri: seen for seen in FolderInbox(tmp_path).look()}
    assert {Path(uri).name: seen.size for uri, seen in look.items()} == {
        "gone.wav": 0,
        "real.wav": 5,
        "link.wav": 5,
    }
    done = {uri: fingerprint(seen) for uri, seen in look.items()}
    assert plan(FolderInbox(tmp_path).look(), done, {}, 10).take == ()


# The bucket


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        made = boto3.client("s3", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        made.create_bucket(Bucket="music")
        yield made


def test_a_bucket_shows_the_audio_below_its_prefix_over_many_pages(client: Any) -> None:
    for index in range(1005):  # a page has 1000
        client.put_object(Bucket="music", Key=f"in/{index:04}.wav", Body=b"x")
    client.put_object(Bucket="music", Key="in/cover.jpg", Body=b"x")
    client.put_object(Bucket="music", Key="inbox of another/a.wav", Body=b"x")
    client.put_object(Bucket="music", Key="b.wav", Body=b"x")
    look = list(BucketInbox(client, "s3://music/in").look())
    assert [seen.uri for seen in look] == [f"s3://music/in/{index:04}.wav" for index in range(1005)]
    assert all(seen.settled and seen.size == 1 for seen in look)


_KEYS = st.sets(
    st.text("aäz~🎸\uffee /+%", min_size=1, max_size=3).map(lambda name: f"in/{name}_.wav"), max_size=12
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keys=_KEYS, earlier=_KEYS)
def test_a_big_bucket_is_listed_in_parts_by_what_was_known_of_it_and_nothing_is_missed(
    client: Any, keys: set[str], earlier: set[str]
) -> None:
    """Whatever has come and gone since: before the first known key, after the last, at a bound."""
    for listed in client.list_objects_v2(Bucket="music").get("Contents", ()):
        client.delete_object(Bucket="music", Key=listed["Key"])
    for key in keys:
        client.put_object(Bucket="music", Key=key, Body=b"x")
    bounds = [f"s3://music/{key}" for key in sorted(earlier, key=str.encode)[::2]]
    look = [seen.uri for seen in BucketInbox(client, "s3://music/in").look(bounds)]
    assert look == [f"s3://music/{key}" for key in sorted(keys, key=str.encode)]


def test_a_service_that_does_not_heed_where_a_listing_is_to_start_shows_every_object_once(
    client: Any,
) -> None:
    keys = [f"in/{letter}.wav" for letter in "abcdefgh"]
    for key in keys:
        client.put_object(Bucket="music", Key=key, Body=b"x")

    def forget(params: dict[str, Any], **_: object) -> None:
        params.pop("StartAfter", None)

    client.meta.events.register("provide-client-params.s3.ListObjectsV2", forget)
    look = BucketInbox(client, "s3://music/in").look([f"s3://music/{key}" for key in keys[::2]])
    assert [seen.uri for seen in look] == [f"s3://music/{key}" for key in keys]


def test_the_parts_of_a_big_bucket_are_listed_at_once(client: Any) -> None:
    bounds = [f"s3://music/in/{index:04}.wav" for index in (950, 1900, 2850)]
    met = Barrier(4, timeout=10)

    def meet(**_: object) -> None:
        met.wait()

    client.meta.events.register("before-call.s3.ListObjectsV2", meet)
    assert list(BucketInbox(client, "s3://music/in").look(bounds)) == []


def test_a_directory_bucket_which_lists_in_no_order_is_listed_as_a_whole(client: Any) -> None:
    asked = []

    def answer(params: dict[str, Any], **_: object) -> tuple[SimpleNamespace, dict[str, Any]]:
        asked.append(params["url_path"])
        objects = [{"Key": f"in/{name}.wav", "Size": 1, "ETag": name} for name in "bca"]
        return SimpleNamespace(status_code=200), {"Contents": objects, "IsTruncated": False}

    client.meta.events.register("before-call.s3.ListObjectsV2", answer)
    address = "s3://music--use1-az4--x-s3/in"
    bounds = [f"{address}/{index:04}.wav" for index in (950, 1900)]
    look = BucketInbox(client, address).look(bounds)
    assert [seen.uri for seen in look] == [f"{address}/{name}.wav" for name in "bca"]
    assert len(asked) == 1


def test_a_look_leaves_dates_to_others(client: Any) -> None:
    """They are taken out of its own listings only, which takes two thirds of a look's time away."""
    client.put_object(Bucket="music", Key="a.wav", Body=b"x")
    parsed = []
    client.meta.events.register(
        "after-call.s3.ListObjectsV2",
        lambda **told: parsed.append("LastModified" in told["parsed"]["Contents"][0]),
    )
    list(BucketInbox(client, "s3://music").look())
    client.list_objects_v2(Bucket="music")
    assert parsed == [False, True]


def test_an_object_that_is_replaced_shows_and_one_that_is_written_again_the_same_does_not(
    client: Any,
) -> None:
    prints = []
    for body in (b"one", b"one", b"two"):
        client.put_object(Bucket="music", Key="a.wav", Body=body)
        prints += [fingerprint(seen) for seen in BucketInbox(client, "s3://music").look()]
    assert prints[0] == prints[1] != prints[2]


@pytest.mark.parametrize("name", ["plain.wav", "a b+c%20ü🎸.wav", "x" * 300 + ".flac", "..\\up.wav"])
def test_an_object_of_any_name_is_copied_whole_into_the_directory_that_was_given(
    client: Any, tmp_path: Path, name: str
) -> None:
    client.put_object(Bucket="music", Key=f"in/{name}", Body=b"sound")
    bucket = BucketInbox(client, "s3://music/in/")
    [seen] = bucket.look()
    copy = bucket.local_copy(seen.uri, tmp_path)
    assert copy.parent == tmp_path
    assert copy.read_bytes() == b"sound"
    assert copy.suffix == Path(name).suffix


def test_an_object_that_has_gone_is_an_oserror_with_its_name(client: Any, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"gone\.wav"):
        BucketInbox(client, "s3://music").local_copy("s3://music/gone.wav", tmp_path)


@pytest.mark.parametrize(
    ("status", "raised"),
    [(403, PermissionError), (404, FileNotFoundError), (500, S3Error), (503, S3Error)],
)
def test_a_service_in_trouble_is_told_apart_from_an_object_that_cannot_be_had(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, raised: type[Exception]
) -> None:
    def fail(*_: object, **__: object) -> None:
        response: Any = {"Error": {"Message": "as it is"}, "ResponseMetadata": {"HTTPStatusCode": status}}
        raise ClientError(response, "GetObject")

    monkeypatch.setattr(client, "download_file", fail)
    with pytest.raises(raised, match="as it is"):
        BucketInbox(client, "s3://music").local_copy("s3://music/a.wav", tmp_path)


@pytest.mark.parametrize("uri", ["music/in", "https://music/in", "s3:///in", ""])
def test_an_address_that_is_no_bucket_is_refused_by_name(uri: str) -> None:
    with pytest.raises(ValueError, match="s3://bucket/prefix"):
        BucketInbox(None, uri)  # type: ignore[arg-type]  # the address is looked at first
