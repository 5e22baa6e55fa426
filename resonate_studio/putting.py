"""Files that are made whole in a folder of scratch and then put where they belong, none written over silently."""

from __future__ import annotations

import filecmp
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from resonate_resources.storage.store import new_directory_in
from resonate_studio.stopping import scratch_of
from resonate_studio.terminal import plain

_SCRATCH = ".resonate"


@contextmanager
def beside(out: Path) -> Iterator[Path]:
    """A folder of scratch in `out`, on its file system, gone afterwards; what killed processes left there goes now.

    Raises ClickException."""
    workspace = out / _SCRATCH
    try:
        out.mkdir(parents=True, exist_ok=True)
        with new_directory_in(workspace, "made") as folder, scratch_of(str(folder)):
            yield folder
    except OSError as error:  # a full disk's may name what was read
        reason = (error.strerror or str(error)).lower()
        raise click.ClickException(f"--out: {plain(str(out))}: can't be written to ({reason})") from error
    finally:
        with suppress(OSError):  # another process works there, or there is none
            workspace.rmdir()


def put(
    files: Mapping[str, Path],
    out: Path,
    *,
    replace: bool,
    ours: Collection[str] = (),
    kept: Collection[Path] = (),
) -> list[str]:
    """Move files to their names in `out`; their absolute paths. What is there with the same bytes stays.

    ours: names that are what was there, and more, and are written through a link. kept: files that are not written
    over whatever is asked. Raises ClickException, with nothing moved, where something else is there and is not to
    be replaced, or stands in the way.
    """
    for name, made in files.items():
        there = out / name
        blocked = next((up for up in there.parents if up != out and up.exists() and not up.is_dir()), None)
        if blocked or there.is_dir():
            raise click.ClickException(
                f"{plain(str(blocked or there))}: is in the way; move it, and try again"
            )
        if not os.path.lexists(there) or name in ours or _is_same(there, made):
            continue
        if any(there.exists() and each.exists() and there.samefile(each) for each in kept):
            raise click.ClickException(
                f"{plain(str(there))}: is a track's own file, or was just written of another track; "
                "give another --out"
            )
        if not replace:
            raise click.ClickException(
                f"{plain(str(there))}: is there already, and is not what would be written; --replace writes over it"
            )
    for name, made in files.items():
        there = out / name
        there.parent.mkdir(parents=True, exist_ok=True)
        if not _is_same(there, made):
            made.replace(there.resolve() if name in ours else there)
    return [str((out / name).absolute()) for name in files]


def _is_same(there: Path, made: Path) -> bool:
    return there.is_file() and filecmp.cmp(there, made, shallow=False)
