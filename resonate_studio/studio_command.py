"""`resonate studio`: the page and the job API of one home, with what carries out runs if nothing does yet."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from resonate_studio.daemon_program import daemon_command
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
    from resonate_assets.settings import Settings
    from resonate_studio.api.access import Token
    from resonate_studio.service_log import ServiceLog
    from resonate_studio.services import Services

_LOOK_SECONDS = 0.2
_DAEMON_LOOK_SECONDS = 10.0
_LAST_LINES = 15
LOG = "studio.log"
TOKEN_FILE = "studio_token.json"
TOKEN = "RESONATE_STUDIO_TOKEN"
_KNOWN = "the one that was shown at the first start; --new-token makes another"


@click.command(cls=Command)
@HOME
@click.option(
    "--host", default=HOST, show_default=True, help="Address to listen on; another one needs a token."
)
@click.option("--port", type=click.IntRange(1, 65535), default=3100, show_default=True)
@click.option("--new-token", is_flag=True, help="Make a new token; the one there was is worth nothing then.")
def studio(home: Path | None, host: str, port: int, new_token: bool) -> None:
    """Show the page on which tracks are dropped, heard, compared and taken away, until Ctrl-C or SIGTERM."""
    until_stopped(lambda: _run(home, host, port, new_token))


def _run(home: Path | None, host: str, port: int, new_token: bool) -> int:
    from resonate_studio.api.access import is_loopback
    from resonate_studio.api.launching import runs_are_carried_out, runs_are_carried_out_elsewhere
    from resonate_studio.home import (
        instance_directory,
        open_instance,
        require_writable_storage,
        settings_for,
    )
    from resonate_studio.service_log import ServiceLog
    from resonate_studio.studio_server import serving

    require_all()
    settings = settings_for(home)
    require_free(port, host=host)
    with ExitStack() as stack:
        instance = stack.enter_context(open_instance(settings))
        require_writable_storage(settings)
        Path(settings.inbox).mkdir(parents=True, exist_ok=True)
        log = stack.enter_context(closing(ServiceLog(instance_directory(settings), LOG)))
        instance_at = stack.enter_context(plain_path(instance_directory(settings)))
        page = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        token = None if is_loopback(host) else _token(settings, new_token)
        services: Services | None = None
        elsewhere = runs_are_carried_out_elsewhere(instance)
        if not elsewhere and not runs_are_carried_out(instance):
            with log.said_here():
                instance.upgrade(lambda _: None)  # of a home that an earlier Dagster made
            services = _started(stack, settings, instance_at, log, page)
        address = stack.enter_context(serving(settings, host, port, token=token, log=log, instance=instance))
        if token is not None:
            _tell_token(token, new_token)
        click.echo(f"hear and compare    {address}")
        click.echo(f"or drop files into  {plain(settings.inbox)}")
        click.echo("stop with           Ctrl-C")
        look_again = time.monotonic() + _DAEMON_LOOK_SECONDS
        while services is None or services.ended() is None:
            time.sleep(_LOOK_SECONDS)
            if services is None and not elsewhere and time.monotonic() > look_again:
                look_again = time.monotonic() + _DAEMON_LOOK_SECONDS
                if not runs_are_carried_out(instance):  # what did so before has ended
                    services = _started(stack, settings, instance_at, log, page)
        services.heard_out()
        click.echo("what carries out runs has ended by itself; the last of its log:", err=True)
        click.echo("\n".join(log.last_lines(_LAST_LINES)), err=True)
        return services.ended() or 1


def _started(stack: ExitStack, settings: Settings, instance_at: Path, log: ServiceLog, page: str) -> Services:
    """Dagster's daemon. page: the address that it tells in metadata."""
    from resonate_studio.services import Services

    environment = {
        "RESONATE_HOME": str(settings.home),
        "DAGSTER_HOME": str(instance_at),
        "RESONATE_PAGE": page,
    }
    command = stack.enter_context(daemon_command("warning"))
    services = Services(command, os.environ | environment, log.write)
    stack.callback(end_services, services, settings)
    return services


def _token(settings: Settings, new_token: bool) -> Token:
    from resonate_studio.api.access import Token

    given = os.environ.get(TOKEN, "")
    if given and new_token:
        raise click.ClickException(f"--new-token: the token is the one in {TOKEN}; change it there")
    try:
        return Token(settings.home / TOKEN_FILE, given)
    except ValueError as error:
        raise click.ClickException(f"{TOKEN}: {error}") from error


def _tell_token(token: Token, new_token: bool) -> None:
    click.echo(
        "Other machines can reach this address, and nothing that is sent is encrypted: use it in a network"
    )
    click.echo("that you trust, or behind a server that speaks https.")
    if new_token or not token.known():
        click.echo(f"token               {token.make()}")
        click.echo("                    (shown this once; only a hash of it is kept)")
    else:
        click.echo(f"token               {_KNOWN if not os.environ.get(TOKEN) else f'the one in {TOKEN}'}")
