"""Where new music is looked for, as a resource of the graph."""

from collections.abc import Sequence
from pathlib import Path

import dagster as dg

from resonate_resources.exporting.recognised import made_by_us
from resonate_resources.ingestion.scanning import is_of_a_library
from resonate_resources.recordings.limits import Limits
from resonate_resources.storage.inbox import BucketInbox, FolderInbox, Inbox
from resonate_resources.storage.resource import S3Resource
from resonate_resources.storage.scanned import ScannedLibrary, scanned_folders


class InboxResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where new music is looked for (empty: not watched), and how large a file may be."""

    folder: str = ""
    bucket: str = ""
    """`s3://bucket/prefix`."""
    per_look: int = 20
    """Files taken in at one look, at most: a big library comes in over many looks, without a flood of runs."""
    duration_hours: float = Limits.duration_hours
    decoded_gib: float = Limits.decoded_gib
    artwork_mib: float = Limits.artwork_mib
    free_gib: float = Limits.free_gib
    libraries: list[str] = []  # noqa: RUF012 — pydantic copies it
    """Music libraries: folders and `s3://bucket/prefix`."""
    no_music: list[str] = []  # noqa: RUF012 — as above
    """Folders in which nothing is the user's music, wherever in a library they lie."""
    s3: dg.ResourceDependency[S3Resource]

    @property
    def limits(self) -> Limits:
        return Limits(self.duration_hours, self.decoded_gib, self.artwork_mib, self.free_gib)

    def watched_folder(self) -> FolderInbox | None:
        return FolderInbox(Path(self.folder).expanduser()) if self.folder else None

    def root_of(self, file: Path | None, database: str) -> Path:
        """The library, of those that are known or ever were scanned, or the watched folder that a file lies in, the
        innermost; where it lies in none, its own. database: its URL."""
        watched = self.watched_folder()
        if file is None:
            return watched.folder if watched else Path()
        known = [Path(uri).expanduser().absolute() for uri in self.libraries if not _is_s3(uri)]
        known += scanned_folders(database)
        roots = [
            root for root in (*known, *([watched.folder] if watched else [])) if file.is_relative_to(root)
        ]
        return max(roots, key=lambda root: len(root.parts), default=file.parent)

    def watched_bucket(self) -> BucketInbox | None:
        return BucketInbox(self.s3.get_client(), self.bucket) if self.bucket else None

    def library(self, uri: str, database: str) -> tuple[Inbox, ScannedLibrary]:
        """Where a library's files are, and the plan of it. database: its URL. Raises ValueError for what is no
        address."""
        place: Inbox
        if _is_s3(uri):
            place = BucketInbox(self.s3.get_client(), uri.rstrip("/"), is_of_a_library)
        else:
            place = FolderInbox(Path(uri).expanduser(), is_of_a_library, made_by_us)
        return place, ScannedLibrary(database, place.uri)

    def known_libraries(self, database: str) -> Sequence[tuple[Inbox, ScannedLibrary]]:
        return [self.library(uri, database) for uri in self.libraries]


def _is_s3(uri: str) -> bool:
    return uri.lower().startswith("s3://")
