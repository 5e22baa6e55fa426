"""`resonate backup`: a copy of a home that is a home itself, taken while others are at work in it.

Databases go first, by SQLite's own backup; then manifests; then everything else. So what a database tells is in the
copy, and so is every file that a manifest names, as files are written before their manifest. What came meanwhile is
more than the databases know: `resonate library rebuild-index` tells them.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Collection
from pathlib import Path

import click

from resonate_studio.terminal import HOME, Command, plain

_DATABASE, _INSTANCE, _MANIFEST = "resonate.sqlite", "dagster_home", "manifest.json"
_MADE_AGAIN = {"light", "s3-cache", ".work"}
"""Folders of a home and of storage that hold copies, and what is being made."""


@click.command(cls=Command)
@HOME
@click.option(
    "--to",
    "target",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder that is not there yet, or empty: each backup has one of its own.",
)
def backup(home: Path | None, target: Path) -> None:
    """Copy a home, with its storage and its databases, into a folder that is a home itself, and see that every file
    of every result is there. Runs may go on meanwhile. PostgreSQL and S3 have tools of their own, which
    docs/operations.md tells."""
    from resonate_assets.settings import check_folder
    from resonate_resources.storage.artefacts import Artefacts
    from resonate_resources.storage.store import LocalStore
    from resonate_studio.home import instance_directory, require_home, settings_for
    from resonate_studio.read_only import copy_database

    settings = settings_for(home)
    require_home(settings)
    check_folder("--to", str(target))
    target = target.absolute()
    instance, storage = instance_directory(settings), settings.storage_folder
    places = [place for place in (settings.home, instance, storage) if place is not None]
    # By whatever name: a copy that lies in what is copied would be copied, too, without end.
    within = any(target.resolve().is_relative_to(place.resolve()) for place in places)
    if within or (target.is_dir() and any(target.iterdir())):
        raise click.ClickException(f"--to {plain(str(target))}: give an empty folder outside the home")

    databases = {file: target / _INSTANCE / file.relative_to(instance) for file in instance.rglob("*.db")}
    own = settings.database_file if settings.database else settings.home / _DATABASE
    databases |= {own: target / _DATABASE} if own is not None else {}
    for file, copy in databases.items():
        copy_database(file, copy)
    manifests = _copy_manifests(storage, target) if storage else []
    done = {file.with_name(file.name + end) for file in databases for end in ("", "-wal", "-shm", "-journal")}
    _copy_folder(settings.home, target, done | {*places})  # those that lie in it have their own turn
    _copy_folder(instance, target / _INSTANCE, done)
    if storage is not None and storage != settings.home:
        _copy_folder(storage, target, done)

    artefacts = Artefacts(LocalStore(target))
    broken = [
        f"{stage} of {track}"
        for stage, track in manifests
        if (made := artefacts.current(stage, track)) is None or not made.complete()
    ]
    click.echo(
        f"{plain(str(target))}: {len(databases)} databases and {len(manifests)} results, "
        f"{len(manifests) - len(broken)} of them whole"
    )
    if own is None:
        click.echo("not in it: the database in PostgreSQL, see docs/operations.md")
    if storage is None:
        click.echo(f"not in it: {plain(settings.storage)}, see docs/operations.md")
    for each in broken:
        click.echo(plain(f"not whole: {each}; was it removed meanwhile?"), err=True)
    sys.exit(1 if broken else 0)


def _copy_manifests(storage: Path, target: Path) -> list[tuple[str, str]]:
    """Those that tell what counts of each stage and track, which is given; and those of each computation."""
    counting, others = (storage.glob(f"artefacts/{each}/{_MANIFEST}") for each in ("*/*", "*/*/*"))
    found = [one for one in counting if _copied(one, target / one.relative_to(storage))]
    for one in others:
        _copied(one, target / one.relative_to(storage))
    return [(one.parts[-3], one.parts[-2]) for one in found]


def _copy_folder(folder: Path, target: Path, without: Collection[Path]) -> None:
    """All below a folder, as far as it stays: what goes while it is copied is not missed. Raises OSError."""

    def left_out(directory: str, names: list[str]) -> set[str]:
        place = Path(directory)
        depth = place.relative_to(folder).parts
        manifests = {_MANIFEST} if depth[:1] == ("artefacts",) and len(depth) in (3, 4) else set()
        again = _MADE_AGAIN if not depth else set()
        return manifests | again | {name for name in names if place / name in without}

    def copied(source: str, copy: str) -> str:
        _copied(Path(source), Path(copy))
        return copy

    try:
        shutil.copytree(
            folder, target, symlinks=True, ignore=left_out, copy_function=copied, dirs_exist_ok=True
        )
    except shutil.Error as error:
        lost = [told for source, _, told in error.args[0] if Path(source).exists()]
        if lost:
            raise OSError("; ".join(map(str, lost[:3]))) from error


def _copied(file: Path, copy: Path) -> bool:
    """Whether it was still there. Raises OSError."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copy2(file, copy)
    except FileNotFoundError:
        if file.exists():
            raise
        return False
    return True
