"""`resonate brief show | set | unset`: what is wanted of a track, and where each value is from."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from resonate_studio.terminal import HOME, JSON, Group, console, plain, print_json

if TYPE_CHECKING:
    from resonate_assets.settings import Settings
    from resonate_resources.brief.layers import Resolved
    from resonate_studio.briefing import Briefing

TRACK = click.argument("track")
"""A track key, or any beginning of one that is no other's."""
_NOT_SET = "not set"
_EMPTY_TABLE = "{}"
"""How a table without entries is told, which has no line of its own."""


def parsed(assignments: Sequence[str], origin: str = "") -> dict[str, Any]:
    """`section.name` → value, checked against the brief. One that can't be used is one line, which begins with the
    option that they were given by, if there is one."""
    from resonate_resources.brief.layers import BriefError, Layer, nested, parse_setting, resolve

    try:
        settings = dict(parse_setting(text) for text in assignments)
        resolve([Layer(origin, nested(settings))])
    except BriefError as error:
        raise click.ClickException(str(error).removeprefix(": ")) from error
    return settings


def with_preset(preset: str | None) -> dict[str, Any]:
    """The settings that --preset is short for."""
    names = ("restoration", "mixing", "mastering")
    return {} if preset is None else {f"{section}.preset": preset for section in names}


@click.group(cls=Group)
def brief() -> None:
    """What is wanted of a track: built in, brief.toml of the home, of its folder, beside it, set since."""


@brief.command()
@TRACK
@HOME
@JSON
def show(track: str, home: Path | None, as_json: bool) -> None:
    """Every setting of TRACK, and where it is from."""
    with _briefing(home) as briefing:
        _tell(briefing.show(briefing.track(track)), briefing.track(track), as_json)


@brief.command("set")
@TRACK
@click.argument("assignments", nargs=-1, required=True, metavar="SECTION.NAME=VALUE…")
@HOME
@JSON
def set_values(track: str, assignments: tuple[str, ...], home: Path | None, as_json: bool) -> None:
    """Set values of TRACK, which then hold until they are set anew or unset: mastering.target_lufs=-9."""
    settings = parsed(assignments)
    with _briefing(home) as briefing:
        _changed(briefing, briefing.track(track), settings, (), home, as_json)


@brief.command()
@TRACK
@click.argument("names", nargs=-1, required=True, metavar="SECTION.NAME…")
@HOME
@JSON
def unset(track: str, names: tuple[str, ...], home: Path | None, as_json: bool) -> None:
    """Forget values that were set for TRACK: mastering.target_lufs."""
    with _briefing(home) as briefing:
        _changed(briefing, briefing.track(track), {}, names, home, as_json)


def _changed(
    briefing: Briefing,
    track: str,
    settings: Mapping[str, Any],
    unset_names: Sequence[str],
    home: Path | None,
    as_json: bool,
) -> None:
    before = briefing.show(track)
    resolved, error = briefing.change(track, settings, unset_names)
    if error is not None:
        raise click.ClickException(error)
    if as_json:
        _tell(resolved, track, as_json)
        return
    for line in _changes(before, resolved, (*settings, *unset_names)):
        click.echo(plain(line))
    click.echo(
        "What depends on it is made anew where automation runs (make dev); "
        f"or at once: resonate retry {track}" + (f" --home {shlex.quote(str(home))}" if home else "")
    )


def _changes(before: Resolved, after: Resolved, asked: Sequence[str]) -> Iterator[str]:
    """`section.name: old → new` of what was asked for, of a table of each entry."""
    old, new = (
        {name: value for name, value, _ in each.rows() if value != _EMPTY_TABLE} for each in (before, after)
    )
    for each in asked:
        for name in {**old, **new}:
            if name == each or name.startswith(f"{each}."):
                yield f"{name}: {old.get(name, _NOT_SET)} → {new.get(name, _NOT_SET)}"


@contextmanager
def _briefing(home: Path | None) -> Iterator[Briefing]:
    from resonate_studio.briefing import Briefing
    from resonate_studio.home import open_instance, require_home, settings_for

    settings: Settings = settings_for(home)
    require_home(settings)
    with open_instance(settings) as instance:
        yield Briefing(settings, instance)


def _tell(resolved: Resolved, track: str, as_json: bool) -> None:
    if as_json:
        rows = {name: {"value": value, "from": origin} for name, value, origin in resolved.values()}
        print_json({"track": track, "brief": rows})
        return
    from rich.markup import escape
    from rich.table import Table

    terminal = console(quiet=False)
    terminal.print(f"[bold]{track}[/bold]")
    table = Table(box=None)
    table.add_column("setting", no_wrap=True)
    for title in ("value", "from"):
        table.add_column(title, overflow="fold")
    for name, value, origin in resolved.rows():
        table.add_row(name, escape(value), escape(origin))
    terminal.print(table)
