"""`resonate metrics` and `resonate health`: for machines that watch, where no studio runs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import AF_INET, AF_INET6
from threading import Lock, Thread

import click

from resonate_studio.foreground import HOST, require_free, until_stopped
from resonate_studio.terminal import HOME, Command, one_line

_LOOK_SECONDS = 0.2


@click.command(cls=Command)
@HOME
@click.option("--host", default=HOST, show_default=True, help="Address to listen on. No token is asked for.")
@click.option("--port", type=click.IntRange(1, 65535), default=9464, show_default=True)
def metrics(home: Path | None, host: str, port: int) -> None:
    """Serve metrics for Prometheus at /metrics, until Ctrl-C or SIGTERM. The studio does so by itself."""
    until_stopped(lambda: _serve(home, host, port))


def _serve(home: Path | None, host: str, port: int) -> int:
    from resonate_studio.home import open_instance, require_home, settings_for
    from resonate_studio.watching.metrics import exposition

    settings = settings_for(home)
    require_home(settings)
    require_free(port, host=host)
    with open_instance(settings) as instance:
        kind = type(
            "Server", (ThreadingHTTPServer,), {"address_family": AF_INET6 if ":" in host else AF_INET}
        )
        server = kind((host, port), _answering(lambda: exposition(settings, instance)))
        Thread(target=server.serve_forever, name="metrics", daemon=True).start()
        click.echo(f"metrics for Prometheus at http://{f'[{host}]' if ':' in host else host}:{port}/metrics")
        while True:
            time.sleep(_LOOK_SECONDS)


def _answering(scrape: Callable[[], bytes]) -> type[BaseHTTPRequestHandler]:
    from prometheus_client.exposition import CONTENT_TYPE_LATEST

    one_at_a_time = Lock()  # however many ask, the databases are asked by one

    class Answer(BaseHTTPRequestHandler):
        def handle(self) -> None:
            with suppress(ConnectionError):  # who asked has gone
                super().handle()

        def do_GET(self) -> None:
            if self.path.partition("?")[0] != "/metrics":
                self._say(404, "text/plain", b"metrics are at /metrics\n")
                return
            try:
                with one_at_a_time, one_line():
                    told = scrape()
            except click.ClickException as error:
                self._say(503, "text/plain; charset=utf-8", f"{error.format_message()}\n".encode())
                return
            self._say(200, CONTENT_TYPE_LATEST, told)

        def _say(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 — the server's name for it
            """Nobody reads of every scrape."""

    return Answer


@click.command(cls=Command)
@HOME
@click.option(
    "--ready", is_flag=True, help="Ask as well whether a daemon has shown a sign of life within a minute."
)
def health(home: Path | None, ready: bool) -> None:
    """Tell whether database and storage can be used from here: exit code 0, or 1 and a line with what is wrong. For
    probes of containers: workers without --ready, the daemon with it."""
    from resonate_studio.home import open_instance, require_home, settings_for
    from resonate_studio.terminal import store_of
    from resonate_studio.watching.health import troubles

    settings = settings_for(home)
    require_home(settings)
    found = troubles(settings, store_of(home))
    if ready and not found:
        with open_instance(settings) as instance:
            found = troubles(settings, store_of(home), instance)
    click.echo("; ".join(each.why for each in found) or "ok", err=bool(found))
    sys.exit(1 if found else 0)
