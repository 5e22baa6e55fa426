"""Runs that were killed together with their code server are told from those under way."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.test_utils import create_test_daemon_workspace_context
from dagster._core.workspace.load_target import EmptyWorkspaceTarget
from dagster._daemon.monitoring.run_monitoring import execute_run_monitoring_iteration

SERVER = ".dagster/grpc_info"


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance as dagster_home/dagster.yaml sets it up."""
    config = Path(__file__).parents[2] / "dagster_home" / "dagster.yaml"
    (tmp_path / "dagster.yaml").write_bytes(config.read_bytes())
    with dg.DagsterInstance.from_config(str(tmp_path)) as made:
        yield made


@pytest.fixture
def address(tmp_path: Path) -> str:
    return str(tmp_path / "code-server.sock")


def started(instance: dg.DagsterInstance, tags: dict[str, str]) -> str:
    """A run that has started; its id."""

    @dg.job
    def process() -> None: ...

    run = instance.create_run_for_job(process, tags=tags, status=dg.DagsterRunStatus.STARTING)
    instance.report_dagster_event(
        dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, process.name), run.run_id, logging.INFO
    )
    return run.run_id


def status_after_monitoring(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    with create_test_daemon_workspace_context(EmptyWorkspaceTarget(), instance) as context:
        list(execute_run_monitoring_iteration(context, logging.getLogger("monitoring")))
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def test_a_run_whose_server_is_there_goes_on_and_fails_once_it_is_gone(
    instance: dg.DagsterInstance, address: str
) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(address)
        server.listen()
        run_id = started(instance, {SERVER: json.dumps({"host": "localhost", "socket": address})})
        assert status_after_monitoring(instance, run_id) == dg.DagsterRunStatus.STARTED
    # Its socket's file is still there, as after a kill -9.
    assert Path(address).exists()
    assert status_after_monitoring(instance, run_id) == dg.DagsterRunStatus.FAILURE


def test_a_run_whose_server_went_with_its_socket_fails(instance: dg.DagsterInstance, address: str) -> None:
    run_id = started(instance, {SERVER: json.dumps({"host": "localhost", "socket": address})})
    assert status_after_monitoring(instance, run_id) == dg.DagsterRunStatus.FAILURE


def test_a_run_of_the_command_line_is_left_to_the_command_line(instance: dg.DagsterInstance) -> None:
    assert status_after_monitoring(instance, started(instance, {})) == dg.DagsterRunStatus.STARTED
