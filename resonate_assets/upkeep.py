"""Upkeep: what the library and Dagster's event log need now and then. Jobs of ops: no asset comes of them."""

import dagster as dg

from resonate_assets.acceptance import CRITERIA, judge
from resonate_assets.pruning import prune
from resonate_assets.runs import tracks_under_way
from resonate_resources.storage.current import rebuild
from resonate_resources.storage.heartbeats import tracks_in_use
from resonate_resources.storage.keeping import KeepingResource
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.tracks import bring_up_to_date, describe_missing, forget_gone


@dg.op
def compare_index(context: dg.OpExecutionContext, storage: StorageResource) -> None:
    """Make the index of what is current say what the manifests in storage do."""
    wrong = rebuild(storage.database, storage.store)
    describe_missing(storage.database, storage.store)
    bring_up_to_date(storage.database, judge, CRITERIA)
    forget_gone(storage.database)
    context.log.info(f"{wrong} rows of the index did not agree with storage")


@dg.op
def clear_old(context: dg.OpExecutionContext, storage: StorageResource, keeping: KeepingResource) -> None:
    """Delete what is older than RESONATE_KEEP says: runs of which nothing counts any more, results that count no
    longer, light copies."""
    if keeping.events is not None:
        removed = prune(context.instance, keeping.events * 86_400.0)
        context.log.info(f"{removed} old runs deleted")
    cleared = keeping.clear_results(
        storage.store, lambda: tracks_in_use(storage.database) | tracks_under_way(context.instance)
    )
    light = keeping.clear_light()
    context.log.info(
        f"{cleared.results} results ({cleared.size / 1e9:.2f} GB) and {light} light copies deleted"
    )


@dg.job(
    executor_def=dg.in_process_executor,
    description="Keeps records in order: the index is compared with storage, and what counts no longer goes.",
)
def upkeep() -> None:
    compare_index()
    clear_old()
