"""`resonate separate` and `resonate engines`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from resonate_studio.batch import tell_left
from resonate_studio.outcome import Separated
from resonate_studio.stopping import Stopping, stoppable
from resonate_studio.terminal import FILES, HOME, JSON, Command, console, print_json, shown, store_of

if TYPE_CHECKING:
    from rich.console import Console

    from resonate_resources.recordings.recording import Progress
    from resonate_studio.separating import Format

    ProgressOf = Callable[[Path], Progress]


@click.command(cls=Command)
@FILES
@HOME
@click.option(
    "--engine",
    default="auto",
    show_default=True,
    metavar="auto|NAME",
    help="The only engine to use, as name or name:model; `resonate engines` lists them.",
)
@click.option("--stems", type=click.Choice(["2", "4", "6"]), default="4", show_default=True, help="How many.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default="separated",
    show_default=True,
    help="A folder for each file comes into being there.",
)
@click.option("--format", "form", type=click.Choice(["wav", "flac"]), default="wav", show_default=True)
@click.option(
    "--exact-sum", is_flag=True, help="Make the stems sum to the mix; as they were, they go into raw/."
)
@click.option("--priority", type=click.Choice(["none", "vocals"]), default="none", help="What matters most.")
@click.option(
    "--policy",
    type=click.Path(dir_okay=False, exists=True),
    default=None,
    help="A file like policy.toml: which engines, in what order.",
)
@click.option(
    "--truth",
    type=click.Path(file_okay=False, exists=True),
    default=None,
    help="A folder of the true stems, <stem>.wav: quality is measured, not predicted.",
)
@JSON
def separate(
    files: tuple[Path, ...],
    home: Path | None,
    engine: str,
    stems: Literal["2", "4", "6"],
    out: Path,
    form: Format,
    exact_sum: bool,
    priority: Literal["none", "vocals"],
    policy: str | None,
    truth: str | None,
    as_json: bool,
) -> None:
    """Part FILES into stems, each for itself: one that can't be used does not stop the others. Ctrl-C stops within
    seconds; the same command then goes on."""
    with stoppable() as stopping:
        from resonate_resources.separation.brief import SeparationBrief
        from resonate_resources.separation.resource import OLD_LEDGER, SeparationResource
        from resonate_resources.storage.artefacts import Artefacts
        from resonate_studio.home import make_home, settings_for
        from resonate_studio.separating import separate_file

        found: list[Separated] = []
        stopping.tell = lambda: _tell_stopped(files, [*found], as_json)
        settings = settings_for(home)
        resource = SeparationResource(
            policy=policy or "", database=settings.database_url, old_ledger=str(settings.home / OLD_LEDGER)
        )
        count: Literal[2, 4, 6] = 2 if stems == "2" else 4 if stems == "4" else 6
        brief = SeparationBrief(
            engine=engine,
            stems=count,
            priority=priority,
            exact_sum=exact_sum,
            truth=str(Path(truth).absolute()) if truth else "",
        )
        make_home(settings)
        artefacts = Artefacts(store_of(home))
        with _writable_folder(out), _progress(console(quiet=as_json), stopping) as progress_of:
            for file in files:
                stopping.hold()
                found.append(
                    separate_file(
                        file, resource, brief, artefacts, out, form, progress_of(file), batch=len(files) > 1
                    )
                )
    _tell_all(found, as_json)
    sys.exit(0 if all(one.error is None for one in found) else 1)


def _tell_engine(terminal: Console, name: str, told: str, unavailable: str | None) -> None:
    from rich.markup import escape

    state = "[green]available[/green]" if unavailable is None else "[yellow]not available[/yellow]"
    terminal.print(f"[bold]{name}[/bold] {told}  {state}", soft_wrap=True)
    if unavailable is not None:
        terminal.print(f"          [dim]{escape(unavailable)}[/dim]", soft_wrap=True)


@click.command(cls=Command)
@HOME
@JSON
def engines(home: Path | None, as_json: bool) -> None:
    """Which engines there are, which of them can run here, why the others can't; all models and their licences.

    Those that separate, then those that clone instruments.
    """
    from rich.markup import escape

    from resonate_resources.models.table import known_models
    from resonate_resources.models.weights import models_directory
    from resonate_resources.regeneration.cloning.engines import survey
    from resonate_resources.separation.resource import SeparationResource
    from resonate_studio.home import settings_for

    known = SeparationResource(database=settings_for(home).database_url).survey()
    cloning = survey()
    if as_json:
        rows = [asdict(facts) | {"available": facts.unavailable is None} for facts in known]
        cloned = [
            asdict(engine) | {"weights": str(engine.weights), "available": engine.unavailable is None}
            for engine in cloning
        ]
        models = [asdict(model) for model in known_models()]
        print_json(
            {
                "models": str(models_directory()),
                "engines": rows,
                "cloning_engines": cloned,
                "known_models": models,
            }
        )
        return
    terminal = console(quiet=False)
    for (name, model), group in groupby(known, key=lambda facts: (facts.name, facts.model)):
        offered = list(group)
        counts = " or ".join(str(count) for count in sorted(facts.stems for facts in offered))
        _tell_engine(terminal, f"{name:9}", f"{model or '':36} {counts:6} stems", offered[0].unavailable)
    terminal.print("\nInstruments after a stem's sound (regeneration.instruments=cloned):", soft_wrap=True)
    for engine in cloning:
        told = f"weights in {engine.weights}; licence: {engine.licence}"
        _tell_engine(terminal, f"{engine.name:10}", escape(told), engine.unavailable)
    terminal.print(f"weights go to {escape(str(models_directory()))}", soft_wrap=True)
    terminal.print("\nAll models, and what may be done with them:", soft_wrap=True)
    for model in known_models():
        told = (
            f"{model.purpose}; from {model.source}; licence: {model.licence}; "
            f"commercial use: {model.commercial}; has run: {model.ran}"
        )
        terminal.print(f"[bold]{escape(model.name)}[/bold]", soft_wrap=True)
        terminal.print(f"          [dim]{escape(told)}[/dim]", soft_wrap=True)


@contextmanager
def _writable_folder(out: Path) -> Iterator[None]:
    try:
        out.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise click.ClickException(f"{error.filename or out}: can't be written to ({reason})") from error


@contextmanager
def _progress(terminal: Console, stopping: Stopping) -> Iterator[ProgressOf]:
    """A bar for each file, on a terminal; nothing elsewhere."""
    from rich.progress import Progress as Bars

    with Bars(console=terminal, transient=True, disable=not terminal.is_terminal) as bar:
        tell = stopping.tell

        def tell_below_the_bars() -> None:
            bar.stop()
            tell()

        stopping.tell = tell_below_the_bars

        def progress_of(file: Path) -> Progress:
            task = bar.add_task(shown(file), total=1.0)
            return lambda part: bar.update(task, completed=part)

        yield progress_of


def _tell_all(found: Sequence[Separated], as_json: bool) -> None:
    if as_json:
        print_json({"files": [_as_json(one) for one in found]})
        return
    terminal = console(quiet=False)
    for one in found:
        _tell(terminal, one)


def _tell_stopped(files: Sequence[Path], done: Sequence[Separated], as_json: bool) -> None:
    """From another thread, while this one may still be at work."""
    left = [str(file) for file in files[len(done) :]]
    # For people those left are a line each at the end.
    stopped = [Separated(file, error="stopped before it was done", stopped=True) for file in left]
    _tell_all([*done, *stopped] if as_json else done, as_json)
    tell_left(len(done), left)


def _as_json(found: Separated) -> dict[str, Any]:
    values = asdict(found)
    del values["stopped"]
    return {"source": values.pop("source"), "status": found.status, **values}


def _tell(terminal: Console, found: Separated) -> None:
    """What came of a file, for a person."""
    from rich.markup import escape

    if found.error is not None:
        terminal.print(f"[red]failed[/red] {escape(found.error)}", soft_wrap=True)
        return
    model = f" {found.model}" if found.model else ""
    terminal.print(
        f"[green]ok[/green] [bold]{shown(found.source)}[/bold] by {found.engine}{model}, {found.seconds:.1f} s"
    )
    for name, path in found.stems.items():
        quality = found.quality.get(name, {})
        told = ""
        if quality.get("si_sdr_db") is not None and quality["kind"] == "measured":
            told = f"SI-SDR {quality['si_sdr_db']:.1f} dB"
        elif quality.get("si_sdr_db") is not None:
            told = f"predicted {quality['si_sdr_db']:.1f} ± {quality['error_db']:.1f} dB"
        terminal.print(f"  {name:8} {told:26} {escape(path)}", soft_wrap=True)
    for note in found.notes:
        terminal.print(f"  [dim]{escape(note)}[/dim]", soft_wrap=True)
