"""Logs of runs and of the processes that load the graph, as JSON lines where RESONATE_LOG asks for them."""

from __future__ import annotations

import logging

import dagster as dg
from dagster._core.execution import context_creation_job

from resonate_resources.watching.json_lines import JsonLines, wanted

_TOLD = (
    *(dg.DagsterEventType.RUN_START, dg.DagsterEventType.RUN_SUCCESS),
    *(dg.DagsterEventType.STEP_START, dg.DagsterEventType.STEP_SUCCESS),
)


def _of_run(_: dg.InitLoggerContext) -> logging.Logger:
    """JSON lines on stderr. Of those below INFO, one an event, beginnings and ends of runs and stages alone: all
    are in Dagster's event log."""
    handler = _handler()
    handler.addFilter(_is_told)
    logger = logging.Logger("dagster", logging.DEBUG)
    logger.addHandler(handler)
    return logger


def _is_told(record: logging.LogRecord) -> bool:
    event = (getattr(record, "dagster_meta", None) or {}).get("dagster_event")
    return record.levelno >= logging.INFO or (event is not None and event.event_type in _TOLD)


def log_as_asked() -> None:
    """To be called where the graph is loaded, which every process at work does: code servers, runs, workers.

    A logger in Definitions is used by those runs only that name it in their configuration (Dagster 1.13.27), so
    that the one that all others get is exchanged.
    """
    if not wanted():
        return
    loggers: list[tuple[dg.LoggerDefinition, dict[str, object]]] = [(dg.LoggerDefinition(_of_run), {})]
    context_creation_job.default_system_loggers = lambda _: loggers  # type: ignore[attr-defined,assignment]
    root = logging.getLogger()
    if not any(isinstance(handler.formatter, JsonLines) for handler in root.handlers):
        root.handlers[:] = [_handler()]
        root.setLevel(logging.WARNING)


def _handler() -> logging.Handler:
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    return handler
