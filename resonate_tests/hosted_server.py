"""A hosted service's stand-in on this machine: it serves what it is told to, with faults to order."""

from __future__ import annotations

import json
import threading
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

HANG = "take the request and never answer"
DROP = "break the connection off before the request is looked at"
LOSE = "do what is asked and break the connection off before answering"
HALF = "announce a whole file and send half of it"
HALF_UNANNOUNCED = "send half a file without saying how long it is"


@dataclass(frozen=True)
class Answer:
    """Answer this instead of doing anything."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Request:
    """What came in."""

    path: str
    headers: Mapping[str, str]
    body: bytes


class HostedServer(ABC):
    """State of a service, and what it should do next."""

    def __init__(self, address: str) -> None:
        """address: without a slash at its end."""
        self.address = address
        self.requests: list[Request] = []
        self.faults: dict[str, list[Answer | str]] = defaultdict(list)
        """kind of a request → what to do, once each, instead of what is asked."""
        self.always: dict[str, Answer | str] = {}

    @abstractmethod
    def kind(self, path: str) -> str:
        """By which faults are ordered; "files" of a download."""

    @abstractmethod
    def answer(self, request: Request) -> Answer:
        """Do what is asked."""

    @abstractmethod
    def file(self, path: str) -> bytes: ...


_S = TypeVar("_S", bound=HostedServer)


@contextmanager
def served(kind: Callable[[str], _S]) -> Iterator[_S]:
    """Serve on a free port of this machine for as long as the block lasts."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # headers and body go out apart, and the second would wait 40 ms

        def do_POST(self) -> None:
            self._do(self.rfile.read(int(self.headers.get("Content-Length", 0))))

        def do_GET(self) -> None:
            self._do(b"")

        def _do(self, body: bytes) -> None:
            request = Request(self.path, dict(self.headers), body)
            server.requests.append(request)
            kind = server.kind(self.path)
            queue = server.faults[kind]
            fault = queue.pop(0) if queue else server.always.get(kind)
            if fault in (HANG, DROP):
                if fault == HANG:
                    over.wait(20)
                self.close_connection = True
            elif isinstance(fault, Answer):
                self._send(fault)
            elif kind == "files":
                self._send_file(server.file(self.path), fault)
            else:
                answer = server.answer(request)
                if fault == LOSE:
                    self.close_connection = True
                else:
                    self._send(answer)

        def _send(self, answer: Answer) -> None:
            body = b"" if answer.body is None else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _send_file(self, content: bytes, fault: str | None) -> None:
            self.send_response(200)
            if fault == HALF_UNANNOUNCED:
                self.send_header("Connection", "close")
            else:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if fault in (HALF, HALF_UNANNOUNCED) else content)
            self.close_connection = fault in (HALF, HALF_UNANNOUNCED)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 — the base class's name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        server = kind(f"http://127.0.0.1:{http.server_address[1]}")
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            over.set()
            http.shutdown()
            thread.join()
