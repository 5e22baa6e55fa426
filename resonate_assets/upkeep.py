"""Upkeep: what the library and Dagster's event log need now and then. Jobs of ops: no asset comes of them."""

import dagster as dg

from resonate_assets.pruning import prune
from resonate_resources.storage.current import rebuild
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.tracks import describe_missing

_KEPT_DAYS = 30


@dg.op
def compare_index(context: dg.OpExecutionContext, storage: StorageResource) -> None:
    """Make the index of what is current say what the manifests in storage do."""
    wrong = rebuild(storage.database, storage.store)
    describe_missing(storage.database, storage.store)
    context.log.info(f"{wrong} rows of the index did not agree with storage")


@dg.op
def prune_runs(context: dg.OpExecutionContext) -> None:
    """Delete runs of more than a month ago of which nothing counts any more."""
    removed = prune(context.instance, _KEPT_DAYS * 86_400.0)
    context.log.info(f"{removed} old runs deleted")


@dg.job(
    executor_def=dg.in_process_executor,
    description="Keeps records in order: the index is compared with storage, and old runs leave the event log.",
)
def upkeep() -> None:
    compare_index()
    prune_runs()
