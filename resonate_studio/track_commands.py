"""`resonate retry` and `resonate remove`: tracks that are known."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from resonate_studio.batch import Batch
from resonate_studio.requirements import require_all
from resonate_studio.stopping import stoppable
from resonate_studio.terminal import HOME, JSON, Command, plain, print_json

if TYPE_CHECKING:
    import dagster as dg

    from resonate_assets.settings import Settings

_RETRIED = ("failed", "stopped", "unfinished", "waiting")


@click.command(cls=Command)
@click.argument("tracks", nargs=-1, metavar="TRACK...")
@click.option("--failed", is_flag=True, help="Every track that failed, was stopped, or is not finished.")
@HOME
@JSON
def retry(tracks: tuple[str, ...], failed: bool, home: Path | None, as_json: bool) -> None:
    """Take tracks through every stage again: what is made already is found, what is missing is made.

    TRACK: a track's key, or any beginning of one that is no other's.
    """
    if bool(tracks) == failed:
        raise click.UsageError("give tracks, or --failed")
    with stoppable() as stopping:
        from resonate_studio.home import open_instance, require_home, settings_for
        from resonate_studio.processing import Processor

        require_all()
        settings = settings_for(home)
        require_home(settings)
        with open_instance(settings) as instance:
            names = _failed(settings, instance) if failed else _named(instance, tracks)
            batch = Batch(names, as_json)
            stopping.tell = batch.tell_stopped
            processor = Processor(settings, instance)
            batch.carry_out(
                processor, lambda number, tell: processor.process_again(names[number], tell), stopping
            )
            batch.tell(processor.storage.store.location("").rstrip("/"))
            if not names and not as_json:
                click.echo("no track has failed or is unfinished")
    sys.exit(batch.exit_code)


@click.command(cls=Command)
@click.argument("tracks", nargs=-1, required=True, metavar="TRACK...")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--keep-exports", is_flag=True, help="Leave the folders in exports/.")
@HOME
@JSON
def remove(tracks: tuple[str, ...], yes: bool, keep_exports: bool, home: Path | None, as_json: bool) -> None:
    """Remove tracks with all that was made of them. The files that they were made of are not touched.

    TRACK: a track's key, or any beginning of one that is no other's.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from resonate_assets.definitions import build_defs
    from resonate_studio.hearing.light_store import LightStore
    from resonate_studio.home import open_instance, require_home, settings_for
    from resonate_studio.processing import Processor
    from resonate_studio.removing import Removal
    from resonate_studio.trouble import trouble

    settings = settings_for(home)
    require_home(settings)
    with open_instance(settings) as instance:
        names = _named(instance, tracks)
        storage = build_defs(settings).resources["storage"]  # type: ignore[index]
        light = LightStore.of_home(settings)
        removals = [Removal(storage, instance, name, light) for name in names]
        if not yes:
            if as_json:
                raise click.UsageError("--json asks nothing: give --yes")
            for removal in removals:
                folder = removal.exports()
                kept = "" if keep_exports or folder is None else f", {folder}"
                click.echo(f"{removal.track}: all that was made of it{plain(kept)}")
            click.confirm("Remove?", abort=True)
        refused = {}
        for removal in removals:
            try:
                reason = removal.carry_out(keep_exports)
            except (OSError, SQLAlchemyError) as error:  # the others are removed all the same
                reason = f"{removal.track}: {trouble(error, storage.store.location(''))}"
            if reason is not None:
                refused[removal.track] = reason
        if len(refused) < len(names):
            reason = Processor(settings, instance).update_library()
            if reason is not None:
                click.echo(f"the catalogue could not be brought up to date: {reason}", err=True)
    removed = [name for name in names if name not in refused]
    if as_json:
        print_json({"removed": removed, "refused": refused})
    else:
        for name in removed:
            click.echo(f"removed {name}")
        for reason in refused.values():
            click.echo(reason, err=True)
    sys.exit(1 if refused else 0)


def _named(instance: dg.DagsterInstance, beginnings: tuple[str, ...]) -> list[str]:
    from resonate_studio.tracks import find_track

    return list(dict.fromkeys(find_track(instance, beginning) for beginning in beginnings))


def _failed(settings: Settings, instance: dg.DagsterInstance) -> list[str]:
    from resonate_studio.library_status import library_status

    return [one.track for one in library_status(settings, instance).tracks if one.state in _RETRIED]
