"""How long a look at a big watched bucket takes.

`python -m resonate_tests.benchmarks.bench_bucket_sensor`

A bucket of 10,000 objects on a local S3 server, in a process of its own; the ledger and Dagster's instance know all
but ten. One tick of the bucket's sensor finds those ten. Required: under 5 s. Beside it the time of our own
processor.

The server is a stand-in in Python (moto), which answers small requests at once but takes some 0.3 s to write the
XML of a page of 1000 objects. So all is measured twice: with the stand-in as it is, and with one as slow to answer
as S3, which waits ANSWER_SECONDS before each answer, and writes pages as fast as can be.
"""

from __future__ import annotations

import bisect
import logging
import multiprocessing
import os
import re
import tempfile
import threading
import time
from collections.abc import Iterable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import boto3
import dagster as dg
from werkzeug.serving import make_server

from resonate_assets.definitions import build_defs
from resonate_assets.partitions import tracks
from resonate_assets.sensors import inbox_bucket
from resonate_assets.settings import Settings
from resonate_resources.ingestion.track_key import track_key
from resonate_resources.storage.inbox import BucketInbox, fingerprint
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.taken_in import TakenIn
from resonate_tests.tiny_music import music

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from mypy_boto3_s3 import S3Client

OBJECTS, NEW = 10_000, 10
REQUIRED_SECONDS = 5.0
BUCKET = "bench"
ANSWER_SECONDS = 0.2
"""S3 answers small requests in roughly 100 to 200 ms (its User Guide, "Best practices design patterns")."""


class LikeS3:
    """A WSGI application that answers after ANSWER_SECONDS, and lists what it has listed before by itself."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._keys: list[str] = []
        self._listed: list[bytes] = []

    def learn(self, endpoint: str) -> None:
        """Take the XML of every object out of the application's own pages."""
        client = boto3.client("s3", endpoint_url=endpoint)
        client.meta.events.register(
            "before-parse.s3.ListObjectsV2",
            lambda response_dict, **_: self._listed.extend(
                re.findall(rb"<Contents>.*?</Contents>", response_dict["body"], re.DOTALL)
            ),
        )
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="incoming/")
        self._keys = [item["Key"] for page in pages for item in page["Contents"]]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        asked = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
        if not self._keys:
            return self._application(environ, start_response)
        time.sleep(ANSWER_SECONDS)
        if asked.get("prefix") != "incoming/":
            return self._application(environ, start_response)
        start_response("200 OK", [("Content-Type", "application/xml")])
        return [self._page(asked.get("continuation-token") or asked.get("start-after", ""))]

    def _page(self, after: str) -> bytes:
        first = bisect.bisect_right(self._keys, after)
        last = first + 1000
        goes_on = last < len(self._keys)
        head = f"<IsTruncated>{str(goes_on).lower()}</IsTruncated><EncodingType>url</EncodingType>"
        if goes_on:
            head += f"<NextContinuationToken>{self._keys[last - 1]}</NextContinuationToken>"
        objects = b"".join(self._listed[first:last])
        return b"<ListBucketResult>" + head.encode() + objects + b"</ListBucketResult>"


def serve(told: Connection, like_s3: bool) -> None:
    """An S3 server with all objects in it; tells its address, then serves until it is ended."""
    from moto.s3.models import s3_backends
    from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # else a line for each request
    application = DomainDispatcherApplication(create_backend_app)
    slow = LikeS3(application)
    server = make_server(
        "127.0.0.1",
        0,
        slow if like_s3 else application,
        threaded=True,
        request_handler=MotoRequestHandler,
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host, port = server.host, server.port
    client = boto3.client("s3", endpoint_url=f"http://{host}:{port}")
    client.create_bucket(Bucket=BUCKET)
    backend = s3_backends["123456789012"]["aws"]  # past HTTP, which would take a minute
    for number in range(OBJECTS):
        backend.put_object(BUCKET, f"incoming/song {number:05d}.wav", content(number))
    if like_s3:
        slow.learn(f"http://{host}:{port}")
    told.send(f"http://{host}:{port}")
    told.recv()


def content(number: int) -> bytes:
    return music(f"song {number}".encode() * 100)


class Clock:
    """Seconds, and those of this process's processor, since it was made."""

    def __init__(self) -> None:
        self._start = time.perf_counter(), time.process_time()

    def read(self) -> tuple[float, float]:
        return time.perf_counter() - self._start[0], time.process_time() - self._start[1]


def tick(
    instance: dg.DagsterInstance, defs: dg.Definitions, cursor: str | None
) -> tuple[dg.SensorResult, tuple[float, float]]:
    """One tick, and its seconds."""
    resources = {name: defs.resources[name] for name in ("storage", "inbox")}  # type: ignore[index]
    clock = Clock()
    with dg.build_sensor_context(instance, cursor, resources=resources) as context:
        result = inbox_bucket(context)
    seconds = clock.read()
    assert isinstance(result, dg.SensorResult)
    return result, seconds


def measure(endpoint: str, folder: Path) -> list[tuple[str, tuple[float, float], int]]:
    """(what, seconds, new tracks) of two ticks, one with new objects and the next. Lists all objects before."""
    settings = Settings(folder, f"s3://{BUCKET}/library", "", f"s3://{BUCKET}/incoming/", endpoint)
    defs = build_defs(settings)
    client: S3Client = boto3.client("s3", endpoint_url=endpoint)
    inbox = BucketInbox(client, settings.bucket)
    seen = sorted(inbox.look(), key=lambda each: each.uri)
    assert len(seen) == OBJECTS
    storage: StorageResource = defs.resources["storage"]  # type: ignore[index]
    # the new ones lie here and there
    known = [each for number, each in enumerate(seen) if number % (OBJECTS // NEW) != OBJECTS // NEW // 2]
    ledger = {each.uri: fingerprint(each) for each in known}
    TakenIn(storage.database, inbox.uri).enter(ledger)
    rows = []
    with dg.DagsterInstance.local_temp(str(folder)) as instance:
        names = [track_key("Band", f"Song {number}", f"{number:064x}"[::-1]) for number in range(len(known))]
        instance.add_dynamic_partitions(str(tracks.name), names)
        result, seconds = tick(instance, defs, None)
        found = [str(request.partition_key) for request in result.run_requests or ()]
        rows.append((f"tick, {NEW} new", seconds, len(found)))
        instance.add_dynamic_partitions(str(tracks.name), found)
        result, seconds = tick(instance, defs, result.cursor)
        rows.append(("next tick", seconds, len(result.run_requests or ())))
    return rows


def main() -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        os.environ[name] = value
    print("| server | what | seconds | of our own processor | new tracks |\n|---|---|---|---|---|")
    slowest = 0.0
    for name, like_s3 in (("stand-in as it is", False), ("stand-in as slow to answer as S3", True)):
        for what, (seconds, own), new in measured(like_s3):
            print(f"| {name} | {what} | {seconds:.2f} | {own:.2f} | {new} |")
            slowest = max(slowest, seconds)
    print(f"required: under {REQUIRED_SECONDS:.0f} s; {'kept' if slowest < REQUIRED_SECONDS else 'NOT kept'}")


def measured(like_s3: bool) -> list[tuple[str, tuple[float, float], int]]:
    """What `measure` gives, in front of such a server."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    server = spawn.Process(target=serve, args=(there, like_s3), daemon=True)
    server.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            return measure(here.recv(), Path(folder))
    finally:
        server.terminate()
        server.join()


if __name__ == "__main__":
    main()
