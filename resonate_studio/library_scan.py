"""Music libraries looked at from the command line, and what is planned of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from resonate_assets.definitions import build_defs
from resonate_assets.schedules import code_of_stages
from resonate_assets.settings import Settings, SettingsError, check_folder
from resonate_resources.ingestion.priority import kind_of, reasons
from resonate_resources.ingestion.resource import InboxResource
from resonate_resources.ingestion.scanning import Scan, scan
from resonate_resources.recordings.tags import Tags
from resonate_resources.storage.inbox import Inbox
from resonate_resources.storage.scanned import ScannedLibrary
from resonate_studio.terminal import console, plain

Libraries = Sequence[tuple[Inbox, ScannedLibrary]]

_SHOWN = 10
_STATES = {"new": "new", "taken": "waiting or at work", "done": "done", "failed": "failed"}
_RARE = {
    "gone": "gone since the last scan",
    "passed_over": "passed over, as they are no audio",
    "made_by_resonate": "passed over, as Resonate made them",
}


def libraries_of(settings: Settings, places: Sequence[str]) -> Libraries:
    """Raises ClickException for what is neither a folder that is there nor s3://bucket/prefix."""
    libraries, refused = usable(settings, places)
    for reason in refused:
        raise click.ClickException(reason)
    return libraries


def usable(settings: Settings, places: Sequence[str]) -> tuple[Libraries, list[str]]:
    """Those that are there, and why the others can't be scanned, one line each."""
    inbox: InboxResource = build_defs(settings).resources["inbox"]  # type: ignore[index]
    libraries, refused = [], []
    for place in dict.fromkeys(places):
        try:
            if not place.lower().startswith("s3://"):
                check_folder(place, place, "a folder, or s3://bucket/prefix")
                if not Path(place).expanduser().is_dir():
                    raise ValueError(f"{plain(place)}: is no folder; give one, or s3://bucket/prefix")
            libraries.append(inbox.library(place, settings.database_url))
        except (SettingsError, ValueError) as error:
            refused.append(str(error))
    return libraries, refused


def scanned(settings: Settings, libraries: Libraries, excluded: Sequence[Path], *, quiet: bool) -> list[Scan]:
    """excluded: beside the home and its storage."""
    own = [place for place in (settings.home, settings.storage_folder) if place is not None]
    terminal = console(quiet)
    found = []
    for place, library in libraries:
        with terminal.status("scanning") as status:
            found.append(
                scan(
                    place,
                    library,
                    [*own, *excluded],
                    lambda read, of: status.update(f"scanning: tags of {read} of {of} files"),
                )
            )
    return found


def planned(library: ScannedLibrary, found: Scan) -> dict[str, Any]:
    """What a scan found, and the plan, in numbers; notes and problems, one line each."""
    files = list(library.files())
    crates = Counter(crate for file in files for crate in file.crates)
    return {
        "library": library.uri,
        "files": found.files,
        "new_or_changed": found.read,
        "gone": found.gone,
        "passed_over": found.passed_over,
        "made_by_resonate": found.own,
        "states": library.counts(),
        "in_crates": sum(1 for file in files if file.crates),
        "crates": dict(sorted(crates.items())),
        "priorities": dict(sorted(Counter(str(file.priority) for file in files).items(), key=_by_number)),
        "doubtful_tags": [f"{Path(file.uri).name}: {note}" for file in files for note in file.notes],
        "problems": list(found.problems),
    }


def first_of(libraries: Libraries) -> list[dict[str, Any]]:
    """The files that would be made first, of all libraries, and why."""
    code = code_of_stages()
    due = [file for _, library in libraries for file in library.files() if file.is_due(code)]
    due.sort(key=lambda file: (-file.priority, file.uri))
    return [
        {"source": file.uri, "why": [*reasons(Tags.from_json(dict(file.tags)), file.crates)]}
        for file in due[:_SHOWN]
    ]


def _by_number(counted: tuple[str, int]) -> int:
    return -int(counted[0])


def tell(plan: Mapping[str, Any]) -> None:
    """For a person."""
    states = ", ".join(f"{count} {_STATES[state]}" for state, count in plan["states"].items() if count)
    rare = "".join(f"; {plan[name]} {words}" for name, words in _RARE.items() if plan[name])
    click.echo(f"{plain(plan['library'])}: {_files(plan['files'])}{states and f': {states}'}{rare}")
    for first, count in plan["priorities"].items():
        click.echo(f"  {_files(count)}: {kind_of(int(first)) or 'the rest'}")
    for name in ("doubtful_tags", "problems"):
        lines = plan[name]
        for line in lines[:_SHOWN]:
            click.echo(f"  {plain(line)}")
        if len(lines) > _SHOWN:
            click.echo(f"  and {len(lines) - _SHOWN} more; --json has all")


def tell_first(first: Sequence[Mapping[str, Any]]) -> None:
    """What `first_of` gives, for a person."""
    if first:
        click.echo("what comes first:")
    for each in first:
        why = f" ({plain(', '.join(each['why']))})" if each["why"] else ""
        click.echo(f"  {plain(each['source'])}{why}")


def _files(number: int) -> str:
    return "1 file" if number == 1 else f"{number} files"
