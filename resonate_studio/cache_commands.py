"""`resonate cache`: how much room results take, and room made."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from resonate_studio.terminal import HOME, Age, Group, store_of
from resonate_studio.terminal import console as console_of


@click.group(cls=Group)
def cache() -> None:
    """Results that are kept so that going back to earlier settings costs nothing."""


@cache.command("size")
@HOME
def cache_size(home: Path | None) -> None:
    """How much room results take, by stage and engine: those that count now, and those of the cache."""
    from rich.table import Table

    from resonate_resources.storage.compute_cache import Computation, computations
    from resonate_studio.home import require_home, settings_for

    require_home(settings_for(home))
    found = list(computations(store_of(home)))

    def gigabytes(of: Iterable[Computation]) -> str:
        return f"{sum(computation.size for computation in of) / 1e9:.2f}"

    table = Table("stage", "engine", "GB that count now", "GB in the cache", box=None)
    for stage, engine in sorted({(one.stage, one.engine) for one in found}):
        of_both = [one for one in found if (one.stage, one.engine) == (stage, engine)]
        table.add_row(
            stage,
            engine or "(unfinished)",
            gigabytes(one for one in of_both if one.current),
            gigabytes(one for one in of_both if not one.current),
        )
    console_of(quiet=False).print(table)
    click.echo(f"{gigabytes(one for one in found if one.current)} GB in results that count now")
    click.echo(f"{gigabytes(one for one in found if not one.current)} GB in the cache")


@cache.command("clear")
@HOME
@click.option(
    "--older-than", "age", type=Age(), default="30d", show_default=True, help="Age: 30d, 12h, 0d for all."
)
def cache_clear(home: Path | None, age: float) -> None:
    """Remove results that count no longer, and what killed runs left. What a track gives now stays, however old
    it is, and nothing is removed of a track that is worked at."""
    from resonate_assets.runs import tracks_under_way
    from resonate_resources.storage.compute_cache import clear
    from resonate_resources.storage.heartbeats import tracks_in_use
    from resonate_studio.home import open_instance, require_home, settings_for

    settings = settings_for(home)
    require_home(settings)
    with open_instance(settings) as instance:
        store = store_of(home)
        cleared = clear(store, age, lambda: tracks_in_use(settings.database_url) | tracks_under_way(instance))
    click.echo(
        f"removed {cleared.results} results and {cleared.leftovers} that were never finished, "
        f"{cleared.size / 1e9:.2f} GB"
    )
    for track in cleared.in_use:
        click.echo(f"passed over {track}: it is worked at; try again when that is done")
