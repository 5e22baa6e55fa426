"""`resonate gpu`: the machine that is started for GPU runs, and what it cost."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from resonate_studio.terminal import HOME, JSON, Command, console, plain, print_json


@click.command(cls=Command)
@HOME
@JSON
def gpu(home: Path | None, as_json: bool) -> None:
    """The machine that is started for GPU runs (RESONATE_GPU_MACHINE): how the last look left it and why, and what
    it cost on the last 31 days. Nobody is asked but Resonate's database."""
    from rich.table import Table

    from resonate_resources.machines.ledger import days, standing
    from resonate_studio.home import require_home, settings_for

    settings = settings_for(home)
    require_home(settings)
    machines, spent = standing(settings.database_url), days(settings.database_url)
    if as_json:
        print_json({"machines": [asdict(one) for one in machines], "days": [asdict(one) for one in spent]})
        return
    for machine in machines:
        since = datetime.fromtimestamp(machine.since, UTC).strftime("%Y-%m-%d %H:%M")
        click.echo(plain(f"{machine.machine}: {machine.state} since {since} UTC: {machine.reason}"))
    if not machines and settings.gpu:
        click.echo(plain(f"{settings.gpu.name}: nobody has looked at it yet"))
    elif not machines:
        click.echo("no machine is set (RESONATE_GPU_MACHINE)")
    if spent:
        table = Table("day (UTC)", "machine", "hours", "cost", box=None)
        for day in spent:
            table.add_row(day.day, plain(day.machine), f"{day.seconds / 3600:.2f}", f"{day.cost:.2f}")
        console(quiet=False).print(table)
