"""Storage as Dagster sees it: where artefacts, sources and exports are kept."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import dagster as dg

from resonate_resources.storage.artefacts import Artefact, Artefacts
from resonate_resources.storage.current import record
from resonate_resources.storage.inbox import download
from resonate_resources.storage.s3_store import S3Store
from resonate_resources.storage.sources import Sources
from resonate_resources.storage.store import LocalStore, Store

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Resource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """S3: Amazon's, or what speaks its language at another endpoint. Credentials are found as boto3 finds them.

    dagster_aws' own resource, imported when it is used: all of Amazon's services come with it, which would be a
    third of the time in which the code location loads.
    """

    endpoint_url: str | None = None
    region_name: str | None = None

    def get_client(self) -> "S3Client":
        from dagster_aws import s3

        resource = s3.S3Resource(endpoint_url=self.endpoint_url, region_name=self.region_name)
        client: S3Client = resource.get_client()
        return client


class StorageResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """One root for everything Resonate keeps: a local directory, or `s3://bucket/prefix`."""

    root: str
    s3: dg.ResourceDependency[S3Resource]
    cache: str
    """Local directory through which files on S3 pass."""
    cache_gib: float = 20.0
    database: str
    """URL of what processes must agree on; see resonate_resources.storage.database."""

    @cached_property
    def store(self) -> Store:
        if not self.root.startswith("s3://"):
            return LocalStore(Path(self.root).expanduser().absolute())
        parts = urlsplit(self.root)
        cache = Path(self.cache).expanduser().absolute()
        return S3Store(
            self.s3.get_client(), parts.netloc, parts.path, cache, cache_bytes=int(self.cache_gib * 2**30)
        )

    @cached_property
    def artefacts(self) -> Artefacts:
        return Artefacts(self.store)

    @cached_property
    def sources(self) -> Sources:
        return Sources(self.store)

    def local_copy(self, uri: str, directory: Path) -> Path:
        """A source on local disk: the user's own file, or a copy of an S3 object in directory."""
        return download(self.s3.get_client(), uri, directory) if uri.startswith("s3://") else Path(uri)


class ArtefactIOManager(dg.ConfigurableIOManager):
    """Publishes what a stage made, and loads what earlier stages made, for the run's partition.

    The stage's files are in the store before it gets here; publishing writes the manifest, last.
    """

    storage: dg.ResourceDependency[StorageResource]

    def handle_output(self, context: dg.OutputContext, obj: Artefact) -> None:
        if not obj.complete():
            raise dg.Failure(
                f"{context.asset_key.path[-1]}: files of {obj.manifest.track} are missing from storage"
            )
        self.storage.artefacts.publish(obj)
        record(self.storage.database, obj.manifest)

    def load_input(self, context: dg.InputContext) -> Artefact:
        stage, track = context.asset_key.path[-1], context.partition_key
        artefact = self.storage.artefacts.current(stage, track)
        if artefact is None:
            raise dg.Failure(
                f"{stage}: there is no artefact of {track} in storage; materialise {stage} first"
            )
        return artefact
