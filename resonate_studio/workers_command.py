"""`resonate workers`: environments of models that can't share Resonate's, and the processes that keep them warm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from resonate_resources.models.workers.environments import ENVIRONMENTS
from resonate_studio.terminal import JSON, Group, console, print_json

if TYPE_CHECKING:
    from resonate_resources.models.workers.environments import Environment

_NAME = click.Choice(list(ENVIRONMENTS))


@click.group(cls=Group)
def workers() -> None:
    """Models that need packages of their own: each has an environment, made on demand."""


@workers.command("list")
@JSON
def list_all(as_json: bool) -> None:
    """Which there are, whether they are made, what room they take, and which are warm."""
    from rich.table import Table

    from resonate_resources.models.workers.client import warm
    from resonate_resources.models.workers.environments import environments_directory
    from resonate_resources.models.workers.installing import size_of

    if as_json:
        rows = [
            {
                "name": each.name,
                "state": each.state(),
                "bytes": size_of(each),
                "warm": bool(warm(each.name)),
                "python": each.pythons,
                "purpose": each.purpose,
            }
            for each in ENVIRONMENTS.values()
        ]
        print_json({"directory": str(environments_directory()), "workers": rows})
        return
    table = Table("name", "state", "GB", "for", box=None)
    for each in ENVIRONMENTS.values():
        state = f"{each.state()}, warm" if warm(each.name) else each.state()
        table.add_row(each.name, state, f"{size_of(each) / 1e9:.1f}", f"{each.purpose} ({each.pythons})")
    terminal = console(quiet=False)
    terminal.print(table)
    terminal.print(f"environments are in {environments_directory()}", soft_wrap=True)


@workers.command("install")
@click.argument("names", nargs=-1, required=True, type=_NAME, metavar="NAME…")
def install_them(names: tuple[str, ...]) -> None:
    """Make the environments of NAMES, by uv where it is, else by pip; broken off, the same command goes on."""
    from resonate_resources.models.workers.installing import InstallationError, install

    for environment in _named(names):
        try:
            done = install(environment, click.echo)
        except InstallationError as error:
            raise click.ClickException(str(error)) from error
        click.echo(f"{environment.name}: {'made' if done else 'is made already'}")


@workers.command("remove")
@click.argument("names", nargs=-1, required=True, type=_NAME, metavar="NAME…")
def remove_them(names: tuple[str, ...]) -> None:
    """End the workers of NAMES and remove their environments; weights stay."""
    from resonate_resources.models.workers.client import stop_all
    from resonate_resources.models.workers.installing import InstallationError, remove

    for environment in _named(names):
        if stop_all(environment.name):
            raise click.ClickException(f"{environment.name} is at work; try again when that is done")
        try:
            removed = remove(environment)
        except InstallationError as error:
            raise click.ClickException(str(error)) from error
        click.echo(f"{environment.name}: {'removed' if removed else 'is not made'}")


@workers.command("stop")
@click.argument("name", required=False, type=_NAME)
def stop_them(name: str | None) -> None:
    """End the processes that keep models warm, or that of NAME alone; one at work ends when its jobs are done."""
    from resonate_resources.models.workers.client import stop_all, warm

    there = len(warm(name or "*"))
    left = stop_all(name or "*")
    click.echo(f"{there - len(left)} stopped" if there else "none is warm")
    for address in left:
        click.echo(f"{address.stem.rpartition('-')[0]} is at work, and ends when its jobs are done")


def _named(names: tuple[str, ...]) -> list[Environment]:
    return [ENVIRONMENTS[name] for name in dict.fromkeys(names)]
