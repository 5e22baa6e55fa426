"""The page and the job API of one home, served by this process beside whatever else it does."""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING

import click
import uvicorn

from resonate_assets.definitions import build_defs
from resonate_resources.storage.store import LocalStore, clear_leftovers
from resonate_studio.api.access import Token, hosts_told
from resonate_studio.api.app import create_app
from resonate_studio.api.opened import Opened
from resonate_studio.foreground import deaf
from resonate_studio.hearing.warming import warm
from resonate_studio.home import open_instance

if TYPE_CHECKING:
    import dagster as dg

    from resonate_assets.settings import Settings
    from resonate_studio.service_log import ServiceLog

_UP_SECONDS = 30.0
_LOOK_SECONDS = 0.05
_END_SECONDS = 2
"""For answers that are under way; who listens to events is told at once."""


@contextmanager
def serving(
    settings: Settings,
    host: str,
    port: int,
    *,
    token: Token | None = None,
    dagster_url: str | None = None,
    log: ServiceLog | None = None,
    instance: dg.DagsterInstance | None = None,
) -> Iterator[str]:
    """Serve for as long as the block lasts. Gives the address. token: what is asked for, where another address than
    this machine's own is listened on. log: of what is said meanwhile. instance: the home's, if it is open.

    Raises ClickException where it can't be served.
    """
    with ExitStack() as stack:
        stack.enter_context(log.logged_here() if log else nullcontext())
        opened_instance = instance or stack.enter_context(open_instance(settings))
        defs = build_defs(settings)
        storage = defs.resources["storage"]  # type: ignore[index]
        for store in (storage.store, LocalStore(settings.uploads)):
            clear_leftovers(store)
        opened = Opened(settings, opened_instance, storage, defs, dagster_url)
        try:
            app = create_app(opened, None if token is None else host, token)
        except ValueError as error:
            raise click.ClickException(str(error)) from error
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                log_config=None,
                log_level=logging.WARNING,
                access_log=False,
                server_header=False,
                proxy_headers=token is not None,  # else anybody here could say to be anybody
                timeout_graceful_shutdown=_END_SECONDS,
            )
        )
        # What is loaded by now stays: looked through again and again, it took half the time in which a large
        # library is read.
        gc.collect()
        gc.freeze()
        thread = threading.Thread(target=server.run, name="studio", daemon=True)
        thread.start()
        try:
            _wait(server, thread, port)
            app.state.serving.library.begin()
            threading.Thread(target=warm, name="warming", daemon=True).start()
            yield next(iter(hosts_told(host, port)))
        finally:
            with deaf():
                app.state.serving.events.end()
                server.should_exit = True
                thread.join(_END_SECONDS + 1)


def _wait(server: uvicorn.Server, thread: threading.Thread, port: int) -> None:
    until = time.monotonic() + _UP_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > until:
            raise click.ClickException(f"the page could not be served at port {port}")
        time.sleep(_LOOK_SECONDS)
