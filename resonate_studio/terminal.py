"""What commands share: their common options, how they speak to people and to programs, and how they end."""

from __future__ import annotations

import json
import math
import sqlite3
import sys
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
    help="Where everything is kept. Default: RESONATE_HOME, else the home that one stands in, else the usual one.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout, nothing else.")

FILES = click.argument(
    # Whether a file can be read is found out file by file: Click would stop at the first that can't.
    "files",
    nargs=-1,
    required=True,
    type=click.Path(readable=False, path_type=Path),
)

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 and the number of the signal, as shells have it."""
_WIDTH = 80
_OLDEST_DAYS = 36_500


class Command(click.Command):
    """A command whose troubles are one line (with --json: an object with `error`), and whose last line tells which
    home it spoke of, where that was not the default one."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with one_line():
                return super().invoke(ctx)
        except click.UsageError:
            raise
        except click.ClickException as error:
            if ctx.params.get("as_json"):
                print_json({"error": error.format_message()})
            error.show()
            sys.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("stopped", err=True)
            sys.exit(INTERRUPTED)
        finally:
            tell_home(ctx)


class Group(click.Group):
    """Of such commands."""

    command_class = Command
    group_class = type


def tell_home(context: click.Context) -> None:
    """The last line: for people on stdout, beside an object for programs on stderr."""
    home = sys.modules.get("resonate_studio.home")  # a command without it spoke of none
    line = home.spoken_of(context) if home is not None else None
    if line is not None:
        click.echo(line, err=bool(context.params.get("as_json")))


@contextmanager
def one_line() -> Iterator[None]:
    """A setting, storage or a database that can't be used is one line, not a traceback. Raises ClickException."""
    try:
        yield
    except BrokenPipeError:
        raise  # whoever read has gone: nobody to tell
    except (click.ClickException, click.Abort):
        raise
    except Exception as error:
        from sqlalchemy.exc import SQLAlchemyError  # takes long enough to be stopped in its midst

        from resonate_assets.settings import SettingsError
        from resonate_studio.trouble import trouble

        if isinstance(error, SettingsError):
            raise click.ClickException(str(error)) from error
        if isinstance(error, OSError | SQLAlchemyError | sqlite3.Error):
            raise click.ClickException(trouble(error)) from error
        raise


class Range(click.FloatRange):
    """Numbers of a range, of which nan is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"{value} is no number", param, ctx)
        return number


class Age(click.ParamType[float]):
    """A number of days or hours: 30d, 12h. Gives seconds."""

    name = "age"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        number, unit = str(value)[:-1], str(value)[-1:]
        if unit not in {"d", "h"} or not (number.isascii() and number.isdigit()):
            self.fail(f"{str(value)[:40]!r} is not an age such as 30d or 12h", param, ctx)
        # Of a number of any length: what has more digits than the limit is over it.
        if len(number.lstrip("0")) > 6 or int(number) > _OLDEST_DAYS * (1 if unit == "d" else 24):
            self.fail(f"{str(value)[:40]!r} is more than a hundred years", param, ctx)
        return float(number) * (86_400 if unit == "d" else 3600)


def console(quiet: bool) -> Console:
    """Of stdout, or of stderr where stdout is for a program. What is no terminal has 80 columns."""
    from rich.console import Console

    made = Console(stderr=quiet, highlight=False, emoji=False)  # paths and models' names may hold `:x:`
    if made.is_terminal:
        return made
    return Console(stderr=quiet, highlight=False, emoji=False, width=_WIDTH)


def print_json(value: dict[str, Any]) -> None:
    """On stdout, in ASCII: file names may hold what the terminal's encoding, or UTF-8 itself, can't carry."""
    click.echo(json.dumps(value, indent=1, allow_nan=False))


def shown(file: str | Path) -> str:
    """A file's name for a terminal: on one line, whatever it holds, and no markup."""
    from rich.markup import escape

    return escape(plain(Path(file).name))


def plain(text: str) -> str:
    """Text on one line, whatever it holds: what can't be printed as its escape sequence."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def speak_any_language() -> None:
    """What the terminal's encoding can't carry is shown as its escape sequence, and ends no command."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def store_of(home: Path | None) -> Store:
    """The store of a home, without its Dagster instance."""
    from resonate_assets.definitions import build_defs
    from resonate_studio.home import settings_for

    store: Store = build_defs(settings_for(home)).resources["storage"].store  # type: ignore[index]
    return store
