"""The brief of one track, looked at and changed from outside the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click
import dagster as dg

from resonate_assets.definitions import build_defs
from resonate_assets.jobs import set_brief
from resonate_assets.settings import Settings
from resonate_resources.brief.layers import BriefError, Resolved, nested
from resonate_resources.brief.resource import BriefResource
from resonate_resources.storage.resource import StorageResource
from resonate_studio.processing import run_quietly
from resonate_studio.tracks import find_track


class Briefing:
    """Briefs of the tracks of one home."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance) -> None:
        self._defs = build_defs(settings)
        self._instance = instance
        self._storage: StorageResource = self._defs.resources["storage"]  # type: ignore[index]
        self._briefs: BriefResource = self._defs.resources["briefs"]  # type: ignore[index]

    def track(self, beginning: str) -> str:
        """The one track whose key begins so. Raises ClickException."""
        return find_track(self._instance, beginning)

    def show(self, track: str) -> Resolved:
        """Raises ClickException where a brief can't be used."""
        try:
            return self._briefs.resolve(track, self._storage.sources.find(track))
        except BriefError as error:
            raise click.ClickException(str(error)) from error

    def change(
        self, track: str, settings: Mapping[str, Any], unset: Sequence[str]
    ) -> tuple[Resolved, str | None]:
        """Run the job set_brief, as the web UI would. Gives the brief, and in one line why it was not changed."""
        null = [name for name, value in settings.items() if value is None]
        config: dict[str, Any] = {"unset": list(unset), "null": null}
        try:
            self._briefs.check(track, self._storage.sources.find(track), settings, unset)
        except BriefError as error:
            return self.show(track), str(error)
        config |= nested({name: _formed(value) for name, value in settings.items() if value is not None})
        failed = run_quietly(
            self._defs, self._instance, set_brief.name, track, {"ops": {"brief": {"config": config}}}
        )
        return self.show(track), failed


def _formed(value: Any) -> Any:
    """As the job's form has it: its lists are of text."""
    if isinstance(value, (list, tuple)):
        return [f"{each:g}" if type(each) in (int, float) else each for each in value]
    return value
