"""The command line: `resonate process`, `separate`, `engines`, `status`, `cache`, `library`, `demo`."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from resonate_studio.library_commands import library
from resonate_studio.separation_commands import engines, separate
from resonate_studio.terminal import FILES, HOME, JSON, Age, print_json, shown, store_of, writable
from resonate_studio.terminal import console as console_of

if TYPE_CHECKING:
    from rich.console import Console

    from resonate_studio.processing import Account, Preset, StageDone


@click.group()
@click.version_option(version("resonate"), prog_name="resonate")
def main() -> None:
    """Any track into studio material: stems, restoration, MIDI, mix, master."""
    # Dagster marks parts of its API as beta at import; the pins in pyproject.toml take care of that.
    warnings.filterwarnings("ignore", module="dagster")


@main.command()
@FILES
@HOME
@click.option(
    "--preset",
    type=click.Choice(["conservative", "balanced", "aggressive"]),
    default="balanced",
    show_default=True,
    help="How far restoration, mix and master may go.",
)
@JSON
def process(files: tuple[Path, ...], home: Path | None, preset: Preset, as_json: bool) -> None:
    """Take FILES through every stage, each for itself: one that can't be used does not stop the others."""
    from resonate_studio.home import open_instance, settings_for
    from resonate_studio.processing import Processor

    console = console_of(quiet=as_json)
    settings = settings_for(home)
    with writable(settings.home), open_instance(settings) as instance:
        processor = Processor(settings, instance, preset)
        with _progress(console, len(files)) as stage_done:
            accounts = [processor.process(file, stage_done) for file in files]
        _warn(processor.update_library())
    if as_json:
        print_json({"tracks": [_as_json(account) for account in accounts]})
    else:
        for account in accounts:
            _tell(console, account, processor.storage.store.location("artefacts"))
    sys.exit(0 if all(account.error is None for account in accounts) else 1)


main.add_command(separate)
main.add_command(engines)
main.add_command(library)


@main.command()
@HOME
@JSON
def status(home: Path | None, as_json: bool) -> None:
    """What is in the library, what is unfinished, and what was rejected, with the reason."""
    from resonate_studio.home import open_instance, settings_for
    from resonate_studio.library_status import library_status

    settings = settings_for(home)
    with writable(settings.home), open_instance(settings) as instance:
        found = library_status(settings, instance)
    if as_json:
        print_json(asdict(found))
        return
    from rich.markup import escape
    from rich.table import Table

    console = console_of(quiet=False)
    table = Table("track", "stages made", "state", box=None)
    for track in found.tracks:
        table.add_row(track.track, f"{len(track.made)} of {track.stages}", track.state)
    console.print(table)
    console.print(f"{len(found.tracks)} tracks, {len(found.rejected)} files rejected")
    for rejection in found.rejected:
        console.print(f"[yellow]rejected[/yellow] {escape(rejection.reason)}", soft_wrap=True)


@main.group()
def cache() -> None:
    """Results that are kept so that going back to earlier settings costs nothing."""


@cache.command("size")
@HOME
def cache_size(home: Path | None) -> None:
    """How much room results take: those that count now, and those of the cache."""
    from resonate_resources.storage.compute_cache import computations

    sizes = {True: 0, False: 0}
    for computation in computations(store_of(home)):
        sizes[computation.current] += computation.size
    click.echo(f"{sizes[True] / 1e9:.2f} GB in results that count now")
    click.echo(f"{sizes[False] / 1e9:.2f} GB in the cache")


@cache.command("clear")
@HOME
@click.option(
    "--older-than", "age", type=Age(), default="30d", show_default=True, help="Age: 30d, 12h, 0d for all."
)
def cache_clear(home: Path | None, age: float) -> None:
    """Remove results that count no longer. What a track gives now stays, however old it is."""
    from resonate_resources.storage.compute_cache import clear

    removed, size = clear(store_of(home), age)
    click.echo(f"removed {removed} results, {size / 1e9:.2f} GB")


@main.command()
@HOME
def demo(home: Path | None) -> None:
    """Compose and render a song with known stems, degrade it to a phone recording, process that, and compare
    with the truth."""
    from resonate_studio.demo import make_demo
    from resonate_studio.home import open_instance, settings_for
    from resonate_studio.processing import Processor

    console = console_of(quiet=False)
    settings = settings_for(home)
    with writable(settings.home), open_instance(settings) as instance:
        with console.status("composing and rendering a song, then recording it on a phone"):
            truth = make_demo(settings.home / "demo")
        processor = Processor(settings, instance, "balanced", truth.folder)
        with _progress(console, 1) as stage_done:
            account = processor.process(truth.recording, stage_done)
        _warn(processor.update_library())
        _tell(console, account, processor.storage.store.location("artefacts"))
        if account.error is None:
            console.print(truth.table(processor.storage.artefacts, account.track or ""))
    sys.exit(0 if account.error is None else 1)


def _warn(reason: str | None) -> None:
    """What went wrong with the library and not with a file: the files are made all the same."""
    if reason is not None:
        click.echo(f"the catalogue could not be brought up to date: {reason}", err=True)


@contextmanager
def _progress(console: Console, files: int) -> Iterator[StageDone]:
    """A bar over all stages of all files, on a terminal; nothing elsewhere."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from resonate_assets.jobs import STAGES

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("starting", total=files * len(STAGES))

        def stage_done(source: str, stage: str) -> None:
            if stage in STAGES:
                bar.update(task, advance=1, description=f"{Path(source).name}: {stage}")

        yield stage_done


def _as_json(account: Account) -> dict[str, Any]:
    return {
        "track": account.track,
        "source": account.source,
        "status": account.status,
        "error": account.error,
        "seconds": account.seconds,
        "assets": {stage: asdict(made) for stage, made in account.assets.items()},
        "checks": [asdict(check) for check in account.checks],
    }


def _tell(console: Console, account: Account, artefacts: str) -> None:
    """What was made of a file and where, for a person."""
    from rich.markup import escape
    from rich.table import Table

    name = shown(account.source)
    if account.error is not None:
        console.print(f"[red]failed[/red] {escape(account.error)}", soft_wrap=True)
        return
    console.print(f"[green]ok[/green] [bold]{name}[/bold] as {account.track}, in {account.seconds:.1f} s")
    table = Table("stage", "engine", "seconds", "made", box=None)
    for stage, made in account.assets.items():
        names = ", ".join(file.rpartition("/")[2] for file in made.files)
        table.add_row(stage, made.engine, f"{made.metadata['seconds']:.1f}", escape(names))
    console.print(table)
    for check in account.checks:
        if not check.passed:
            console.print(f"[yellow]check[/yellow] {check.asset}: {check.name} did not pass")
    if "exports" in account.assets:
        folder = account.assets["exports"].metadata["folder"]
        console.print(f"exported to [bold]{escape(str(folder))}[/bold]", soft_wrap=True)
        console.print(f"everything else is in {escape(artefacts)}/<stage>/{account.track}", soft_wrap=True)


if __name__ == "__main__":
    main()
