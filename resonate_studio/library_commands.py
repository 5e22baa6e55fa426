"""`resonate library`: what is in it, and what keeps its records in order, by hand, as the nightly schedules do."""

from __future__ import annotations

from pathlib import Path

import click

from resonate_studio.batch_command import scan_libraries
from resonate_studio.catalogue_commands import find_duplicates, find_tracks, list_tracks, show_track
from resonate_studio.terminal import HOME, Age, Group, store_of


@click.group(cls=Group)
def library() -> None:
    """The library: what is in it, and its records: compare them with storage, look at an inbox anew, prune runs."""


for command in (list_tracks, find_tracks, show_track, find_duplicates):
    library.add_command(command)


@library.command("rebuild-index")
@HOME
def rebuild_index(home: Path | None) -> None:
    """Make the index of what is current say what storage does: after storage or the database was lost or mended."""
    from resonate_resources.storage.current import rebuild
    from resonate_resources.storage.tracks import describe_missing
    from resonate_studio.home import require_home, require_storage, settings_for

    settings = settings_for(home)
    require_storage(settings)
    if settings.storage == str(settings.home):  # elsewhere, the index may be all that is kept here
        require_home(settings, with_database=False)
    store = store_of(home)
    wrong = rebuild(settings.database_url, store)
    describe_missing(settings.database_url, store)
    click.echo(f"{wrong} rows did not agree with storage")


@library.command("look-again")
@HOME
def look_again(home: Path | None) -> None:
    """Look at every file of the inboxes anew: after Dagster's database was lost. No track becomes another by it."""
    from resonate_resources.storage.taken_in import TakenIn
    from resonate_studio.home import require_home, settings_for

    settings = settings_for(home)
    inboxes = [str(Path(settings.inbox).expanduser().absolute()), settings.bucket]
    require_home(settings)
    for inbox in filter(None, inboxes):
        TakenIn(settings.database_url, inbox).forget()
        click.echo(f"{inbox}: every file is looked at anew")


@library.command("prune")
@HOME
@click.option(
    "--older-than", "age", type=Age(), default="30d", show_default=True, help="Age: 30d, 12h, 0d for all."
)
@click.option(
    "--at-most", type=click.IntRange(min=1), default=1000, show_default=True, help="Runs to delete."
)
def prune_runs(home: Path | None, age: float, at_most: int) -> None:
    """Delete old runs of which everything has been made anew since. The latest of each stage and track stays."""
    from resonate_assets.pruning import prune
    from resonate_studio.home import open_instance, require_home, settings_for

    settings = settings_for(home)
    require_home(settings)
    with open_instance(settings) as instance:
        removed = prune(instance, age, at_most)
    click.echo(f"deleted {removed} runs")


library.add_command(scan_libraries)
