"""All that routes need of one home, made once an application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from anyio import CapacityLimiter
from fastapi import Depends, Request

from resonate_studio.api.archive import Places
from resonate_studio.api.briefs import Briefs
from resonate_studio.api.events import Events
from resonate_studio.api.jobs import Jobs
from resonate_studio.api.lending import Lent
from resonate_studio.api.library import Library
from resonate_studio.api.opened import Opened
from resonate_studio.api.tracks import Tracks
from resonate_studio.api.uploads import AT_ONCE, most_bytes
from resonate_studio.hearing.light_copies import LightCopies
from resonate_studio.hearing.light_store import LightStore


@dataclass(frozen=True)
class Serving:
    """upload_bytes: the most that one may be; uploads: how many at once; archives: likewise."""

    opened: Opened
    copies: LightCopies
    library: Library
    briefs: Briefs
    jobs: Jobs
    tracks: Tracks
    events: Events
    upload_bytes: int
    uploads: CapacityLimiter
    archives: Places
    lent: Lent

    @classmethod
    def of(cls, opened: Opened) -> Serving:
        """Raises ValueError, in one line, for a setting of the environment that can't be meant."""
        library, briefs = Library(opened), Briefs(opened)
        jobs, copies = Jobs(opened, briefs), LightCopies(LightStore.of_home(opened.settings))
        return cls(
            opened,
            copies,
            library,
            briefs,
            jobs,
            Tracks(opened, library, jobs, copies),
            Events(opened, jobs, library),
            most_bytes(),
            CapacityLimiter(AT_ONCE),
            Places(),
            Lent(opened.storage),
        )


def _serving(request: Request) -> Serving:
    found: Serving = request.app.state.serving
    return found


Served = Annotated[Serving, Depends(_serving)]
"""A parameter of a route."""
