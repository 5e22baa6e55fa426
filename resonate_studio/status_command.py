"""`resonate status`: the library, or one track of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import click

from resonate_studio.terminal import HOME, JSON, Command, console, plain, print_json

if TYPE_CHECKING:
    import dagster as dg
    from rich.console import Console

    from resonate_assets.settings import Settings
    from resonate_resources.storage.resource import StorageResource
    from resonate_studio.library_status import LibraryStatus, TrackStatus

_INDENT = 13
_COLOURS = {
    "failed": "red",
    "not accepted": "yellow",
    "stopped": "yellow",
    "unfinished": "yellow",
    "behind": "yellow",
    "running": "cyan",
    "queued": "cyan",
    "waiting": "cyan",
    "done": "green",
}


@click.command(cls=Command)
@click.argument("track", required=False)
@HOME
@JSON
def status(track: str | None, home: Path | None, as_json: bool) -> None:
    """How far every track is and whether it is accepted, the worst first; what waits, and what was rejected.

    TRACK, a track's key or any beginning of one that is no other's: all about that one.
    """
    from resonate_studio.home import require_home, settings_for
    from resonate_studio.library_status import library_status
    from resonate_studio.tracks import find_track

    settings = settings_for(home)
    require_home(settings)
    with _opened(settings) as (seen, instance):
        name = None if track is None else find_track(instance, track)
        found = library_status(seen, instance, name)
        details = None if name is None else _details(seen, name)
    if as_json:
        print_json(asdict(found) | ({"details": details} if details else {}))
        return
    terminal = console(quiet=False)
    if details is None:
        _tell(terminal, found)
    else:
        _tell_one(terminal, found.tracks[0], details)


@contextmanager
def _opened(settings: Settings) -> Iterator[tuple[Settings, dg.DagsterInstance]]:
    """The instance, and the settings by which the database is found; of a home that can't be written to, copies."""
    from resonate_studio.home import open_instance
    from resonate_studio.read_only import can_be_written, open_copy

    if can_be_written(settings):
        with open_instance(settings) as instance:
            yield settings, instance
    else:
        with open_copy(settings) as opened:
            yield opened


def _tell(terminal: Console, found: LibraryStatus) -> None:
    from rich.markup import escape

    for track in found.tracks:
        _tell_line(terminal, track)
    told = {(track.track, track.reason) for track in found.tracks}
    for rejection in found.rejected:
        # Of a track that an earlier decoder made, the same line was the reason why its last run failed.
        if (rejection.track, rejection.reason) not in told:
            terminal.print(f"[red]rejected[/red] {escape(plain(rejection.reason))}", soft_wrap=True)
    counts = Counter(track.state for track in found.tracks)
    states = ", ".join(f"{number} {state}" for state, number in counts.items())
    terminal.print(
        f"{_counted(len(found.tracks), 'track')}{f' ({states})' if states else ''}, "
        f"{_counted(len(found.rejected), 'file')} rejected",
        soft_wrap=True,
    )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _tell_line(terminal: Console, track: TrackStatus) -> None:
    """State and key, which is not broken, as it is copied; what there is to say stands below, commands whole."""
    from rich.markup import escape

    colour = _COLOURS[track.state]
    terminal.print(f"[{colour}]{track.state:12}[/{colour}] {track.track}", soft_wrap=True)
    for line in _about(track):
        width = max(40, terminal.width - _INDENT)
        told, command, what = plain(line).partition("resonate retry ")
        parts = wrap(told, width, break_long_words=False, break_on_hyphens=False) or [""]
        if command and len(parts[-1]) + len(command + what) < width:
            parts[-1] += f" {command}{what}"
        elif command:
            parts.append(command + what)
        for part in parts:
            terminal.print(" " * _INDENT + escape(part), soft_wrap=True)


def _about(track: TrackStatus) -> Iterator[str]:
    if track.state == "running":
        part = "" if track.progress is None else f", {track.progress:.0%} of it"
        yield (
            f"in {track.stage}{part}; {len(track.made)} of {track.stages} stages" if track.stage else "begins"
        )
    elif track.state == "queued":
        expected = track.expected_seconds
        yield f"place {track.place}" + (f", done in about {_span(expected)}" if expected is not None else "")
    elif track.reason is not None:
        yield track.reason
    elif track.state == "waiting":
        yield f"begins by itself while `resonate dev` runs; else: resonate retry {track.track}"
    elif track.state in ("unfinished", "stopped", "failed"):
        yield f"{len(track.made)} of {track.stages} stages made; to go on: resonate retry {track.track}"
    if track.state == "behind":
        yield "what it is made from, its brief or the code has changed since"
    if track.follows is not None:
        yield f"follows {track.follows}, made of the same file before it changed"


def _span(seconds: float) -> str:
    """As it stands behind "about"."""
    minutes = round(seconds / 60)
    if minutes <= 1:
        return "a minute"
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.0f} h"


def _details(settings: Settings, track: str) -> dict[str, Any]:
    """Where its file and its folders are, and of each stage when, by what and in which time it was made."""
    from resonate_assets.acceptance import rebuilt_told
    from resonate_assets.definitions import build_defs
    from resonate_assets.jobs import STAGES

    storage: StorageResource = build_defs(settings).resources["storage"]  # type: ignore[index]
    source = storage.sources.find(track)
    artefacts = {stage: storage.artefacts.current(stage, track) for stage in STAGES}
    exported = artefacts["exports"]
    scores = artefacts["qc_scores"]
    folder = exported.manifest.measures.get("folder") if exported else None
    return {
        "source": source.uri if source else None,
        "artist": source.artist if source else None,
        "title": source.title if source else None,
        "exports": storage.store.location(str(folder)) if folder else None,
        "rebuilt": rebuilt_told(scores.manifest.measures) if scores else None,
        "stages": {
            stage: {
                "engine": made.manifest.engine.name,
                "seconds": made.manifest.seconds,
                "made_at": made.manifest.made_at,
                "notes": [*made.manifest.notes],
            }
            for stage, made in artefacts.items()
            if made and (made.manifest.files or made.manifest.notes)
        },
    }


def _tell_one(terminal: Console, track: TrackStatus, details: dict[str, Any]) -> None:
    from rich.markup import escape
    from rich.table import Table

    _tell_line(terminal, track)
    unjudged = "can't be judged" if track.state in ("behind", "done") and track.reason else "not judged yet"
    accepted = {None: unjudged, True: "yes", False: "no"}[track.accepted]
    for name, value in {
        "accepted": accepted,
        "rebuilt": None if track.accepted is None else details["rebuilt"],
        "artist": details["artist"],
        "title": details["title"],
        "file": details["source"],
        "exports": details["exports"],
    }.items():
        if value is not None:
            terminal.print(f"{name:9}{escape(plain(str(value)))}", soft_wrap=True)
    table = Table(box=None)
    for title in ("stage", "engine"):
        table.add_column(title, no_wrap=True)
    table.add_column("seconds", justify="right", no_wrap=True)
    table.add_column("made at (UTC)", no_wrap=True)
    for stage, made in details["stages"].items():
        made_at = str(made["made_at"])[:16].replace("T", " ")
        table.add_row(stage, escape(made["engine"]), f"{made['seconds']:.1f}", made_at)
    terminal.print(table)
    for stage, made in details["stages"].items():
        for note in made["notes"]:
            terminal.print(f"{stage}: {escape(plain(note))}", soft_wrap=True)
