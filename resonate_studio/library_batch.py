"""Music libraries worked through: every file that is not done, the most urgent first, and what came of it."""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from resonate_assets.jobs import STAGES
from resonate_assets.schedules import code_of_stages
from resonate_resources.ingestion.refusing import refused_in_one_line
from resonate_resources.ingestion.scanning import Scan
from resonate_resources.recordings.recording import AudioError
from resonate_resources.storage.current import tracks_with
from resonate_resources.storage.inbox import FolderInbox, Inbox
from resonate_resources.storage.scanned import ScannedFile, ScannedLibrary
from resonate_studio.copied_exports import copy_export
from resonate_studio.outcome import Processed
from resonate_studio.terminal import console, plain, print_json, shown
from resonate_studio.trouble import trouble

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from resonate_studio.processing import Processor
    from resonate_studio.stopping import Stopping

_SHOWN = 5


@dataclass
class LibraryBatch:
    """libraries: with where their files are. chosen: patterns of crates; only what is in one is worked on.
    free_bytes: what is left free on the disks."""

    processor: Processor
    libraries: Sequence[tuple[Inbox, ScannedLibrary]]
    output: Path
    chosen: Sequence[str]
    free_bytes: float
    as_json: bool
    done: list[dict[str, Any]] = field(default_factory=list)
    """source, track, folder (where the copy is), seconds."""
    found_again: list[dict[str, Any]] = field(default_factory=list)
    """The same, of content that was made before, by whatever name."""
    failed: dict[str, str] = field(default_factory=dict)
    """Source → reason."""
    left: dict[str, None] = field(default_factory=dict)
    before: int = 0
    """Files that an earlier batch had done."""
    obstacle: str | None = None
    """Why the batch ended early."""
    scans: list[Scan] = field(default_factory=list)
    _bars: Bars | None = None

    def carry_out(self, stopping: Stopping) -> None:
        """Each for itself: what is wrong with a file stops no other. Where the output or storage has no room, or
        can't be written to, all ends."""
        code = code_of_stages()
        finished = tracks_with(self.processor.storage.database, STAGES[-1])
        files = self._files()
        todo = [each for each in files if each[0].is_due(code) or self._is_to_be_filled(each[0], finished)]
        self.before = sum(1 for file, _, _ in files if file.state == "done") - sum(
            1 for file, _, _ in todo if file.state == "done"
        )
        self.left = dict.fromkeys(file.uri for file, _, _ in todo)
        self.failed = {
            file.uri: file.reason or ""
            for file, _, _ in files
            if file.state == "failed" and not file.is_due(code)
        }
        with self._progress(len(todo)) as (bars, task):
            for number, (file, place, library) in enumerate(todo):
                stopping.hold()
                if self.obstacle is None:
                    self.obstacle = self._no_room()
                if self.obstacle is not None:
                    break
                bars.update(task, completed=number * len(STAGES), description=f"{shown(file.uri)}")
                self._make(file, place, library, finished, code)
        if self.done:
            stopping.hold()
            if (reason := self.processor.update_library()) is not None:
                click.echo(f"the catalogue could not be brought up to date: {reason}", err=True)

    def _files(self) -> list[tuple[ScannedFile, Inbox, ScannedLibrary]]:
        found = [
            (file, place, library)
            for place, library in self.libraries
            for file in library.files()
            if not self.chosen or _is_chosen(file, self.chosen)
        ]
        return sorted(found, key=lambda each: (-each[0].priority, each[0].uri))

    def _make(
        self, file: ScannedFile, place: Inbox, library: ScannedLibrary, finished: set[str], code: str
    ) -> None:
        if _is_there(file, place):
            made = self._processed(file, place, finished)
        else:
            made = Processed(file.uri, error=f"{Path(file.uri).name}: is not there any more")
        if made.found and self._handed_out(made.track) is None and self.obstacle is None:
            made = self._processed(file, place, finished - {made.track or ""})  # exports what is there
        if made.error is not None or made.track is None:
            reason = made.error or "nothing came of it"
            if _is_there(file, place):
                library.note_failure(file.uri, reason, code, broken=made.broken)
            else:
                library.mark_gone([file.uri])
            self.failed[file.uri] = reason
            del self.left[file.uri]
            self._say(f"[red]failed[/red] {escape(plain(reason))}")
            return
        folder = self._handed_out(made.track)
        if self.obstacle is not None:
            return
        finished.add(made.track)
        library.note(file.uri, "done", made.track)
        del self.left[file.uri]
        told = {"source": file.uri, "track": made.track, "folder": str(folder), "seconds": made.seconds}
        if made.found:
            self.found_again.append(told)
            self._say(f"found again {shown(file.uri)} as {made.track}")
        else:
            self.done.append(told)
            self._say(f"[green]ok[/green] {shown(file.uri)} as {made.track}, in {made.seconds:.0f} s")

    def _is_to_be_filled(self, file: ScannedFile, finished: set[str]) -> bool:
        """Whether a file that is done lacks its copy (of another output, or as it was killed), and nothing is left
        to copy. A track that was removed stays so."""
        if file.state != "done" or file.track not in finished or self.obstacle is not None:
            return False
        return self._handed_out(file.track) is None and self.obstacle is None

    def _say(self, line: str) -> None:
        """As it comes: a batch takes days."""
        if self._bars is not None and not self.as_json:
            self._bars.console.print(line, soft_wrap=True)

    def _processed(self, file: ScannedFile, place: Inbox, finished: set[str]) -> Processed:
        def stage_done(_: str, stage: str) -> None:
            if self._bars is not None and stage in STAGES:
                self._bars.update(
                    self._bars.task_ids[0], advance=1, description=f"{shown(file.uri)}: {stage}"
                )

        with TemporaryDirectory(prefix="resonate-") as directory:
            try:
                with refused_in_one_line(file.uri):
                    local = place.local_copy(file.uri, Path(directory))
            except AudioError as error:
                return Processed(file.uri, error=str(error), broken=True)
            return self.processor.process(local, stage_done, uri=file.uri, finished=finished)

    def _handed_out(self, track: str | None) -> Path | None:
        """Where the copy of an export is; None where there is nothing to copy, or it can't, which ends all."""
        try:
            return copy_export(self.processor.storage.store, track or "", self.output)
        except OSError as error:
            self.obstacle = trouble(error, str(self.output))
            return None

    def _no_room(self) -> str | None:
        places = [self.output, *map(Path, [self.processor.storage.root] if self._is_local else [])]
        for place in places:
            with suppress(FileNotFoundError):  # made at first use
                if shutil.disk_usage(place).free < self.free_bytes:
                    return (
                        f"{plain(str(place))}: less than {self.free_bytes / 2**30:g} GiB are free there; "
                        "make room, and the same command goes on"
                    )
        return None

    @property
    def _is_local(self) -> bool:
        return not self.processor.storage.root.startswith("s3://")

    @property
    def exit_code(self) -> int:
        return 1 if self.failed or self.obstacle else 0

    def tell(self) -> None:
        """The summary."""
        if self.as_json:
            print_json(self._as_object())
            if self.obstacle:
                click.echo(self.obstacle, err=True)
            return
        click.echo(
            f"done {len(self.done)}, found again {len(self.found_again)}, done before {self.before}, "
            f"failed {len(self.failed)}, left {len(self.left)}; in {plain(str(self.output))}"
        )
        if own := sum(scan.own for scan in self.scans):
            click.echo(f"{own} files passed over, as Resonate made them")
        for reason, sources in _grouped(self.failed).items():
            names = ", ".join(plain(Path(source).name) for source in sources[:_SHOWN])
            more = f" and {len(sources) - _SHOWN} more" if len(sources) > _SHOWN else ""
            click.echo(f"failed {len(sources)}: {plain(reason)}: {names}{more}")
        self.tell_problems()
        if self.obstacle:
            click.echo(f"stopped: {self.obstacle}", err=True)

    def tell_problems(self) -> None:
        """Of the scans."""
        for problem in self._problems():
            click.echo(plain(problem), err=self.as_json)

    def tell_stopped(self) -> None:
        """The summary so far, from another thread."""
        with suppress(Exception):  # a database that is away must not keep anybody from being told
            self.processor.cancel()
        if self._bars is not None:
            self._bars.stop()
        self.tell()
        click.echo("stopped; the same command goes on from there", err=True)

    def _problems(self) -> list[str]:
        return [problem for scan in self.scans for problem in scan.problems]

    def _as_object(self) -> dict[str, Any]:
        return {
            "output": str(self.output),
            "done": self.done,
            "found_again": self.found_again,
            "done_before": self.before,
            "failed": [{"source": source, "reason": reason} for source, reason in self.failed.items()],
            "left": list(self.left),
            "problems": self._problems(),
            "stopped": self.obstacle,
        }

    @contextmanager
    def _progress(self, files: int) -> Iterator[tuple[Bars, TaskID]]:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        terminal = console(quiet=self.as_json)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:.0f} %, left:"),
            TimeRemainingColumn(),
        )
        # By the last hour: tracks differ, and a minute tells of one stage alone.
        with Progress(
            *columns,
            console=terminal,
            transient=True,
            disable=not terminal.is_terminal,
            speed_estimate_period=3600,
        ) as bars:
            self._bars = bars
            yield bars, bars.add_task("starting", total=files * len(STAGES))


def _is_there(file: ScannedFile, place: Inbox) -> bool:
    """Of one in a bucket, that is believed."""
    return not isinstance(place, FolderInbox) or os.path.lexists(file.uri)


def check_chosen(libraries: Sequence[tuple[Inbox, ScannedLibrary]], patterns: Sequence[str]) -> None:
    """Raises ClickException for a pattern that no crate has."""
    crates = {
        crate for _, library in libraries if patterns for file in library.files() for crate in file.crates
    }
    for pattern in patterns:
        if not any(_matches(crate, pattern) for crate in crates):
            there = ", ".join(map(plain, sorted(crates))) or "no crates and playlists with files of these"
            raise click.ClickException(f"--chosen: no crate is called {plain(pattern)}; there are {there}")


def _matches(crate: str, pattern: str) -> bool:
    return fnmatchcase(crate.casefold(), pattern.casefold())


def _is_chosen(file: ScannedFile, patterns: Sequence[str]) -> bool:
    return any(_matches(crate, pattern) for crate in file.crates for pattern in patterns)


def _grouped(failed: dict[str, str]) -> dict[str, list[str]]:
    """Reason, without the name of the file before it → sources, the most frequent first."""
    found: dict[str, list[str]] = defaultdict(list)
    for source, reason in failed.items():
        _, _, told = reason.partition(": ")
        found[told or reason].append(source)
    return dict(sorted(found.items(), key=lambda each: -len(each[1])))
