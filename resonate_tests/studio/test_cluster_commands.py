"""Workers and daemons begin only where what they are told can be meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from resonate_studio import cluster_commands
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


POSTGRESQL = """
storage:
  postgres:
    postgres_db:
      hostname: 127.0.0.1
      port: 1
      username: resonate
      password: {env: RESONATE_POSTGRES_PASSWORD}
      db_name: resonate
      scheme: postgresql+psycopg2
"""


@pytest.mark.parametrize("command", [["daemon"], ["status"], ["health", "--ready"], ["metrics"]])
def test_an_instance_that_dagster_can_t_open_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: list[str]
) -> None:
    (tmp_path / "dagster.yaml").write_text(POSTGRESQL)
    (tmp_path / ".resonate-home").touch()
    monkeypatch.setenv("RESONATE_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.delenv("RESONATE_POSTGRES_PASSWORD", raising=False)
    told = CliRunner().invoke(main, command)
    assert told.exit_code == 1
    assert told.output.startswith("Error: ")
    assert "RESONATE_POSTGRES_PASSWORD is not set" in told.output.splitlines()[0]


def test_a_daemon_is_told_why_dagster_s_database_turns_it_away(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "dagster.yaml").write_text(POSTGRESQL)
    monkeypatch.setenv("RESONATE_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("RESONATE_POSTGRES_PASSWORD", "secret")
    monkeypatch.setattr("dagster_postgres.utils.time.sleep", lambda _: None)
    told = CliRunner().invoke(main, ["daemon"])
    assert told.exit_code == 1
    assert told.output.startswith('Error: DAGSTER_HOME: connection to server at "127.0.0.1", port 1 failed')
    assert "secret" not in told.output


def test_a_worker_tells_in_a_line_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_commands, "find_spec", lambda _: None)
    result = CliRunner().invoke(main, ["run-worker"])
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: dagster-celery is not installed: pip install 'resonate-studio[cluster]'\n"
    )
