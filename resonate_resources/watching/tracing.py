"""Traces by OpenTelemetry, from a track's arrival to its export: one a track, in which the upload or the sensor,
the run and its stages meet, whichever processes of whichever hosts they were in.

Nothing has to be handed on for that. The trace's id is that of the job or of the run, or what a sensor wrote into
the run's tags; the root span's is made from it:

    track                  from when the run was asked for to its end
      upload | <sensor>    what took the file in, a moment earlier
      queue                how long the run waited
      run
        <stage>            one each, with engine, cache hit, seconds and how long it waited for a place

Off unless OTEL_EXPORTER_OTLP_ENDPOINT, or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, names where spans go (by OTLP over
HTTP; https://opentelemetry.io/docs/specs/otel/protocol/exporter/ has the other variables). Spans that can't be sent
are dropped, with a warning: a run ends a few seconds later by that, and no otherwise.
"""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider

VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
TRACE_TAG = "resonate/trace"
"""Of a run whose trace began before it: the trace's id, 32 hex digits."""
JOB_TAG = "resonate/job"
"""On runs that were asked for by the API, and their retries: the job that they are of."""
_SEND_SECONDS = 5
_NS = 1_000_000_000

Told = dict[str, str | int | float | bool]
"""Attributes of a span."""

_waited: ContextVar[Told | None] = ContextVar("waited", default=None)


def wanted() -> bool:
    return any(os.environ.get(name) for name in VARIABLES)


def why_not() -> str | None:
    """Why spans that are wanted can't be sent, in one line."""
    if wanted() and not _installed():
        name = next(name for name in VARIABLES if os.environ.get(name))
        return f"{name}: needs OpenTelemetry's SDK: pip install 'resonate-studio[watching]'"
    return None


def _installed() -> bool:
    try:
        return find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:  # nor any package above it
        return False


def new_trace() -> str:
    return uuid.uuid4().hex


def trace_tags(trace: str) -> dict[str, str]:
    """What a run carries so that its spans meet those that were told before it; nothing where none are wanted."""
    return {TRACE_TAG: trace} if wanted() else {}


def trace_of(run_id: str, tags: Mapping[str, str]) -> str:
    """The id of a run's trace. A retry of a job is in the job's."""
    return tags.get(TRACE_TAG) or uuid.UUID(tags.get(JOB_TAG) or run_id).hex


def tell(trace: str, name: str, began: float, ended: float, told: Told) -> None:
    """A span below the root of a trace, of something that is over. Times in seconds since 1970."""
    if wanted():
        _span(name, began, ended, told, _root(trace))


@contextmanager
def run(run_id: str, tags: Mapping[str, str], asked: float, started: float, told: Told) -> Iterator[None]:
    """The span of a run, for as long as the block lasts, and what is known of before. Stages in the block, of
    whatever thread, are below it. asked, started: seconds since 1970. Spans are sent when this returns."""
    if not wanted() or run_id in _runs:  # each resource that has storage begins it anew, within the first
        yield
        return
    from opentelemetry import trace as otel

    trace = trace_of(run_id, tags)
    tell(trace, "queue", asked, started, told)
    span = _tracer().start_span("run", _root(trace), attributes=told, start_time=int(started * _NS))
    _runs[run_id] = otel.set_span_in_context(span)
    try:
        yield
    finally:
        del _runs[run_id]
        span.end()
        if tags.get(JOB_TAG, run_id) == run_id and "dagster/parent_run_id" not in tags:  # a retry has a root
            _next.ids = int(trace, 16), _root_id(trace)
            _tracer().start_span("track", _nowhere(), attributes=told, start_time=int(asked * _NS)).end()
        _provider().force_flush(_SEND_SECONDS * 1000)


@contextmanager
def stage(run_id: str, name: str, told: Told) -> Iterator[Told]:
    """The span of a stage, below its run's, for as long as the block lasts. What is put into what it gives becomes
    attributes, with the sum of what `waited` was told. An error that leaves the block is the span's."""
    if run_id not in _runs:
        yield {}
        return
    from opentelemetry.trace import Status, StatusCode

    attributes: Told = {}
    reset = _waited.set(attributes)
    span = _tracer().start_span(name, _runs[run_id], attributes=told)
    try:
        yield attributes
    except BaseException as error:
        span.record_exception(error)
        span.set_status(Status(StatusCode.ERROR, str(error)))
        raise
    finally:
        _waited.reset(reset)
        span.set_attributes(attributes)
        span.end()


def waited(seconds: float) -> None:
    """The stage at work has waited for a place in a pool for so long."""
    attributes = _waited.get()
    if attributes is not None:
        before = attributes.get("resonate.pool_wait_seconds", 0.0)
        attributes["resonate.pool_wait_seconds"] = round(float(before) + seconds, 3)


_runs: dict[str, Context] = {}
"""Run → what its stages' spans are below."""


class _Next(threading.local):
    """Ids that the next span of this thread has, of its trace and its own: of others they are random."""

    ids: tuple[int, int] | None = None


_next = _Next()


def _root_id(trace: str) -> int:
    return int(hashlib.sha256(trace.encode()).hexdigest()[:16], 16)


def _root(trace: str) -> Context:
    from opentelemetry import trace as otel

    parent = otel.SpanContext(int(trace, 16), _root_id(trace), is_remote=True, trace_flags=otel.TraceFlags(1))
    return otel.set_span_in_context(otel.NonRecordingSpan(parent), _nowhere())


def _nowhere() -> Context:
    from opentelemetry.context import Context

    return Context()


def _span(name: str, began: float, ended: float, told: Told, parent: Context) -> None:
    span = _tracer().start_span(name, parent, attributes=told, start_time=int(began * _NS))
    span.end(int(ended * _NS))


def _tracer() -> Any:
    return _provider().get_tracer("resonate")


@cache
def _provider() -> TracerProvider:
    """Of this process, and not the global one: whoever runs us may have set one up for themselves."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

    class Ids(RandomIdGenerator):
        def generate_trace_id(self) -> int:
            return _next.ids[0] if _next.ids else super().generate_trace_id()

        def generate_span_id(self) -> int:
            given, _next.ids = _next.ids, None
            return given[1] if given else super().generate_span_id()

    service = {"service.name": "resonate", "service.version": version("resonate-studio")}
    resource = Resource.create({**service, "host.name": socket.gethostname()})
    provider = TracerProvider(resource=resource, id_generator=Ids())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=_SEND_SECONDS)))
    return provider
