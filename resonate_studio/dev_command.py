"""`resonate dev`: the page, Dagster's web UI and the daemon for one home, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import os
import sys
import time
import urllib.request
from contextlib import ExitStack, closing, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from resonate_resources.watching.json_lines import wanted
from resonate_studio.foreground import (
    HOST,
    end_services,
    plain_path,
    require_free,
    until_stopped,
)
from resonate_studio.requirements import require_all
from resonate_studio.terminal import HOME, Command, plain

if TYPE_CHECKING:
    from resonate_studio.service_log import ServiceLog
    from resonate_studio.services import Services

_UP_SECONDS = 120.0
_LOOK_SECONDS = 0.2
_LAST_LINES = 15
"""Of the log, where the services have ended by themselves: the end of a traceback."""


@click.command(cls=Command)
@HOME
@click.option(
    "--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Of Dagster's web UI."
)
@click.option(
    "--studio-port", type=click.IntRange(1, 65535), default=3100, show_default=True, help="Of the page."
)
@click.option(
    "--verbose", is_flag=True, help="Show what Dagster's services say, which else goes into a file."
)
def dev(home: Path | None, port: int, studio_port: int, verbose: bool) -> None:
    """Watch the inbox, show the page and Dagster's web UI, until Ctrl-C or SIGTERM: then all of it is gone within
    seconds, and what was under way goes on at the next start."""
    until_stopped(lambda: _run(home, port, studio_port, verbose))


def _run(home: Path | None, port: int, studio_port: int, verbose: bool) -> int:
    from resonate_studio.home import (
        instance_directory,
        open_instance,
        require_writable_storage,
        settings_for,
    )
    from resonate_studio.service_log import ServiceLog
    from resonate_studio.services import Services, to_stderr
    from resonate_studio.studio_server import serving

    require_all()
    settings = settings_for(home)
    require_free(port)
    require_free(studio_port, "--studio-port")
    level = "info" if verbose else "warning"
    command = [
        *(sys.executable, "-m", "dagster", "dev", "--host", HOST, "--port", str(port)),
        *("--log-format", "json" if wanted() else "colored"),
        *("--log-level", level, "--code-server-log-level", level, "-m", "resonate_assets.definitions"),
    ]
    with ExitStack() as stack:
        with open_instance(settings) as instance:
            require_writable_storage(settings)
            Path(settings.inbox).mkdir(parents=True, exist_ok=True)
            log = None if verbose else stack.enter_context(closing(ServiceLog(instance_directory(settings))))
            with log.said_here() if log else nullcontext():
                instance.upgrade(lambda _: None)  # of a home that an earlier Dagster made
        if log:
            click.echo(f"what services say   {plain(str(log.file))}")
        instance_at = stack.enter_context(plain_path(instance_directory(settings)))
        environment = {
            "RESONATE_HOME": str(settings.home),
            "DAGSTER_HOME": str(instance_at),
            "RESONATE_PAGE": f"http://{HOST}:{studio_port}",
        }
        services = Services(command, os.environ | environment, log.write if log else to_stderr)
        stack.callback(end_services, services, settings)
        studio = stack.enter_context(
            serving(settings, HOST, studio_port, dagster_url=f"http://{HOST}:{port}", log=log)
        )
        _wait_until_up(services, port)
        if services.ended() is None:
            click.echo(f"hear and compare    {studio}")
            click.echo(f"drop files into     {plain(settings.inbox)}")
            click.echo(f"see them worked on  http://{HOST}:{port}")
            click.echo(f"take away from      {plain(settings.storage)}/exports")
            click.echo("stop with           Ctrl-C")
        while (code := services.ended()) is None:
            time.sleep(_LOOK_SECONDS)
        services.heard_out()
        click.echo("Dagster's services have ended by themselves" + _last_said(log), err=True)
        return code or 1


def _last_said(log: ServiceLog | None) -> str:
    if log is None:
        return ""
    return "\n".join([f"; the last of {plain(str(log.file))}:", *log.last_lines(_LAST_LINES)])


def _wait_until_up(services: Services, port: int) -> None:
    until = time.monotonic() + _UP_SECONDS
    while time.monotonic() < until and services.ended() is None:
        with suppress(OSError), urllib.request.urlopen(f"http://{HOST}:{port}/server_info", timeout=5):
            return
        time.sleep(_LOOK_SECONDS)
