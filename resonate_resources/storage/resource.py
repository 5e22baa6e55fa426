"""Storage as Dagster sees it: where artefacts, sources and exports are kept."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import dagster as dg

from resonate_resources.storage.artefacts import Artefact, Artefacts
from resonate_resources.storage.current import record
from resonate_resources.storage.heartbeats import alive, is_being_removed
from resonate_resources.storage.inbox import download
from resonate_resources.storage.s3_store import S3Store, body_of, on_one_line
from resonate_resources.storage.sources import Sources
from resonate_resources.storage.store import LocalStore, Store, new_directory
from resonate_resources.storage.tracks import describe
from resonate_resources.watching import tracing

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


_TRIES = 3
_CONNECT_SECONDS = 5
_ANSWER_SECONDS = 5
"""With up to 1 and 2 s between the tries all of them take 18 s, so that a command has told it within 30 s."""
_CLIENT_SECONDS = 600


class S3Resource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """S3: Amazon's, or what speaks its language at another endpoint. Credentials are found as boto3 finds them.

    What may pass (lost connections, throttling, errors of the server) is tried three times; an endpoint that is
    dead or silent is known within half a minute. dagster_aws' own resource has no such limits: a silent endpoint
    would hold a run for five minutes a request.
    """

    endpoint_url: str | None = None
    region_name: str | None = None

    def get_client(self) -> "S3Client":
        """The same one for ten minutes: making one takes 0.2 s. Raises S3Error where boto3 can't be set up so."""
        made_of = (*sorted(item for item in os.environ.items() if item[0].startswith("AWS_")), os.getpid())
        period = int(time.monotonic() / _CLIENT_SECONDS)  # credentials in files may change
        with on_one_line(self.endpoint_url or "S3"):  # an unknown profile, say
            return _client(self.endpoint_url, self.region_name, *made_of, period)


@lru_cache(maxsize=4)
def _client(endpoint_url: str | None, region_name: str | None, *_: object) -> "S3Client":
    import boto3  # takes a third of the time in which the code location loads
    from botocore.config import Config

    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_ANSWER_SECONDS,
        retries={"mode": "standard", "total_max_attempts": _TRIES},
    )
    session = boto3.session.Session()  # of its own: boto3's default one is not for several threads
    return session.client("s3", endpoint_url=endpoint_url, region_name=region_name, config=config)


_UPLOADS = "uploads"
"""Folder in storage of what came through the page, where storage is a bucket."""


class StorageResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """One root for everything Resonate keeps: a local directory, or `s3://bucket/prefix`.

    A run that uses it shows signs of life from its beginning to its end: it is the one thing that every run of ours
    has, whoever launched it.
    """

    root: str
    s3: dg.ResourceDependency[S3Resource]
    cache: str
    """Local directory through which files on S3 pass."""
    cache_gib: float = 20.0
    database: str
    """URL of what processes must agree on; see resonate_resources.storage.database."""
    anew: list[str] = []  # noqa: RUF012 — pydantic copies it
    """Stages whose results are made again, though there are some."""
    uploads: str = ""
    """Folder on this machine in which each file that came through the page has one of its own: they are ours."""

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["StorageResource"]:
        run = context.run
        if run is None:  # a sensor, or a schedule
            yield self
            return
        track = run.tags.get("dagster/partition")
        with alive(self.database, "run", run.run_id, track=track), _traced(context, run):
            # After the heartbeat: who removes a track shows its own, and then looks who is at work.
            if track is not None and is_being_removed(self.database, track):
                raise dg.Failure(f"{track}: is being removed", allow_retries=False)
            yield self

    @property
    def in_bucket(self) -> bool:
        return self.root.startswith("s3://")

    @cached_property
    def store(self) -> Store:
        if not self.in_bucket:
            return LocalStore(Path(self.root).expanduser().absolute())
        parts = urlsplit(self.root)
        cache = Path(self.cache).expanduser().absolute()
        return S3Store(
            self.s3.get_client(), parts.netloc, parts.path, cache, cache_bytes=int(self.cache_gib * 2**30)
        )

    @cached_property
    def artefacts(self) -> Artefacts:
        return Artefacts(self.store, self.anew)

    @cached_property
    def sources(self) -> Sources:
        return Sources(self.store)

    def read_object(self, uri: str) -> bytes | None:
        """A small object, s3://bucket/key, anywhere; None where there is none. Raises S3Error."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        client = self.s3.get_client()
        with on_one_line(uri):
            try:
                return body_of(lambda: client.get_object(Bucket=bucket, Key=key))
            except client.exceptions.NoSuchKey:
                return None

    def keep_upload(self, folder: Path, name: str) -> str:
        """Keep what came through the page, a folder's files, as a folder of that name: in storage where that is a
        bucket, from where any machine has it, else in `uploads`. Gives its place. Raises OSError."""
        if not self.in_bucket:
            Path(self.uploads).mkdir(parents=True, exist_ok=True)
            return str(folder.replace(Path(self.uploads) / name))
        for file in [path for path in folder.rglob("*") if path.is_file()]:
            self.store.adopt(file, f"{_UPLOADS}/{name}/{file.relative_to(folder).as_posix()}")
        return self.store.location(f"{_UPLOADS}/{name}")

    def is_upload(self, uri: str) -> bool:
        """Whether it is a file that came through the page; not what came along with one."""
        folders = {self.uploads, self.store.location(_UPLOADS) if self.in_bucket else ""}
        return uri.rpartition("/")[0].rpartition("/")[0] in folders - {""}

    def forget_upload(self, uri: str) -> None:
        """Delete a source that came through the page, with what came along. Users' own files are not touched.
        Raises OSError."""
        if not self.is_upload(uri):
            return
        folder = uri.rpartition("/")[0]
        if uri.startswith("s3://"):
            self.store.delete(f"{_UPLOADS}/{folder.rpartition('/')[2]}")
        else:
            shutil.rmtree(folder, ignore_errors=True)

    def at_hand(self, uri: str) -> str:
        """A path on this machine: the one that was given, or that of a copy of an S3 object, by its own name.
        Raises OSError."""
        if not uri.startswith("s3://"):
            return uri
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        with on_one_line(uri):
            version = self.s3.get_client().head_object(Bucket=bucket, Key=key)["ETag"].strip('"')
        kept = Path(self.cache).expanduser().absolute() / "at_hand" / version / PurePosixPath(key).name
        if not kept.is_file():
            kept.parent.mkdir(parents=True, exist_ok=True)
            with new_directory(self.store, "at-hand") as scratch:
                self.local_copy(uri, scratch).replace(kept)
        os.utime(kept)  # for whoever makes room in the cache
        return str(kept)

    def local_copy(self, uri: str, directory: Path) -> Path:
        """A source on local disk: the user's own file, or a copy of an S3 object in directory. Raises OSError."""
        if not uri.startswith("s3://"):
            return Path(uri)
        with on_one_line(uri):
            return download(self.s3.get_client(), uri, directory)


@contextmanager
def _traced(context: dg.InitResourceContext, run: dg.DagsterRun) -> Iterator[None]:
    record = (
        context.instance.get_run_record_by_id(run.run_id) if tracing.wanted() and context.instance else None
    )
    if record is None:
        yield
        return
    asked = record.create_timestamp.timestamp()
    told: tracing.Told = {"resonate.run": run.run_id, "resonate.job": run.job_name}
    if track := run.tags.get("dagster/partition"):
        told["resonate.track"] = track
    with tracing.run(run.run_id, run.tags, asked, record.start_time or time.time(), told):
        yield


class ArtefactIOManager(dg.ConfigurableIOManager):
    """Publishes what a stage made, and loads what earlier stages made, for the run's partition.

    The stage's files are in the store before it gets here; publishing writes the manifest, last.
    """

    storage: dg.ResourceDependency[StorageResource]

    def handle_output(self, context: dg.OutputContext, obj: Artefact | None) -> None:
        if obj is None:  # a stage that the track has no use for
            return
        if not obj.complete():
            raise dg.Failure(
                f"{context.asset_key.path[-1]}: files of {obj.manifest.track} are missing from storage"
            )
        self.storage.artefacts.publish(obj)
        record(self.storage.database, obj.manifest)
        describe(self.storage.database, obj, self.storage.sources)

    def load_input(self, context: dg.InputContext) -> Artefact:
        stage, track = context.asset_key.path[-1], context.partition_key
        artefact = self.storage.artefacts.current(stage, track)
        if artefact is None:
            raise dg.Failure(
                f"{stage}: there is no artefact of {track} in storage; materialise {stage} first"
            )
        return artefact
