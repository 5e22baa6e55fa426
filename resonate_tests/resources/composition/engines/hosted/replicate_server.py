"""A local stand-in for Replicate's HTTP API v1, written from its public reference, with faults to order."""

from __future__ import annotations

import io
import json
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import soundfile as sf

TOKEN = "r8_5e1f0c9a77b24dd38f6a-secret"
RATE = 32_000
HANG = "take the request and never answer"
DROP = "break the connection off before the request is looked at"
LOSE = "do what is asked and break the connection off before answering"
HALF = "announce a whole file and send half of it"


@dataclass(frozen=True)
class Answer:
    """Answer this instead of doing anything."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class ReplicateServer:
    """State of the service, and what it should do next: by "begin", "ask", "cancel" and "files"."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.api = f"{address}/v1/"
        self.faults: dict[str, list[Answer | str]] = defaultdict(list)
        self.requests: list[tuple[str, Mapping[str, str], bytes]] = []
        self.begun: dict[str, Any] = {}
        self.cancelled: list[str] = []
        self.asked: dict[str, int] = defaultdict(int)
        self.ends_as: dict[str, Any] = {"status": "succeeded"}
        self.seconds_missing = 0.0

    def answer(self, kind: str, name: str, body: bytes) -> Answer:
        match kind:
            case "begin":
                given = json.loads(body)
                number = f"p{len(self.begun)}"
                self.begun[number] = given
                return Answer(201, {"id": number, "status": "starting", "input": given["input"]})
            case "cancel":
                self.cancelled.append(name)
                return Answer(200, {"id": name, "status": "canceled"})
        self.asked[name] += 1
        if self.asked[name] < 3:
            return Answer(200, {"id": name, "status": "processing", "output": None, "error": None})
        file = f"{self.address}/files/{name}.wav"
        return Answer(200, {"id": name, "output": file, "error": None, **self.ends_as})

    def file(self, name: str) -> bytes:
        """A tone of another pitch for each, in stereo, 16 bit."""
        frames = round((self.begun[name]["input"]["duration"] - self.seconds_missing) * RATE)
        time = np.arange(frames) / RATE
        hertz = 220 * (1 + int(name[1:]))
        sound = np.stack([np.sin(2 * np.pi * hertz * time), 0.5 * np.sin(2 * np.pi * hertz * time)], axis=1)
        kept = io.BytesIO()
        sf.write(kept, 0.5 * sound, RATE, format="WAV", subtype="PCM_16")
        return kept.getvalue()


@contextmanager
def replicate_server() -> Iterator[ReplicateServer]:
    """Serve on a free port of this machine for as long as the block lasts."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self._do(self.rfile.read(int(self.headers.get("Content-Length", 0))))

        def do_GET(self) -> None:
            self._do(b"")

        def _do(self, body: bytes) -> None:
            server.requests.append((self.path, dict(self.headers), body))
            kind, name = _kind(self.path)
            queue = server.faults[kind]
            fault = queue.pop(0) if queue else None
            if fault in (HANG, DROP):
                if fault == HANG:
                    over.wait(20)
                self.close_connection = True
            elif isinstance(fault, Answer):
                self._send(fault)
            elif kind == "files":
                self._send_file(server.file(name), fault)
            elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
                self._send(Answer(401, {"detail": f"Unauthenticated: {self.headers.get('Authorization')}"}))
            else:
                answer = server.answer(kind, name, body)
                if fault == LOSE:
                    self.close_connection = True
                else:
                    self._send(answer)

        def _send(self, answer: Answer) -> None:
            body = b"" if answer.body is None else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _send_file(self, content: bytes, fault: str | None) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if fault == HALF else content)
            self.close_connection = fault == HALF

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 — the base class's name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        server = ReplicateServer(f"http://127.0.0.1:{http.server_address[1]}")
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            over.set()
            http.shutdown()
            thread.join()


def _kind(path: str) -> tuple[str, str]:
    parts = path.strip("/").split("/")
    if parts[0] == "files":
        return "files", parts[1].removesuffix(".wav")
    if len(parts) == 2:
        return "begin", ""
    return ("cancel" if len(parts) == 4 else "ask"), parts[2]
