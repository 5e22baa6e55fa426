"""Workers and daemons begin only where what they are told can be meant."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from resonate_studio.cli import main

BROKER = "amqp://guest:guest@127.0.0.1:1//"


@pytest.mark.parametrize(
    ("command", "name", "value"),
    [
        ("run-worker", "RESONATE_BROKER", "amqp://user:secret@127.0.0.1:port//"),
        ("run-worker", "RESONATE_KEEP_FREE_GIB", "nan"),
        ("run-worker", "RESONATE_QUEUES", "cpu;gpu"),
        ("run-worker", "RESONATE_LOG", "JSON"),
        ("daemon", "RESONATE_BROKER", "amqp://user:p@secret/word@127.0.0.1//"),
        ("daemon", "RESONATE_DATABASE", "mysql://user:secret@127.0.0.1/resonate"),
        ("daemon", "RESONATE_KEEP", "events=-1d"),
        ("daemon", "RESONATE_QUEUES", "tpu"),
    ],
)
def test_a_setting_that_can_t_be_meant_is_told_in_one_line_before_anything_begins(
    monkeypatch: pytest.MonkeyPatch, command: str, name: str, value: str
) -> None:
    monkeypatch.setenv("RESONATE_BROKER", BROKER)
    monkeypatch.setenv(name, value)
    told = CliRunner().invoke(main, [command])
    assert told.exit_code == 1
    assert told.output.startswith(f"Error: {name}")
    assert len(told.output.splitlines()) == 1
    assert "secret" not in told.output
