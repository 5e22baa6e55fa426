"""Log lines for programs: a JSON object a line, where RESONATE_LOG is `json`."""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

VARIABLE = "RESONATE_LOG"
_PARTITION = "dagster/partition"
_HOST = socket.gethostname()


def wanted() -> bool:
    return os.environ.get(VARIABLE) == "json"


class JsonLines(logging.Formatter):
    """Of a record, one line: `time` (RFC 3339, UTC), `level`, `logger`, `host`, `message`; of a run's, `run`, and
    where they are known `track`, `stage` and `event` (Dagster's name for it); of a failure, `error`."""

    def format(self, record: logging.LogRecord) -> str:
        dagster: Mapping[str, Any] = getattr(record, "dagster_meta", None) or {}
        event = dagster.get("dagster_event")
        told = {
            "time": _time(record.created),
            "level": record.levelname,
            "logger": record.name,
            "host": _HOST,
            "track": (dagster.get("job_tags") or {}).get(_PARTITION),
            "run": dagster.get("run_id"),
            "stage": dagster.get("step_key"),
            "event": event.event_type_value if event is not None else None,
            "message": dagster.get("orig_message") or record.getMessage(),
            "error": self._error(record, event),
        }
        return _line(told)

    def _error(self, record: logging.LogRecord, event: Any) -> str | None:
        if record.exc_info and record.exc_info[0] is not None:
            return self.formatException(record.exc_info)
        if event is not None and (event.is_step_failure or event.is_failure):
            error = getattr(event.event_specific_data, "error", None)
            return error.to_string() if error is not None else None
        return None


def as_json_line(line: str) -> str:
    """What a process said that is not ours, as a line like the others: one that is one already stays, one of
    Dagster's (`--log-format json`) has its fields called as ours, and any other text is the message."""
    try:
        given = json.loads(line)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        return _line({"time": _time(None), "level": "INFO", "host": _HOST, "message": line})
    if "time" in given and "message" in given:
        return line
    if "event" not in given:
        return _line({"time": _time(None), "level": "INFO", "host": _HOST, "message": line})
    told = {
        "time": given.get("timestamp") or _time(None),
        "level": str(given.get("level", "info")).upper(),
        "logger": given.get("logger"),
        "host": _HOST,
        "message": given["event"],
        "error": given.get("exception"),
    }
    return _line(told)


def _line(told: Mapping[str, Any]) -> str:
    """In ASCII, so that no encoding and no letter that ends lines elsewhere breaks it."""
    return json.dumps({name: value for name, value in told.items() if value is not None}, default=str)


def _time(seconds: float | None) -> str:
    moment = datetime.now(UTC) if seconds is None else datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
