"""A batch of files or tracks: what is done and what is not, at its end or wherever it is stopped."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from resonate_studio.outcome import Processed
from resonate_studio.terminal import console, one_line, plain, print_json, shown

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bars

    from resonate_studio.processing import Processor, StageDone
    from resonate_studio.stopping import Stopping

_IN_THE_VERDICT = {"quality_is_accepted", "stems_are_good", "limiting_is_gentle"}
"""Checks that warn of what the verdict tells in words."""
_NOT_DONE = "stopped before it was done; what was made of it is kept, and the same command goes on from there"


@dataclass
class Batch:
    """sources: as the user named them, in their order. passed_over: files of folders that are no audio."""

    sources: Sequence[str]
    as_json: bool
    passed_over: Sequence[str] = ()
    done: list[Processed] = field(default_factory=list)
    _bars: Bars | None = None
    _processor: Processor | None = None

    def carry_out(
        self, processor: Processor, work: Callable[[int, StageDone], Processed], stopping: Stopping
    ) -> None:
        """Each for itself: what is wrong with one stops no other. work: of the number of a source."""
        self._processor = processor
        with self._progress() as stage_done:
            for number in range(len(self.sources)):
                stopping.hold()
                self.done.append(work(number, stage_done))
        if any(one.track for one in self.done):
            stopping.hold()
            if (reason := processor.update_library()) is not None:
                click.echo(f"the catalogue could not be brought up to date: {reason}", err=True)

    def tell(self, root: str) -> None:
        """What came of each. root: where storage is."""
        if self.as_json:
            self._print_json([_as_json(one) for one in self.done])
            return
        terminal = console(quiet=False)
        for one in self.done:
            _tell(terminal, one, root)
        if self.passed_over:
            names = ", ".join(plain(Path(name).name) for name in self.passed_over[:5])
            more = f" and {len(self.passed_over) - 5} more" if len(self.passed_over) > 5 else ""
            click.echo(f"passed over, as they are no audio: {names}{more}")

    @contextmanager
    def or_none_of_it(self) -> Iterator[None]:
        """For what comes before the first one: where that fails, programs get their object all the same, with the
        reason at each source."""
        try:
            with one_line():
                yield
        except click.ClickException as error:
            if not self.as_json:
                raise
            self._print_json(self._rows(error.format_message()))
            error.show()
            sys.exit(error.exit_code)

    def tell_stopped(self) -> None:
        """What is done and what is not, from another thread, while this one may still be at work."""
        if self._processor is not None:
            with suppress(Exception):  # a database that is away must not keep anybody from being told
                self._processor.cancel()
        if self._bars is not None:
            self._bars.stop()
        left = self.sources[len(self.done) :]
        if self.as_json:
            self._print_json(self._rows(_NOT_DONE, stopped=True))
        elif self._processor is not None:
            self.tell(self._processor.storage.store.location("").rstrip("/"))
        tell_left(len(self.done), left)

    def _rows(self, reason: str, stopped: bool = False) -> list[dict[str, Any]]:
        """What is done, and the rest, which is not for this reason."""
        left = self.sources[len(self.done) :]
        rest = [Processed(source, error=reason, stopped=stopped) for source in left]
        return [_as_json(one) for one in (*self.done, *rest)]

    @property
    def exit_code(self) -> int:
        return 0 if all(one.error is None for one in self.done) else 1

    def _print_json(self, rows: list[dict[str, Any]]) -> None:
        more = {"passed_over": [*self.passed_over]} if self.passed_over else {}
        print_json({"tracks": rows, **more})

    @contextmanager
    def _progress(self) -> Iterator[StageDone]:
        """A bar over all stages of all files, on a terminal; nothing elsewhere."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        from resonate_assets.jobs import STAGES

        terminal = console(quiet=self.as_json)
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        with Progress(*columns, console=terminal, transient=True, disable=not terminal.is_terminal) as bars:
            self._bars = bars
            task = bars.add_task("starting", total=len(self.sources) * len(STAGES))

            def stage_done(source: str, stage: str) -> None:
                if stage in STAGES:
                    bars.update(task, advance=1, description=f"{shown(source)}: {stage}")

            yield stage_done


def tell_left(done: int, left: Sequence[str]) -> None:
    """The last words of a batch that was stopped."""
    click.echo(f"stopped: {done} of {done + len(left)} done", err=True)
    for source in left:
        click.echo(f"not done: {plain(source)}", err=True)
    if left:
        click.echo("the same command goes on from there", err=True)


def _as_json(done: Processed) -> dict[str, Any]:
    return {
        "track": done.track,
        "source": done.source,
        "status": done.status,
        "error": done.error,
        "seconds": done.seconds,
        "follows": done.follows,
        "replaced": done.replaced,
        "assets": {stage: asdict(made) for stage, made in done.assets.items()},
        "checks": [asdict(check) for check in done.checks],
        "accepted": done.accepted,
        "why_not": done.why_not,
    }


def names_of(files: Sequence[str]) -> str:
    """Of one artefact, within its folder: "bass.mid, quantised/bass.mid"."""
    from resonate_assets.shown import names_shown

    folder = min((file.rpartition("/")[0] for file in files), key=len, default="")
    return ", ".join(names_shown([file.removeprefix(f"{folder}/") for file in files]))


def _tell(terminal: Console, done: Processed, root: str) -> None:
    """What was made of a file and where, for a person."""
    from rich.markup import escape
    from rich.table import Table

    from resonate_assets.acceptance import Acceptance, rebuilt_told

    if done.error is not None:
        terminal.print(f"[red]failed[/red] {escape(done.error)}", soft_wrap=True)
        return
    name, took = shown(done.source), f"{done.seconds:.1f} s"
    terminal.print(f"[green]ok[/green] [bold]{name}[/bold] as {done.track}, in {took}", soft_wrap=True)
    table = Table(box=None, pad_edge=False)  # on 80 columns names of files have room
    for title in ("stage", "engine"):
        table.add_column(title, no_wrap=True)
    table.add_column("seconds", justify="right", no_wrap=True)
    table.add_column("made", overflow="fold")
    for stage, made in done.assets.items():
        if not made.files:  # a target that is not asked for
            continue
        seconds = "cached" if made.from_cache else f"{made.metadata['seconds']:.1f}"
        table.add_row(stage, escape(made.engine), seconds, escape(names_of(made.files)))
    terminal.print(table)
    if done.accepted is not None or done.why_not:
        verdict = Acceptance(done.accepted, (done.why_not,))
        terminal.print(f"[{'green' if done.accepted else 'yellow'}]{escape(str(verdict))}", soft_wrap=True)
    scores = done.assets.get("qc_scores")
    if done.accepted is not None and scores and (rebuilt := rebuilt_told(scores.metadata)):
        terminal.print(f"the rebuilt track {rebuilt}", soft_wrap=True, highlight=False)
    for check in done.checks:
        if not check.passed and not (done.accepted is False and check.name in _IN_THE_VERDICT):
            terminal.print(f"[yellow]check[/yellow] {check.asset}: {check.name} did not pass")
    if done.replaced:
        terminal.print(f"{done.follows}, made of this file before it changed, was removed", soft_wrap=True)
    elif done.follows:
        terminal.print(
            f"[yellow]follows[/yellow] {done.follows}, made of this file before it changed; to have that one "
            f"removed: resonate remove {done.follows} (or process with --replace)",
            soft_wrap=True,
        )
    if "exports" in done.assets:
        folder = f"{root}/{done.assets['exports'].metadata['folder']}"
        terminal.print(f"exported to [bold]{escape(plain(folder))}[/bold]", soft_wrap=True)
        terminal.print(
            f"everything else is in {escape(plain(root))}/artefacts/<stage>/{done.track}: manifest.json names the "
            "folder that counts",
            soft_wrap=True,
        )
