"""Hands runs to a broker. What dagster-celery's launcher gets wrong for runs like ours is put right here, and
nowhere else; `resonate_tests/assets/run_queue/test_upstream.py` tells when one of these is mended there.

    results     its `rpc://` backend leaves an answer for every run in a queue of the process that launched it, and
                knows nothing of a run once that process has ended: the health of all runs is then "unknown", for
                which Dagster's run monitoring reports them failed. Here there is no backend. Heartbeats tell who
                is alive, on any host.
    resume      it says that runs can be resumed, which an in-process run can't be. Stages that are made are found
                again by the next run.
    cancelling  it kills the process, with its loaded models, and leaves the run as it is. Here the run is marked as
                being cancelled, which its worker sees within seconds and unwinds.
    the broker  a run that can't be handed over is reported failed. Here it waits and is handed over later, as is
                one whose message a broker has lost: a message too many does no harm (see `worker`).
    queues      only "dagster" is declared, with a priority. Ours are declared in advance, and durable.
"""

from __future__ import annotations

import logging
import ssl
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import dagster as dg
from celery import Celery
from celery.exceptions import CeleryError
from dagster import StringSource
from dagster._config import UserConfigSchema
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, ResumeRunContext, WorkerStatus
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import ConfigurableClassData, pack_value
from dagster_celery.config import TASK_EXECUTE_JOB_NAME
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG
from kombu import Queue
from kombu.exceptions import OperationalError

from resonate_assets.run_queue.queues import HIGHEST, QUEUE_TAG, QUEUES, broker_priority, broker_url
from resonate_assets.settings import Settings
from resonate_resources.storage.heartbeats import heartbeats

AWAY: Final = (OperationalError, CeleryError, OSError)
"""What is raised where a broker can't be reached."""
_log = logging.getLogger(__name__)


def app_of(broker: str) -> Celery:
    """Celery's side of the broker, for who launches and for workers."""
    app = Celery("resonate", broker=broker, backend=None)
    app.conf.update(
        task_queues=[Queue(queue, queue_arguments={"x-max-priority": HIGHEST}) for queue in QUEUES],
        task_create_missing_queues=False,
        task_default_queue="cpu",
        task_ignore_result=True,
        worker_prefetch_multiplier=1,
        # The broker says that it has a message on its disk before a run counts as handed over.
        broker_transport_options={"confirm_publish": True, "max_retries": 2, "interval_max": 1.0},
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
    )
    if broker.startswith("amqps://"):
        # kombu asks for a certificate that somebody known has signed, and not for whom: None is the broker's name.
        app.conf.broker_use_ssl = {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": None}
    return app


class BrokerRunLauncher(CeleryRunLauncher):
    """To be named in `dagster.yaml`. broker: an AMQP URL, as in `amqp://user:password@host:5672//`. Raises
    SettingsError for another."""

    def __init__(self, broker: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(default_queue="cpu", broker=broker_url(broker), backend=None, inst_data=inst_data)
        self.celery = app_of(broker)

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        return {"broker": dg.Field(StringSource, description="AMQP URL of RabbitMQ")}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]
    ) -> BrokerRunLauncher:
        return cls(inst_data=inst_data, **config_value)

    def launch_run(self, context: LaunchRunContext) -> None:
        try:
            self._hand_over(context.dagster_run)
        except AWAY as error:
            reason = f"{self._away(error)}; the run is handed over once it can be"
            self._instance.report_engine_event(reason, context.dagster_run, cls=type(self))

    def hand_over_again(self) -> list[str]:
        """Hand over anew what a broker was away for, or has lost; a line for each. To be called now and again.

        Of a queue that holds fewer messages than there are runs waiting for a worker, those runs are handed over
        once more.
        """
        starting = self._instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTING]))
        taken = {each.name for each in heartbeats(Settings.from_environment().database_url, "run")}
        waiting = [run for run in starting if run.run_id not in taken]
        if not waiting:
            return []
        told = []
        try:
            there = self.queues()
            for queue, many in Counter(map(_queue, waiting)).items():
                if there[queue][0] >= many:
                    continue
                for run in (each for each in waiting if _queue(each) == queue):
                    self._hand_over(run)
                    told.append(f"run {run.run_id}: handed over to the broker again")
        except AWAY as error:
            told.append(self._away(error))
        return told

    def terminate(self, run_id: str) -> bool:
        """Mark it as being cancelled, for its worker to see. What no worker has is cancelled at once."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        if run_id not in {each.name for each in heartbeats(Settings.from_environment().database_url, "run")}:
            self._instance.report_run_canceled(run)
        return True

    @property
    def supports_resume_run(self) -> bool:
        return False

    def resume_run(self, context: ResumeRunContext) -> None:
        raise NotImplementedError("a run is not resumed: the next one finds what is made")

    @property
    def supports_check_run_worker_health(self) -> bool:
        return False  # the sensor dead_runs tells it, by heartbeats

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        return CheckRunHealthResult(WorkerStatus.UNKNOWN, f"{run.run_id}: heartbeats tell")

    def get_run_worker_debug_info(
        self,
        run: dg.DagsterRun,
        include_container_logs: bool | None = True,  # noqa: ARG002 — as Dagster has it
    ) -> str | None:
        return f"queue {_queue(run)}, message {run.tags.get(DAGSTER_CELERY_TASK_ID_TAG, 'none')}"

    def _away(self, error: Exception) -> str:
        return f"the broker can't be reached at {self.celery.connection_for_write().as_uri()} ({error})"

    def _hand_over(self, run: dg.DagsterRun) -> None:
        assert run.job_code_origin is not None
        args = ExecuteRunArgs(
            job_origin=run.job_code_origin,
            run_id=run.run_id,
            instance_ref=None,  # a worker has its own
            set_exit_code_on_failure=False,
        )
        sent = self.celery.send_task(
            TASK_EXECUTE_JOB_NAME,
            kwargs={"execute_job_args_packed": pack_value(args)},
            queue=_queue(run),
            priority=broker_priority(run),
            retry_policy={"max_retries": 2, "interval_max": 1.0},
        )
        self._instance.add_run_tags(run.run_id, {DAGSTER_CELERY_TASK_ID_TAG: sent.id})

    def queues(self) -> Mapping[str, tuple[int, int]]:
        """Queue → messages that no worker has taken yet, and workers. Of one that is not there: none. Raises what
        `AWAY` names."""
        found: dict[str, tuple[int, int]] = dict.fromkeys(QUEUES, (0, 0))
        with self.celery.connection_for_write() as connection:
            connection.ensure_connection(max_retries=2, interval_max=1.0)
            for queue in QUEUES:
                # A broker closes the channel on which a queue is asked for that is not there.
                with suppress(*connection.channel_errors), connection.channel() as channel:
                    told = channel.queue_declare(queue, passive=True)
                    found[queue] = told.message_count, told.consumer_count
        return found


def _queue(run: dg.DagsterRun) -> str:
    queue = run.tags.get(QUEUE_TAG, "cpu")
    return queue if queue in QUEUES else "cpu"
