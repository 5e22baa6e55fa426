"""A track that was made is shown as made, also where Dagster's own record of that has lost it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import dagster as dg
import pytest
from dagster._core.loader import LoadingContextForTest
from dagster._core.storage.event_log.base import AssetRecord
from dagster._core.storage.partition_status_cache import (
    AssetPartitionStatus,
    get_and_update_asset_status_cache_value,
)

from resonate_assets.partition_status import mend_partition_status
from resonate_assets.partitions import tracks

NAME = str(tracks.name)
FIRST, LOST, LAST = "first-0123456789ab", "lost-0123456789ab", "last-0123456789ab"
STEMS = dg.AssetKey("stems")


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as temporary:
        temporary.add_dynamic_partitions(NAME, [FIRST, LOST, LAST])
        yield temporary


def make(instance: dg.DagsterInstance, track: str, meanwhile: Callable[[], None] = lambda: None) -> None:
    """A run of its own, in the midst of which something else happens."""

    @dg.asset(partitions_def=tracks)
    def stems() -> None:
        meanwhile()

    assert dg.materialize([stems], partition_key=track, instance=instance).success


def ask(instance: dg.DagsterInstance, request: LoadingContextForTest | None = None) -> None:
    """What a page of the web UI, or a tick of the daemon, does."""
    get_and_update_asset_status_cache_value(instance, STEMS, tracks, loading_context=request)


def made(instance: dg.DagsterInstance) -> set[str]:
    """Tracks that are shown as made."""
    found = instance.get_status_by_partition(STEMS, [FIRST, LOST, LAST], tracks) or {}
    return {track for track, status in found.items() if status == AssetPartitionStatus.MATERIALIZED}


def lose_one(instance: dg.DagsterInstance) -> None:
    """A request has read the asset's record; a track is made and another begun before it reads what is planned."""
    make(instance, FIRST)
    ask(instance)
    request = LoadingContextForTest(instance)
    AssetRecord.blocking_get(request, STEMS)
    make(instance, LOST)
    make(instance, LAST, meanwhile=lambda: ask(instance, request))


def test_dagster_loses_a_track_that_is_made_while_it_reads(instance: dg.DagsterInstance) -> None:
    """Why this module is there: once this fails, Dagster has mended it, and `partition_status` may go."""
    lose_one(instance)
    assert made(instance) == {FIRST, LAST}
    assert made(instance) == {FIRST, LAST}  # and asking again does not help


def test_a_track_that_was_lost_is_found(instance: dg.DagsterInstance) -> None:
    lose_one(instance)
    assert mend_partition_status(instance, [STEMS], 0)[0] == [STEMS]
    assert made(instance) == {FIRST, LOST, LAST}


def test_a_track_that_is_lost_after_a_look_is_found_by_the_next_one(instance: dg.DagsterInstance) -> None:
    make(instance, FIRST)
    ask(instance)
    lost, seen = mend_partition_status(instance, [STEMS], 0)
    assert lost == []
    lose_one(instance)
    assert mend_partition_status(instance, [STEMS], seen)[0] == [STEMS]


def test_what_is_in_order_is_left_alone_and_what_is_no_track_any_more_is_not_missed(
    instance: dg.DagsterInstance,
) -> None:
    for track in (FIRST, LOST, LAST):
        make(instance, track)
    ask(instance)
    assert mend_partition_status(instance, [STEMS], 0)[0] == []
    instance.delete_dynamic_partition(NAME, LAST)
    ask(instance)
    assert mend_partition_status(instance, [STEMS], 0)[0] == []


def test_an_instance_in_which_nothing_was_made_is_in_order(instance: dg.DagsterInstance) -> None:
    assert mend_partition_status(instance, [STEMS], 0) == ([], 0)
