"""How long a look at a big watched bucket takes.

`python -m resonate_tests.benchmarks.bench_bucket_sensor`

A bucket of 10,000 objects on a local S3 server, in a process of its own; the ledger and Dagster's instance know all
but ten. One tick of the bucket's sensor finds those ten. Required: under 5 s. Beside it the time of our own
processor.

The server is a stand-in in Python (moto): it takes some 0.3 s to write the XML of a page of 1000 objects. So each
page is kept when it is first asked for ("listing alone, stand-in's own speed"), and is answered from then on after
PAGE_SECONDS, as S3 would.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import tempfile
import threading
import time
from collections.abc import Iterable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import dagster as dg
from werkzeug.serving import make_server
from werkzeug.test import run_wsgi_app

from resonate_assets.definitions import build_defs
from resonate_assets.partitions import track_key, tracks
from resonate_assets.sensors import inbox_bucket
from resonate_assets.settings import Settings
from resonate_resources.storage.inbox import BucketInbox, Ledger, fingerprint
from resonate_resources.storage.resource import StorageResource

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from mypy_boto3_s3 import S3Client

OBJECTS, NEW = 10_000, 10
REQUIRED_SECONDS = 5.0
BUCKET = "bench"
PAGE_SECONDS = 0.2
"""S3 answers small requests in roughly 100 to 200 ms (its User Guide, "Best practices design patterns")."""


class KeptPages:
    """A WSGI application's answers to listings: from memory, after PAGE_SECONDS, when asked for again."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._kept: dict[str, tuple[str, list[tuple[str, str]], bytes]] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        asked = environ["QUERY_STRING"]
        if "list-type=2" not in asked:
            return self._application(environ, start_response)
        if asked in self._kept:
            time.sleep(PAGE_SECONDS)
        else:
            pages, status, headers = run_wsgi_app(self._application, environ)
            self._kept[asked] = status, [*headers.items()], b"".join(pages)
        status, told, page = self._kept[asked]
        start_response(status, told)
        return [page]


def serve(told: Connection) -> None:
    """An S3 server with all objects in it; tells its address, then serves until it is ended."""
    from moto.s3.models import s3_backends
    from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # else a line for each request
    application = KeptPages(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host, port = server.host, server.port
    client = boto3.client("s3", endpoint_url=f"http://{host}:{port}")
    client.create_bucket(Bucket=BUCKET)
    backend = s3_backends["123456789012"]["aws"]  # past HTTP, which would take a minute
    for number in range(OBJECTS):
        backend.put_object(BUCKET, f"incoming/song {number:05d}.wav", content(number))
    told.send(f"http://{host}:{port}")
    told.recv()


def content(number: int) -> bytes:
    return f"song {number}".encode() * 100


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
    """(what, seconds, new tracks) of the listing alone, a tick with new objects, and the tick after it."""
    settings = Settings(folder, f"s3://{BUCKET}/library", "", f"s3://{BUCKET}/incoming/", endpoint)
    defs = build_defs(settings)
    client: S3Client = boto3.client("s3", endpoint_url=endpoint)
    inbox = BucketInbox(client, settings.bucket)
    rows = []
    for what in ("listing alone, stand-in's own speed", "listing alone"):
        clock = Clock()
        seen = sorted(inbox.look(), key=lambda each: each.uri)
        rows.append((what, clock.read(), 0))
    assert len(seen) == OBJECTS
    storage: StorageResource = defs.resources["storage"]  # type: ignore[index]
    known = seen[NEW:]
    Ledger({each.uri: fingerprint(each) for each in known}).save(storage.store, inbox.uri)
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
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    server = spawn.Process(target=serve, args=(there,), daemon=True)
    server.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            rows = measure(here.recv(), Path(folder))
    finally:
        server.terminate()
        server.join()
    print("| what | seconds | of our own processor | new tracks |\n|---|---|---|---|")
    for what, (seconds, own), new in rows:
        print(f"| {what} | {seconds:.2f} | {own:.2f} | {new} |")
    slowest = max(seconds for what, (seconds, _), _ in rows if "tick" in what)
    print(f"required: under {REQUIRED_SECONDS:.0f} s; {'kept' if slowest < REQUIRED_SECONDS else 'NOT kept'}")


if __name__ == "__main__":
    main()
