"""Dagster's own queue of runs, whose every run says which queue of the broker it is for."""

from __future__ import annotations

from functools import cached_property

import dagster as dg
from dagster._core.execution.plan.resume_retry import ReexecutionStrategy
from dagster._core.run_coordinator import QueuedRunCoordinator, SubmitRunContext
from dagster._core.storage.tags import RETRY_STRATEGY_TAG

from resonate_assets.run_queue.queues import QUEUE_TAG, VERSION, VERSION_TAG, Engine, queue_of
from resonate_assets.settings import Settings
from resonate_resources.brief.resource import BriefResource
from resonate_resources.storage.resource import S3Resource, StorageResource

_RETRIED_WHOLE = {RETRY_STRATEGY_TAG: ReexecutionStrategy.ALL_STEPS.value}
"""Where its worker dies: stages that are made are found again, and what was not checked is checked."""


class RunCoordinator(QueuedRunCoordinator[dg.DagsterInstance]):
    """To be named in `dagster.yaml`, with the settings of Dagster's QueuedRunCoordinator.

    Here, and not as a run is launched: queue and priority are seen while it waits, limits by tag hold for it, and a
    GPU machine can be started for it.
    """

    def submit_run(self, context: SubmitRunContext) -> dg.DagsterRun:
        run = context.dagster_run
        if QUEUE_TAG not in run.tags:
            tags = {QUEUE_TAG: queue_of(run, self._engine), VERSION_TAG: VERSION, **_RETRIED_WHOLE}
            self._instance.add_run_tags(run.run_id, tags)
        return super().submit_run(context)

    @cached_property
    def _engine(self) -> Engine:
        settings = Settings.from_environment()
        storage = StorageResource(
            root=settings.storage,
            s3=S3Resource(endpoint_url=settings.s3_endpoint),
            cache=str(settings.home / "s3-cache"),
            database=settings.database_url,
        )
        briefs = BriefResource(storage=storage, folder=settings.inbox, bucket=settings.bucket)
        return lambda track: briefs.resolve(track, storage.sources.find(track)).brief.separation.engine
