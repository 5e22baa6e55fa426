"""A code location beside Resonate's own: each file in $PACED_FOLDER becomes a run that is at work for some seconds
and uses what runs of tracks use: Dagster's events, places in a pool, storage."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from resonate_assets.settings import Settings
from resonate_resources.storage.pools import in_pool
from resonate_resources.storage.resource import S3Resource, StorageResource

_SECONDS = 3.0
"""Of each of three steps."""
_settings = Settings.from_environment()


@dg.op
def step(context: dg.OpExecutionContext, storage: StorageResource, after: int) -> int:
    with in_pool(storage.database, "cores", context.run.tags["dagster/run_key"]):
        time.sleep(_SECONDS)
        storage.store.write(f"paced/{context.run.tags['dagster/run_key']}/{after}", context.run_id.encode())
    return after + 1


@dg.op
def begin() -> int:
    return 0


@dg.job(executor_def=dg.in_process_executor)
def paced() -> None:
    step(step(step(begin())))


@dg.sensor(job=paced, minimum_interval_seconds=1, default_status=dg.DefaultSensorStatus.RUNNING)
def asked() -> Iterator[dg.RunRequest]:
    for file in Path(os.environ["PACED_FOLDER"]).iterdir():
        yield dg.RunRequest(run_key=file.name)


defs = dg.Definitions(
    jobs=[paced],
    sensors=[asked],
    resources={
        "storage": StorageResource(
            root=_settings.storage,
            s3=S3Resource(endpoint_url=_settings.s3_endpoint),
            cache=str(_settings.home / "s3-cache"),
            database=_settings.database_url,
        )
    },
)
