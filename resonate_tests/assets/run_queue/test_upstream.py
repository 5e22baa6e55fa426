"""What dagster-celery's launcher gets wrong, so that it is known when it no longer does: what is worked round in
`run_queue/launcher.py` can go then."""

from __future__ import annotations

import inspect

import dagster as dg
import pytest
from dagster._core.launcher import WorkerStatus
from dagster_celery import launcher as upstream
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

from resonate_tests.assets.run_queue.conftest import Launched
from resonate_tests.rabbitmq_server import RabbitMQ


@pytest.fixture
def theirs(broker: RabbitMQ, launched: Launched) -> upstream.CeleryRunLauncher:
    made = upstream.CeleryRunLauncher(default_queue="cpu", broker=broker.url, backend="rpc://")
    made.register_instance(launched.instance)
    return made


def test_health_of_a_run_that_another_process_launched_is_unknown(
    theirs: upstream.CeleryRunLauncher, launched: Launched
) -> None:
    """Dagster's run monitoring reports failed whatever is neither running nor done."""
    run = launched.run()
    launched.instance.add_run_tags(run, {DAGSTER_CELERY_TASK_ID_TAG: "of a daemon that is gone"})
    found = launched.instance.get_run_by_id(run)
    assert found is not None
    assert theirs.check_run_worker_health(found).status == WorkerStatus.UNKNOWN
    monitoring = inspect.getsource(__import__("dagster._daemon.monitoring.run_monitoring", fromlist=["x"]))
    assert "not in [WorkerStatus.RUNNING, WorkerStatus.SUCCESS]" in monitoring


def test_what_it_cancels_stays_as_it_is(theirs: upstream.CeleryRunLauncher, launched: Launched) -> None:
    run = launched.run()
    launched.instance.add_run_tags(run, {DAGSTER_CELERY_TASK_ID_TAG: "somebody's"})
    assert theirs.terminate(run)
    assert launched.status(run) == dg.DagsterRunStatus.STARTING


def test_it_can_t_cancel_a_run_that_is_not_handed_over(
    theirs: upstream.CeleryRunLauncher, launched: Launched
) -> None:
    with pytest.raises(KeyError):
        theirs.terminate(launched.run())


def test_it_says_that_runs_can_be_resumed(theirs: upstream.CeleryRunLauncher) -> None:
    assert theirs.supports_resume_run
