"""What stands before S3 in tests: it is slow, overloaded, breaks off in the midst of an object, or speaks TLS."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit

from resonate_tests.certificates import Certificate

Fault = Literal["overloaded", "cut", "none"]
"""overloaded: 503 SlowDown, as S3 answers who asks too often (its API reference, "Error responses"). cut: the
connection breaks after half of the object, on its way up or down."""
_SLOW_DOWN = (
    b"<?xml version='1.0' encoding='UTF-8'?>\n<Error><Code>SlowDown</Code>"
    b"<Message>Please reduce your request rate.</Message></Error>"
)
_OWN = ("connection", "transfer-encoding", "content-length", "keep-alive")


class S3Proxy:
    def __init__(self, upstream: str, certificate: Certificate | None = None) -> None:
        """certificate: where https is spoken."""
        self.fault: Callable[[str, str], Fault] = lambda method, path: "none"
        """(method, path) → what becomes of a request."""
        self.delay_seconds = 0.0
        self.asked: list[tuple[str, str, Fault]] = []
        """Method, path and fault of each request."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, urlsplit(upstream).netloc))
        self._server.daemon_threads = True
        scheme = "http"
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.show(certificate)
            self._server.socket = self._context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
            scheme = "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, name="S3 proxy", daemon=True).start()

    def show(self, certificate: Certificate) -> None:
        """To whoever connects from now on."""
        self._context.load_cert_chain(certificate.certificate, certificate.key)

    def end(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(proxy: S3Proxy, upstream: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            fault = proxy.fault(self.command, self.path)
            proxy.asked.append((self.command, self.path, fault))
            length = int(self.headers.get("Content-Length") or 0)
            if fault == "cut" and self.command == "PUT":
                self.rfile.read(length // 2)
                self._break_off()
                return
            body = self._chunks() if "Transfer-Encoding" in self.headers else self.rfile.read(length)
            time.sleep(proxy.delay_seconds)
            if fault == "overloaded":
                self._answer(503, [("Content-Type", "application/xml")], _SLOW_DOWN)
                return
            server = http.client.HTTPConnection(upstream, timeout=60)
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _OWN}
            server.request(self.command, self.path, body, headers)
            answer = server.getresponse()
            told = answer.read()
            given = [(name, value) for name, value in answer.getheaders() if name.lower() not in _OWN]
            if self.command == "HEAD":
                given.append(("Content-Length", answer.headers.get("Content-Length", "0")))
            server.close()
            self._answer(answer.status, given, told, cut=fault == "cut")

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass_on  # noqa: N815

        def _answer(
            self, status: int, headers: list[tuple[str, str]], body: bytes, *, cut: bool = False
        ) -> None:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            if self.command != "HEAD":
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body[: len(body) // 2] if cut else body)
            if cut:
                self._break_off()

        def _break_off(self) -> None:
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def _chunks(self) -> bytes:
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def log_message(self, *_: object) -> None:
            pass

    return Handler
