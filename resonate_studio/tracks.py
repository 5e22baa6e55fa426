"""Tracks as people name them."""

from __future__ import annotations

import click
import dagster as dg

from resonate_assets.partitions import tracks


def find_track(instance: dg.DagsterInstance, beginning: str) -> str:
    """The one track key that begins so, or is it. Raises ClickException where there is none, or more than one."""
    known = instance.get_dynamic_partitions(str(tracks.name))
    if beginning in known:
        return beginning
    found = sorted(track for track in known if beginning and track.startswith(beginning))
    if len(found) == 1:
        return found[0]
    if not found:
        raise click.ClickException(f"{beginning}: no track's key begins so; `resonate status` lists them")
    shown = ", ".join(found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")
    raise click.ClickException(f"{beginning}: {len(found)} tracks begin so: {shown}")
