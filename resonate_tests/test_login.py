"""docker/cluster/Caddyfile in a real Caddy, over TLS, before stand-ins for oauth2-proxy and the pages: whoever is
not logged in never reaches a page."""

from __future__ import annotations

import os
import re
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from resonate_tests.programs import required
from resonate_tests.rabbitmq_server import free_ports

CADDYFILE = Path(__file__).parents[1] / "docker" / "cluster" / "Caddyfile"
PAGES = {"studio": "studio:3100", "dagster": "webserver:3000", "grafana": "grafana:3000"}
SESSION = {"Cookie": "_oauth2_proxy=a-session"}
FORGED = (
    *("X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Access-Token", "X-Auth-Request-User"),
    *("X-WEBAUTH-USER", "Remote-User"),
)
GLOBAL = """{
	admin off
	local_certs
	skip_install_trust
	auto_https disable_redirects
}
"""
"""Certificates of Caddy's own authority, in place of one that is asked for by ACME."""


class Server(ThreadingHTTPServer):
    """Keeps what it is asked."""

    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.asked: list[tuple[str, dict[str, str]]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def keep(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append((f"{self.command} {self.path}", headers))

    def answer(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": "0", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class OAuth2Proxy(_Handler):
    """What its documentation tells of /oauth2/auth: 202 with a session, else 401."""

    def do_GET(self) -> None:
        self.keep()
        if urlsplit(self.path).path == "/oauth2/auth":  # what was asked for comes behind it
            self.answer(202 if self.headers.get("Cookie") == SESSION["Cookie"] else 401)
        else:
            self.answer(302, Location="https://provider.test/authorize")

    def do_POST(self) -> None:
        self.do_GET()


class Page(_Handler):
    """Answers, tells events as they come, and speaks over what was upgraded."""

    def do_GET(self) -> None:
        self.keep()
        if self.headers.get("Upgrade"):
            self.answer(101, Upgrade="websocket", Connection="Upgrade")
            while said := self.connection.recv(100):
                self.connection.sendall(said.upper())
            self.close_connection = True
        elif self.path == "/events":
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(b"data: first\n\n")
            go_on.wait(30)
            self.wfile.write(b"data: second\n\n")
            self.close_connection = True
        else:
            self.answer(200)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()


go_on = threading.Event()


class Front:
    """Caddy, with what stands behind it."""

    def __init__(self, folder: Path) -> None:
        self.proxy, self.pages = Server(OAuth2Proxy), {name: Server(Page) for name in PAGES}
        (self.port,) = free_ports(1)
        text = CADDYFILE.read_text()
        for address, server in {
            "oauth2-proxy:4180": self.proxy,
            **{address: self.pages[name] for name, address in PAGES.items()},
        }.items():
            assert address in text
            text = text.replace(address, f"127.0.0.1:{server.server_port}")
        (folder / "Caddyfile").write_text(GLOBAL + text)
        names = {f"RESONATE_{name.upper()}_NAME": f"https://{name}.test:{self.port}" for name in PAGES}
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [required("caddy"), "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"],
                env={**os.environ, **names, "HOME": str(folder), "XDG_DATA_HOME": str(folder)},
                stdout=log,
                stderr=log,
            )
        self._root = folder / "caddy" / "pki" / "authorities" / "local" / "root.crt"
        self._wait(folder / "log")

    @contextmanager
    def connected(self, name: str) -> Iterator[HTTPConnection]:
        trusted = ssl.create_default_context(cafile=str(self._root))
        connection = HTTPConnection(f"{name}.test", self.port)
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        with trusted.wrap_socket(plain, server_hostname=f"{name}.test") as connection.sock:
            yield connection

    def ask(self, name: str, path: str, method: str = "GET", **headers: str) -> HTTPResponse:
        with self.connected(name) as connection:
            connection.request(method, path, b"{}" if method == "POST" else None, headers)
            answer = connection.getresponse()
            answer.read()
            return answer

    def end(self) -> None:
        self._process.terminate()
        self._process.wait(30)
        for server in (self.proxy, *self.pages.values()):
            server.shutdown()
            server.server_close()

    def _wait(self, log: Path) -> None:
        end = time.monotonic() + 60
        while True:
            try:
                for name in PAGES:
                    with self.connected(name):
                        pass
                return
            except OSError:
                assert time.monotonic() < end, log.read_text()
                assert self._process.poll() is None, log.read_text()
                time.sleep(0.1)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    front = Front(tmp_path_factory.mktemp("caddy"))
    yield front
    front.end()


@pytest.fixture
def front(running: Front) -> Front:
    """That was asked nothing yet."""
    for server in (running.proxy, *running.pages.values()):
        server.asked.clear()
    go_on.clear()
    return running


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(
    ("method", "path", "cookie"),
    [
        ("GET", "/", ""),
        ("GET", "/api/v1/tracks?limit=2", "_oauth2_proxy=made-up"),
        ("POST", "/graphql", ""),
        ("GET", "/oauth2/../api/v1/tracks", ""),
        ("GET", "//healthz", ""),
    ],
)
def test_whoever_is_not_logged_in_reaches_no_page_and_is_sent_to_log_in(
    front: Front, name: str, method: str, path: str, cookie: str
) -> None:
    answer = front.ask(name, path, method, Cookie=cookie)
    assert answer.status in (302, 308)
    assert re.match(r"/oauth2/|https://provider\.test/", answer.headers["Location"])
    assert front.pages[name].asked == []


def test_who_is_to_log_in_comes_back_to_where_they_were_going(front: Front) -> None:
    answer = front.ask("studio", "/tracks/one?at=12")
    assert answer.headers["Location"] == "/oauth2/sign_in?rd=/tracks/one?at=12"


@pytest.mark.parametrize("name", PAGES)
def test_whoever_is_logged_in_reaches_the_page_of_that_name_over_tls_alone(front: Front, name: str) -> None:
    answer = front.ask(name, "/some/page?of=it", "POST", **SESSION)
    assert answer.status == 200
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert {page: len(server.asked) for page, server in front.pages.items()} == {
        page: int(page == name) for page in PAGES
    }
    ((asked, headers),) = front.pages[name].asked
    assert asked == "POST /some/page?of=it"
    assert (
        headers["host"] == f"{name}.test:{front.port}"
    )  # by which the studio tells its own page from others
    assert headers["x-forwarded-proto"] == "https"


def test_the_log_in_is_reached_by_who_is_not_logged_in_and_told_its_own_address(front: Front) -> None:
    answer = front.ask("grafana", "/oauth2/sign_in?rd=/")
    assert answer.headers["Location"] == "https://provider.test/authorize"
    ((asked, headers),) = front.proxy.asked
    assert asked == "GET /oauth2/sign_in?rd=/"
    assert headers["x-forwarded-host"].startswith("grafana.test")
    assert headers["x-forwarded-proto"] == "https"


def test_what_a_visitor_says_of_who_they_are_reaches_nobody(front: Front) -> None:
    said = dict.fromkeys(FORGED, "admin") | {"X-Forwarded-For": "10.0.0.1", "X-Forwarded-Proto": "http"}
    front.ask("studio", "/", **said, **SESSION)
    ((_, asked_of_proxy),) = front.proxy.asked
    ((_, asked_of_page),) = front.pages["studio"].asked
    for headers in (asked_of_proxy, asked_of_page):
        assert not {name.lower() for name in FORGED} & headers.keys()
        assert headers["x-forwarded-for"] == "127.0.0.1"
        assert headers["x-forwarded-proto"] == "https"


def test_events_come_as_they_are_told(front: Front) -> None:
    with front.connected("studio") as connection:
        connection.request("GET", "/events", headers=SESSION)
        answer = connection.getresponse()
        assert answer.readline() == b"data: first\n"  # while the page has not ended its answer
        go_on.set()
        assert answer.read() == b"\ndata: second\n\n"


@pytest.mark.parametrize("cookie", [*SESSION.values(), "none"])
def test_a_websocket_passes_with_a_session_and_without_one_does_not(front: Front, cookie: str) -> None:
    """Dagster's pages hear of runs by one."""
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    with front.connected("dagster") as connection:
        connection.request("GET", "/graphql", headers={**headers, "Cookie": cookie})
        said = connection.sock.recv(10_000).split(b"\r\n")[0]
        if cookie != SESSION["Cookie"]:
            assert said.startswith(b"HTTP/1.1 302")
            assert front.pages["dagster"].asked == []
            return
        assert said.startswith(b"HTTP/1.1 101")
        connection.sock.sendall(b"hear me")
        assert connection.sock.recv(100) == b"HEAR ME"
