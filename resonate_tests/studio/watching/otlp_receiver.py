"""What OpenTelemetry's collectors do, as far as tests need it: takes spans by OTLP over HTTP
(https://opentelemetry.io/docs/specs/otlp/#otlphttp), in the protocol's own schema."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Span:
    """Ids in hex; parent is empty for a root. Times in seconds since 1970. error: its message, where it is one."""

    trace: str
    id: str
    parent: str
    name: str
    began: float
    ended: float
    error: str | None
    told: dict[str, Any]
    service: dict[str, Any]


@dataclass
class Receiver:
    address: str
    spans: list[Span] = field(default_factory=list)


@contextmanager
def receiving() -> Iterator[Receiver]:
    spans: list[Span] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            known = self.path == "/v1/traces" and self.headers["Content-Type"] == "application/x-protobuf"
            if known:
                spans.extend(_spans(ExportTraceServiceRequest.FromString(body)))
            self.send_response(200 if known else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 — the server's name for it
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield Receiver(f"http://127.0.0.1:{server.server_port}", spans)
        server.shutdown()


def _spans(request: ExportTraceServiceRequest) -> Iterator[Span]:
    for of_resource in request.resource_spans:
        for of_scope in of_resource.scope_spans:
            for span in of_scope.spans:
                yield Span(
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    span.name,
                    span.start_time_unix_nano / 1e9,
                    span.end_time_unix_nano / 1e9,
                    span.status.message if span.status.code == span.status.STATUS_CODE_ERROR else None,
                    _values(span.attributes),
                    _values(of_resource.resource.attributes),
                )


def _values(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}
