"""Pruning: old runs go, and Dagster knows as much of every partition as before."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pytest

from resonate_assets.pruning import prune

PARTS = dg.DynamicPartitionsDefinition(name="tracks")
A, B = "a-0123456789ab", "b-0123456789ab"
DAY = 86_400.0


class World:
    mix_fails = False


@dg.asset(partitions_def=PARTS)
def stems() -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(data_version=dg.DataVersion("s"))


@dg.asset(partitions_def=PARTS, deps=[stems])
def mix() -> dg.MaterializeResult[None]:
    if World.mix_fails:
        raise RuntimeError("out of luck")
    return dg.MaterializeResult(data_version=dg.DataVersion("m"))


@dg.asset_check(asset=mix, partitions_def=PARTS)
def is_loud() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


@dg.asset
def library() -> None: ...


JOBS = {
    "all": dg.define_asset_job("all", dg.AssetSelection.assets(stems, mix)),
    "mix": dg.define_asset_job("mix_only", dg.AssetSelection.assets(mix)),
    "library": dg.define_asset_job("library_only", dg.AssetSelection.assets(library)),
}
DEFS = dg.Definitions([stems, mix, library], asset_checks=[is_loud], jobs=list(JOBS.values()))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    World.mix_fails = False
    with dg.instance_for_test() as temporary:
        temporary.add_dynamic_partitions("tracks", [A, B])
        yield temporary


def run(instance: dg.DagsterInstance, job: str, partition: str | None = None) -> str:
    resolved = DEFS.resolve_job_def(JOBS[job].name)
    return resolved.execute_in_process(
        instance=instance, partition_key=partition, raise_on_error=False
    ).run_id


def left(instance: dg.DagsterInstance) -> set[str]:
    return {found.run_id for found in instance.get_runs()}


def statuses(instance: dg.DagsterInstance) -> dict[str, dict[str, str]]:
    """Asset → partition → its status, as the web UI shows it."""
    found = {
        asset: instance.get_status_by_partition(asset.key, [A, B], PARTS) or {} for asset in (stems, mix)
    }
    return {
        asset.key.to_user_string(): {name: status.value for name, status in told.items() if status}
        for asset, told in found.items()
    }


def test_a_run_all_of_which_was_made_anew_goes_and_every_partition_stays_as_it_was(
    instance: dg.DagsterInstance,
) -> None:
    old = [run(instance, "all", A), run(instance, "all", A)]
    latest = {run(instance, "all", A), run(instance, "all", B)}
    before = statuses(instance)
    assert before["mix"] == {A: "MATERIALIZED", B: "MATERIALIZED"}
    assert prune(instance, 0.0) == len(old)
    assert left(instance) == latest
    assert statuses(instance) == before
    assert instance.get_materialized_partitions(mix.key) == {A, B}
    assert prune(instance, 0.0) == 0


def test_the_latest_run_of_a_partition_stays_however_old(instance: dg.DagsterInstance) -> None:
    runs = {run(instance, "all", A), run(instance, "all", B)}
    assert prune(instance, 0.0) == 0
    assert left(instance) == runs


def test_a_run_of_which_one_asset_still_counts_stays(instance: dg.DagsterInstance) -> None:
    both, only_mix = run(instance, "all", A), run(instance, "mix", A)
    before = statuses(instance)
    assert prune(instance, 0.0) == 0
    assert left(instance) == {both, only_mix}
    again = run(instance, "all", A)
    assert prune(instance, 0.0) == 2
    assert left(instance) == {again}
    assert statuses(instance) == before


def test_a_failure_that_nothing_has_come_after_stays_a_failure(instance: dg.DagsterInstance) -> None:
    World.mix_fails = True
    failed = run(instance, "all", A)
    run(instance, "mix", B)
    World.mix_fails = False
    before = statuses(instance)
    assert before["mix"] == {A: "FAILED", B: "FAILED"}
    prune(instance, 0.0)
    assert statuses(instance) == before
    assert failed in left(instance)
    run(instance, "all", A)
    assert prune(instance, 0.0) == 1
    assert failed not in left(instance)


def test_runs_that_ended_lately_stay(instance: dg.DagsterInstance) -> None:
    for _ in range(2):
        run(instance, "all", A)
    assert prune(instance, DAY) == 0
    assert len(left(instance)) == 2


def test_what_has_no_partition_is_pruned_by_its_job(instance: dg.DagsterInstance) -> None:
    run(instance, "library")
    latest = run(instance, "library")
    assert prune(instance, 0.0) == 1
    assert left(instance) == {latest}
    assert instance.get_latest_materialization_event(library.key) is not None


def test_no_more_go_at_a_time_than_were_allowed(instance: dg.DagsterInstance) -> None:
    for _ in range(4):
        run(instance, "library")
    assert [prune(instance, 0.0, limit=2) for _ in range(3)] == [2, 1, 0]
    run(instance, "library")
    assert prune(instance, 0.0, seconds=-1.0) == 0


def test_a_run_under_way_is_left_alone(instance: dg.DagsterInstance) -> None:
    under_way = dg.DagsterRun(
        job_name="all", status=dg.DagsterRunStatus.STARTED, tags={"dagster/partition": A}
    )
    instance.add_run(under_way)
    run(instance, "all", A)
    assert prune(instance, 0.0) == 0
    assert under_way.run_id in left(instance)
