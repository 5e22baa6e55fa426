"""Files that are made whole in a folder of scratch and then put where they belong, none written over silently."""

from __future__ import annotations

import filecmp
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from resonate_studio.stopping import scratch_of
from resonate_studio.terminal import plain


@contextmanager
def beside(out: Path) -> Iterator[Path]:
    """A folder of scratch in `out`, on its file system, gone afterwards. Raises ClickException."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".resonate-", dir=out) as folder, scratch_of(folder):
            yield Path(folder)
    except OSError as error:
        place = error.filename if isinstance(error.filename, str) else out
        reason = (error.strerror or str(error)).lower()
        raise click.ClickException(f"--out: {plain(str(place))}: can't be written to ({reason})") from error


def put(
    files: Mapping[str, Path], out: Path, *, replace: bool, ours: frozenset[str] = frozenset()
) -> list[str]:
    """Move files to their names in `out`; their absolute paths. What is there with the same bytes stays.

    ours: names that are what was there, and more. Raises ClickException, with nothing moved, where something else
    is there and is not to be replaced, or stands in the way.
    """
    for name in files:
        there = out / name
        blocked = next((up for up in there.parents if up != out and up.exists() and not up.is_dir()), None)
        if blocked or there.is_dir():
            raise click.ClickException(
                f"{plain(str(blocked or there))}: is in the way; move it, and try again"
            )
        if there.exists() and name not in ours and not replace and not filecmp.cmp(there, files[name], False):
            raise click.ClickException(
                f"{plain(str(there))}: is there already, and is not what would be written; --replace writes over it"
            )
    for name, made in files.items():
        there = out / name
        there.parent.mkdir(parents=True, exist_ok=True)
        if not there.exists() or not filecmp.cmp(there, made, False):
            made.replace(there)
    return [str((out / name).resolve()) for name in files]
