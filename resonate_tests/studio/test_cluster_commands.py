"""Commands of many machines, on a machine that is not one of many."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from resonate_studio import cluster_commands
from resonate_studio.cli import main


def test_a_worker_tells_in_a_line_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_commands, "find_spec", lambda _: None)
    result = CliRunner().invoke(main, ["run-worker"])
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: dagster-celery is not installed: pip install 'resonate-studio[cluster]'\n"
    )
