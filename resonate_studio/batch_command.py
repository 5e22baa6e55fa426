"""`resonate batch`: whole music libraries through every stage, out into a folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from resonate_studio.requirements import require_all
from resonate_studio.stopping import stoppable
from resonate_studio.terminal import HOME, JSON, Command, plain, print_json


@click.command(cls=Command)
@click.argument("places", nargs=-1, required=True, metavar="DIR...")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Where the folder of each track is put. Nothing there is deleted or written over.",
)
@click.option(
    "--chosen",
    multiple=True,
    metavar="CRATE",
    help="Only what is in this Serato crate or rekordbox playlist, by its name or a pattern (`House/*`).",
)
@HOME
@JSON
def batch(
    places: tuple[str, ...], output: Path, chosen: tuple[str, ...], home: Path | None, as_json: bool
) -> None:
    """Scan the music libraries DIR, folders or s3://bucket/prefix, and take every file through every stage: chosen
    crates first, then House, then what is faster than 120 BPM, then vocals. The same command goes on where it was
    stopped, does nothing twice, and passes over what can't be used."""
    with stoppable() as stopping:
        from resonate_assets.settings import check_folder
        from resonate_resources.exporting.recognised import mark_output
        from resonate_studio.home import open_instance, settings_for
        from resonate_studio.library_batch import LibraryBatch, check_chosen
        from resonate_studio.library_scan import libraries_of, scanned
        from resonate_studio.processing import Processor

        require_all()
        settings = settings_for(home)
        check_folder("--output", str(output), "a folder on this machine")
        output = output.expanduser().absolute()
        if any(output.resolve() == Path(place).expanduser().resolve() for place in places):
            raise click.UsageError("--output: is DIR itself; give a folder in it, or elsewhere")
        with open_instance(settings) as instance:
            processor = Processor(settings, instance)
            libraries = libraries_of(settings, places)
            output.mkdir(parents=True, exist_ok=True)
            if not os.access(output, os.W_OK | os.X_OK):
                raise click.ClickException(f"--output: {output} can't be written to; see to permission there")
            mark_output(output)
            work = LibraryBatch(
                processor, libraries, output, chosen, settings.limits.free_gib * 2**30, as_json
            )
            stopping.tell = work.tell_stopped
            work.scans += scanned(settings, libraries, [output], quiet=as_json)
            if not any(any(library.files()) for _, library in libraries):
                work.tell_problems()
                below = ", ".join(plain(library.uri) for _, library in libraries)
                raise click.ClickException(f"no audio below {below}")
            check_chosen(libraries, chosen)
            work.carry_out(stopping)
            work.tell()
    sys.exit(work.exit_code)


@click.command("scan", cls=Command)
@click.argument("places", nargs=-1, metavar="[DIR...]")
@HOME
@JSON
def scan_libraries(places: tuple[str, ...], home: Path | None, as_json: bool) -> None:
    """Scan music libraries (without DIR, those of RESONATE_LIBRARIES) and tell what is planned. Nothing is made."""
    from resonate_studio.home import make_home, settings_for
    from resonate_studio.library_scan import first_of, planned, scanned, tell, tell_first, usable

    settings = settings_for(home)
    libraries, refused = usable(settings, places or settings.libraries)
    if not libraries:
        if refused:
            raise click.ClickException("; ".join(refused))
        raise click.UsageError("give a folder, or set RESONATE_LIBRARIES")
    make_home(settings)
    found = scanned(settings, libraries, [], quiet=as_json)
    plans = [planned(library, scan) for (_, library), scan in zip(libraries, found, strict=True)]
    first = first_of(libraries)
    if as_json:
        print_json({"libraries": plans, "first": first, "refused": refused})
    else:
        for plan in plans:
            tell(plan)
        tell_first(first)
    for reason in refused:
        click.echo(f"Error: {reason}", err=True)
    if refused:
        sys.exit(1)
