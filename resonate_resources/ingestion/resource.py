"""Where new music is looked for, as a resource of the graph."""

from pathlib import Path

import dagster as dg

from resonate_resources.recordings.limits import Limits
from resonate_resources.storage.inbox import BucketInbox, FolderInbox
from resonate_resources.storage.resource import S3Resource


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
    s3: dg.ResourceDependency[S3Resource]

    @property
    def limits(self) -> Limits:
        return Limits(self.duration_hours, self.decoded_gib, self.artwork_mib, self.free_gib)

    def watched_folder(self) -> FolderInbox | None:
        return FolderInbox(Path(self.folder).expanduser()) if self.folder else None

    def root_of(self, file: Path | None) -> Path:
        """The watched folder that a file lies in; where it lies in none, its own."""
        watched = self.watched_folder()
        root = watched.folder if watched else None
        if root and (file is None or file.is_relative_to(root)):
            return root
        return file.parent if file else Path()

    def watched_bucket(self) -> BucketInbox | None:
        return BucketInbox(self.s3.get_client(), self.bucket) if self.bucket else None
