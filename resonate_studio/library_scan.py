"""Music libraries looked at from the command line, and what is planned of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from resonate_assets.definitions import build_defs
from resonate_assets.settings import Settings, SettingsError, check_folder
from resonate_resources.ingestion.resource import InboxResource
from resonate_resources.ingestion.scanning import Scan, scan
from resonate_resources.storage.inbox import Inbox
from resonate_resources.storage.scanned import ScannedLibrary
from resonate_studio.terminal import console, plain

Libraries = Sequence[tuple[Inbox, ScannedLibrary]]

_SHOWN = 10
_RARE = {
    "gone": "gone since the last scan",
    "passed_over": "passed over, as they are no audio",
    "made_by_resonate": "passed over, as Resonate made them",
}


def libraries_of(settings: Settings, places: Sequence[str]) -> Libraries:
    """Raises ClickException for what is neither a folder that is there nor s3://bucket/prefix."""
    inbox: InboxResource = build_defs(settings).resources["inbox"]  # type: ignore[index]
    try:
        for place in places:
            if not place.lower().startswith("s3://"):
                check_folder(place, place, "a folder, or s3://bucket/prefix")
                if not Path(place).expanduser().is_dir():
                    raise click.ClickException(
                        f"{plain(place)}: is no folder; give one, or s3://bucket/prefix"
                    )
        return [inbox.library(place, settings.database_url) for place in dict.fromkeys(places)]
    except (SettingsError, ValueError) as error:
        raise click.ClickException(str(error)) from error


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


def _by_number(counted: tuple[str, int]) -> int:
    return -int(counted[0])


def tell(plan: Mapping[str, Any]) -> None:
    """For a person."""
    numbers = (
        f"{plan['files']} files, {plan['new_or_changed']} of them new or changed",
        *(f"{count} {state}" for state, count in plan["states"].items() if count),
        f"{plan['in_crates']} in {len(plan['crates'])} crates and playlists",
        *(f"{plan[name]} {words}" for name, words in _RARE.items() if plan[name]),
    )
    click.echo(f"{plain(plan['library'])}: {', '.join(numbers)}")
    for priority, count in plan["priorities"].items():
        click.echo(f"  priority {priority:>3}: {count} files")
    for name in ("doubtful_tags", "problems"):
        lines = plan[name]
        for line in lines[:_SHOWN]:
            click.echo(f"  {plain(line)}")
        if len(lines) > _SHOWN:
            click.echo(f"  and {len(lines) - _SHOWN} more; --json has all")
