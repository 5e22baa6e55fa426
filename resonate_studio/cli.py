"""The command line: `process`, `brief`, `separate`, `engines`, `status`, `library`, `cache`, `prepare`, `demo`."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from resonate_studio.brief_commands import brief
from resonate_studio.library_commands import library
from resonate_studio.requirements import require_all
from resonate_studio.separation_commands import engines, separate
from resonate_studio.terminal import FILES, HOME, JSON, Age, print_json, shown, store_of, writable
from resonate_studio.terminal import console as console_of

if TYPE_CHECKING:
    from rich.console import Console

    from resonate_resources.preset import Preset
    from resonate_studio.processing import Processed, StageDone


@click.group()
@click.version_option(version("resonate-studio"), prog_name="resonate")
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
    help="How far restoration, mix and master may go: short for the `preset` of all three.",
)
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="SECTION.NAME=VALUE",
    help="A setting of the brief, kept for these tracks; as often as needed. `resonate brief show` lists them.",
)
@JSON
def process(
    files: tuple[Path, ...],
    home: Path | None,
    preset: Preset | None,
    assignments: tuple[str, ...],
    as_json: bool,
) -> None:
    """Take FILES through every stage, each for itself: one that can't be used does not stop the others."""
    from resonate_studio.brief_commands import parsed, with_preset
    from resonate_studio.home import open_instance, settings_for
    from resonate_studio.processing import Processor

    require_all()
    console = console_of(quiet=as_json)
    wanted = with_preset(preset) | parsed(assignments)
    settings = settings_for(home)
    with writable(settings.home), open_instance(settings) as instance:
        processor = Processor(settings, instance, wanted)
        with _progress(console, len(files)) as stage_done:
            processed = [processor.process(file, stage_done) for file in files]
        _warn(processor.update_library())
    if as_json:
        print_json({"tracks": [_as_json(done) for done in processed]})
    else:
        for done in processed:
            _tell(console, done, processor.storage.store.location("").rstrip("/"))
    sys.exit(0 if all(done.error is None for done in processed) else 1)


main.add_command(separate)
main.add_command(engines)
main.add_command(brief)
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
    """How much room results take, by stage and engine: those that count now, and those of the cache."""
    from rich.table import Table

    from resonate_resources.storage.compute_cache import Computation, computations

    found = list(computations(store_of(home)))

    def gigabytes(of: Iterable[Computation]) -> str:
        return f"{sum(computation.size for computation in of) / 1e9:.2f}"

    table = Table("stage", "engine", "GB that count now", "GB in the cache", box=None)
    for stage, engine in sorted({(one.stage, one.engine) for one in found}):
        of_both = [one for one in found if (one.stage, one.engine) == (stage, engine)]
        table.add_row(
            stage,
            engine or "(unfinished)",
            gigabytes(one for one in of_both if one.current),
            gigabytes(one for one in of_both if not one.current),
        )
    console_of(quiet=False).print(table)
    click.echo(f"{gigabytes(one for one in found if one.current)} GB in results that count now")
    click.echo(f"{gigabytes(one for one in found if not one.current)} GB in the cache")


@cache.command("clear")
@HOME
@click.option(
    "--older-than", "age", type=Age(), default="30d", show_default=True, help="Age: 30d, 12h, 0d for all."
)
def cache_clear(home: Path | None, age: float) -> None:
    """Remove results that count no longer, and what killed runs left. What a track gives now stays, however old
    it is, and nothing is removed of a track that is worked at."""
    from resonate_assets.runs import tracks_under_way
    from resonate_resources.storage.compute_cache import clear
    from resonate_resources.storage.heartbeats import tracks_in_use
    from resonate_studio.home import open_instance, settings_for

    settings = settings_for(home)
    with writable(settings.home), open_instance(settings) as instance:
        store = store_of(home)
        cleared = clear(store, age, lambda: tracks_in_use(settings.database_url) | tracks_under_way(instance))
    click.echo(
        f"removed {cleared.results} results and {cleared.leftovers} that were never finished, "
        f"{cleared.size / 1e9:.2f} GB"
    )
    for track in cleared.in_use:
        click.echo(f"passed over {track}: it is worked at; try again when that is done")


@main.command()
@HOME
def prepare(home: Path | None) -> None:
    """Make a home ready for the daemon and the web UI: its folders, its databases, and Dagster's configuration for
    the cores and the memory of this machine, where there is none yet."""
    from resonate_resources.storage.pools import Pool, places
    from resonate_studio.home import open_instance, settings_for

    settings = settings_for(home)
    with writable(settings.home), open_instance(settings):
        Path(settings.inbox).mkdir(parents=True, exist_ok=True)
    pools: tuple[Pool, ...] = ("cores", "gpu", "cloud")
    click.echo(f"{settings.home}: ready; places: {', '.join(f'{places(pool)} {pool}' for pool in pools)}")


@main.command()
@HOME
def demo(home: Path | None) -> None:
    """Compose and render a song with known stems, degrade it to a phone recording, process that, and compare
    with the truth."""
    from resonate_studio.demo import make_demo
    from resonate_studio.home import open_instance, settings_for
    from resonate_studio.processing import Processor

    require_all()
    console = console_of(quiet=False)
    settings = settings_for(home)
    with writable(settings.home), open_instance(settings) as instance:
        with console.status("composing and rendering a song, then recording it on a phone"):
            truth = make_demo(settings.home / "demo")
        processor = Processor(settings, instance, {"separation.truth": str(truth.folder)})
        with _progress(console, 1) as stage_done:
            done = processor.process(truth.recording, stage_done)
        _warn(processor.update_library())
        _tell(console, done, processor.storage.store.location("").rstrip("/"))
        if done.error is None:
            console.print(truth.table(processor.storage.artefacts, done.track or ""))
    sys.exit(0 if done.error is None else 1)


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


def _as_json(done: Processed) -> dict[str, Any]:
    return {
        "track": done.track,
        "source": done.source,
        "status": done.status,
        "error": done.error,
        "seconds": done.seconds,
        "assets": {stage: asdict(made) for stage, made in done.assets.items()},
        "checks": [asdict(check) for check in done.checks],
    }


def _tell(console: Console, done: Processed, root: str) -> None:
    """What was made of a file and where, for a person."""
    from rich.markup import escape
    from rich.table import Table

    name = shown(done.source)
    if done.error is not None:
        console.print(f"[red]failed[/red] {escape(done.error)}", soft_wrap=True)
        return
    console.print(f"[green]ok[/green] [bold]{name}[/bold] as {done.track}, in {done.seconds:.1f} s")
    table = Table("stage", "engine", "seconds", "made", box=None)
    for stage, made in done.assets.items():
        names = ", ".join(file.rpartition("/")[2] for file in made.files)
        table.add_row(stage, made.engine, f"{made.metadata['seconds']:.1f}", escape(names))
    console.print(table)
    for check in done.checks:
        if not check.passed:
            console.print(f"[yellow]check[/yellow] {check.asset}: {check.name} did not pass")
    if "exports" in done.assets:
        folder = f"{root}/{done.assets['exports'].metadata['folder']}"
        console.print(f"exported to [bold]{escape(str(folder))}[/bold]", soft_wrap=True)
        console.print(f"everything else is in {escape(root)}/artefacts/<stage>/{done.track}", soft_wrap=True)


if __name__ == "__main__":
    main()
