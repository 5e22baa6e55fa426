"""What commands share: their common options, and how they speak to people and to programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

    from resonate_resources.storage.store import Store

HOME = click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where everything is kept. Default: RESONATE_HOME, else ~/resonate.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout, nothing else.")

FILES = click.argument(
    # Whether a file can be read is found out file by file: Click would stop at the first that can't.
    "files",
    nargs=-1,
    required=True,
    type=click.Path(readable=False, path_type=Path),
)


class Age(click.ParamType[float]):
    """A number of days or hours: 30d, 12h. Gives seconds."""

    name = "age"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        number, unit = str(value)[:-1], str(value)[-1:]
        if unit not in {"d", "h"} or not (number.isascii() and number.isdigit()) or len(number) > 6:
            self.fail(f"{value!r} is not an age such as 30d or 12h", param, ctx)
        return float(number) * (86_400 if unit == "d" else 3600)


def console(quiet: bool) -> Console:
    """Of stdout, or of stderr where stdout is for a program."""
    from rich.console import Console

    return Console(stderr=quiet, highlight=False)


def print_json(value: dict[str, Any]) -> None:
    """On stdout, in ASCII: file names may hold what the terminal's encoding, or UTF-8 itself, can't carry."""
    click.echo(json.dumps(value, indent=1, allow_nan=False))


def shown(file: str | Path) -> str:
    """A file's name for a terminal: on one line, whatever it holds, and no markup."""
    from rich.markup import escape

    return escape(Path(file).name.encode("unicode_escape").decode())


@contextmanager
def writable(home: Path) -> Iterator[None]:
    """A home that can't be written to is one line, not a traceback."""
    from sqlalchemy.exc import SQLAlchemyError

    from resonate_studio.processing import trouble

    try:
        home.mkdir(parents=True, exist_ok=True)
        yield
    except (OSError, SQLAlchemyError) as error:
        raise click.ClickException(trouble(str(home), error)) from error


def store_of(home: Path | None) -> Store:
    """The store of a home, without its Dagster instance."""
    from resonate_assets.definitions import build_defs
    from resonate_studio.home import settings_for

    store: Store = build_defs(settings_for(home)).resources["storage"].store  # type: ignore[index]
    return store
