"""A home without a graph, and one who watches its inbox."""

import pytest

from resonate_resources.storage.inbox import FolderInbox
from resonate_resources.storage.resource import StorageResource
from resonate_tests.homes import files_lie_still, inbox, instance, storage
from resonate_tests.resources.ingestion.watching import Watcher

__all__ = ["files_lie_still", "inbox", "instance", "storage"]


@pytest.fixture
def watcher(inbox: FolderInbox, storage: StorageResource, files_lie_still: None) -> Watcher:
    return Watcher(inbox, storage)
