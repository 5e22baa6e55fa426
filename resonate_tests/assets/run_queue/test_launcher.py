"""What is launched is with the broker, or soon will be."""

from __future__ import annotations

import logging
import time
from unittest import mock

import dagster as dg
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import EmptyWorkspaceTarget
from dagster._daemon.monitoring import run_monitoring

from resonate_assets.run_queue.launcher import app_of
from resonate_tests.assets.run_queue.conftest import Launched
from resonate_tests.rabbitmq_server import RabbitMQ


def messages(broker: RabbitMQ, queue: str) -> int:
    with app_of(broker.url).connection_for_write() as connection, connection.channel() as channel:
        return int(channel.queue_declare(queue, passive=True).message_count)


def test_a_run_waits_in_its_queue(launched: Launched, broker: RabbitMQ) -> None:
    for queue in ("cpu", "gpu", "gpu", "cloud"):
        launched.launch(launched.run(queue=queue))
    assert {queue: messages(broker, queue) for queue in ("cpu", "gpu", "cloud")} == {
        "cpu": 1,
        "gpu": 2,
        "cloud": 1,
    }


def test_a_run_that_waits_long_is_nothing_to_dagsters_monitoring(launched: Launched) -> None:
    run = launched.run()
    starting = dg.DagsterEvent(dg.DagsterEventType.RUN_STARTING.value, "tiny")
    launched.instance.report_dagster_event(starting, run)
    tomorrow = mock.patch.object(run_monitoring, "get_current_timestamp", lambda: time.time() + 24 * 3600)
    with tomorrow, WorkspaceProcessContext(launched.instance, EmptyWorkspaceTarget()) as nothing_loaded:
        looked = list(
            run_monitoring.execute_run_monitoring_iteration(nothing_loaded, logging.getLogger(__name__))
        )
    assert looked == [None]
    assert launched.status(run) == dg.DagsterRunStatus.STARTING


def test_what_waits_outlives_a_broker_that_restarts(launched: Launched, broker: RabbitMQ) -> None:
    launched.launch(launched.run())
    broker.stop()
    broker.start()
    assert messages(broker, "cpu") == 1


def test_a_message_that_a_broker_lost_is_handed_over_again_and_one_that_is_there_is_not(
    launched: Launched, broker: RabbitMQ
) -> None:
    run = launched.run()
    launched.launch(run)
    assert launched.launcher.hand_over_again() == []
    with app_of(broker.url).connection_for_write() as connection, connection.channel() as channel:
        channel.queue_purge("cpu")
    assert [run in line for line in launched.launcher.hand_over_again()] == [True]
    assert messages(broker, "cpu") == 1
    assert launched.launcher.hand_over_again() == []


def test_a_broker_that_is_away_fails_no_run(launched: Launched, broker: RabbitMQ) -> None:
    broker.stop()
    run = launched.run()
    launched.launch(run)
    assert launched.status(run) == dg.DagsterRunStatus.STARTING
    told = launched.instance.all_logs(run)
    assert any("the broker can't be reached" in str(each.message) for each in told)
    (line,) = launched.launcher.hand_over_again()
    assert line.startswith("the broker can't be reached")
    broker.start()
    assert len(launched.launcher.hand_over_again()) == 1
    assert messages(broker, "cpu") == 1
