"""Why a run failed, as people are told."""

from __future__ import annotations

import os
import signal

import dagster as dg
import pytest
from dagster._utils.interrupts import capture_interrupts

from resonate_studio.processing import reason_of_failure

KEY = "a-song-0123456789ab"


@dg.asset(partitions_def=dg.StaticPartitionsDefinition([KEY]))
def told_to_end() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    raise AssertionError("SIGTERM ends a run")


@dg.asset(partitions_def=dg.StaticPartitionsDefinition([KEY]))
def told_to_end_within_another_error() -> None:
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        raise OSError("the file could not be closed")


@pytest.mark.parametrize("asset", [told_to_end, told_to_end_within_another_error])
def test_a_run_that_was_told_to_end_is_stopped_and_how_it_goes_on_is_told(asset: dg.AssetsDefinition) -> None:
    with dg.DagsterInstance.ephemeral() as instance, capture_interrupts():
        done = dg.materialize([asset], instance=instance, partition_key=KEY, raise_on_error=False)
        assert not done.success
        assert reason_of_failure(instance, done.run_id) == (
            "stopped while it was at work; it goes on at the next start of `resonate dev`, "
            f"or by: resonate retry {KEY}"
        )


def test_a_run_whose_process_died_says_so_and_how_it_goes_on() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        everything = dg.Definitions(assets=[told_to_end]).get_implicit_global_asset_job_def()
        run = instance.create_run_for_job(everything, tags={"dagster/partition": KEY})
        instance.report_run_failed(run)  # as Dagster does where a run's process is gone
        assert reason_of_failure(instance, run.run_id) == (
            f"its process was killed while it was at work, or memory ran out; it goes on by: resonate retry {KEY}"
        )
