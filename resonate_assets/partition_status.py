"""What the web UI shows as made: Dagster's cache of it is mended where it has lost a track.

Dagster 1.13.27 keeps, for each asset, which partitions are made up to an event of some number, and adds what came
after it (`_build_status_cache` in dagster/_core/storage/partition_status_cache.py). That number is the larger one
of the last materialisation and the last *planned* one. The first is taken from the asset's record, which a request
or a tick has read at its beginning; the second is read anew. A materialisation that is written in between is below
the number and is never looked at again: its track is shown as missing, and the automation takes it for missing,
until a track is added or removed, which throws the cache away. It takes two tracks at once, on any storage.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import dagster as dg

from resonate_assets.partitions import tracks

_OVERLAP = 1000
"""Events that are looked at once more: several writers of PostgreSQL may end in another order than they began."""


def mend_partition_status(
    instance: dg.DagsterInstance, assets: Sequence[dg.AssetKey], after: int
) -> tuple[list[dg.AssetKey], int]:
    """Throw away the cache of assets in which a track that was made after an event is missing. Dagster makes it
    anew when somebody asks next.

    Returns the assets, and the event up to which all has been looked at. Costs a query for each asset, and reads a
    cache only where something was made.
    """
    known, lost = [], []
    for key, known_to, shown in _caches(instance, assets):
        made = instance.get_materialized_partitions(
            key, before_cursor=known_to + 1, after_cursor=max(0, after - _OVERLAP)
        )
        # What is no track any more is rightly not shown.
        if any(instance.has_dynamic_partition(str(tracks.name), track) for track in made - shown):
            lost.append(key)
        known.append(known_to)
    if lost:
        instance.wipe_asset_cached_status(lost)
    # Of the asset that is behind: what comes between is not in its cache yet, and may get lost there.
    return lost, min(known, default=after)


def _caches(
    instance: dg.DagsterInstance, assets: Sequence[dg.AssetKey]
) -> Iterator[tuple[dg.AssetKey, int, set[str]]]:
    """(asset, event up to which its cache knows of everything, tracks that it holds to be made)."""
    for record in instance.get_asset_records(assets):
        cached = record.asset_entry.cached_status
        if cached is not None:
            subset = cached.deserialize_materialized_partition_subsets(tracks)
            yield record.asset_entry.asset_key, cached.latest_storage_id, set(subset.get_partition_keys())
