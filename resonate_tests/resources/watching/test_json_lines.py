"""A log line for programs is one JSON object, whoever said it."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

import pytest

from resonate_resources.watching.json_lines import JsonLines, as_json_line


def record(message: str, *values: object, **fields: object) -> logging.LogRecord:
    made = logging.LogRecord("resonate_resources.models", logging.WARNING, "f.py", 1, message, values, None)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def test_a_line_tells_when_how_grave_who_where_and_what() -> None:
    told = json.loads(JsonLines().format(record("fetching %s", "a model", created=1_000_000_000.25)))
    assert told.pop("host")
    assert told == {
        "time": "2001-09-09T01:46:40.250Z",  # time_t 10⁹
        "level": "WARNING",
        "logger": "resonate_resources.models",
        "message": "fetching a model",
    }


def test_of_a_run_it_tells_track_run_and_stage() -> None:
    of_dagster = {
        "run_id": "6e8bc430-9c3a-11d9-9669-0800200c9a66",
        "job_tags": {"dagster/partition": "bjork-joga-0123456789ab"},
        "step_key": "stems",
        "orig_message": "stems: 40%",
        "dagster_event": None,
    }
    told = json.loads(JsonLines().format(record("process_track - … - stems: 40%", dagster_meta=of_dagster)))
    assert (told["track"], told["stage"]) == ("bjork-joga-0123456789ab", "stems")
    assert told["run"] == "6e8bc430-9c3a-11d9-9669-0800200c9a66"
    assert told["message"] == "stems: 40%"


def test_an_error_and_what_breaks_lines_stay_on_one_line() -> None:
    try:
        raise ValueError("first\nsecond\u2028third")
    except ValueError:
        failed = logging.LogRecord("x", logging.ERROR, "f.py", 1, "a\nb\x85c", (), sys.exc_info())
    line = JsonLines().format(failed)
    assert len(line.splitlines()) == 1
    told = json.loads(line)
    assert told["message"] == "a\nb\x85c"
    assert told["error"].endswith("ValueError: first\nsecond\u2028third")


def test_what_dagster_says_as_json_has_its_fields_called_as_ours() -> None:
    said = {
        "event": "Launching a daemon",
        "logger": "dagster.daemon",
        "level": "info",
        "timestamp": "2026-11-28T10:00:00Z",
    }
    told = json.loads(as_json_line(json.dumps(said)))
    assert told.pop("host")
    assert told == {
        "time": "2026-11-28T10:00:00Z",
        "level": "INFO",
        "logger": "dagster.daemon",
        "message": "Launching a daemon",
    }


def test_a_line_of_ours_stays_as_it_is() -> None:
    line = JsonLines().format(record("said"))
    assert as_json_line(line) == line


@pytest.mark.parametrize(
    "line", ["Traceback (most recent call last):", "", "[1, 2]", '{"no": "log line"}', "17"]
)
def test_any_other_text_is_the_message(line: str) -> None:
    told = json.loads(as_json_line(line))
    assert told["message"] == line
    assert datetime.fromisoformat(told["time"]).tzinfo == UTC
