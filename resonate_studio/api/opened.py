"""The home that an application works on, as its routes are given it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import dagster as dg
from fastapi import Depends, Request

from resonate_assets.settings import Settings
from resonate_resources.recordings.recording import Recording
from resonate_resources.storage.resource import StorageResource


@dataclass(frozen=True)
class Opened:
    """One home, its instance, and its graph, for as long as the application lives. From any thread."""

    settings: Settings
    instance: dg.DagsterInstance
    storage: StorageResource
    defs: dg.Definitions
    dagster_url: str | None = None
    """Of its web UI, where that is shown."""

    def version_recording(self, track: str, version_id: str) -> Recording:
        """The recording of a version that can be heard, such as `master` or `stems:vocals@0123456789abcdef`.

        Raises ProblemError, 404, where there is none.
        """
        from resonate_studio.api.hearable import recording_of

        return recording_of(self.storage, track, version_id)


def _opened(request: Request) -> Opened:
    found: Opened = request.app.state.opened
    return found


OpenedHome = Annotated[Opened, Depends(_opened)]
"""A parameter of a route."""
