"""The machine for GPU runs: started by the first run that needs it, stopped after ten idle minutes."""

import os

import dagster as dg

from resonate_resources.machines.deciding import Need
from resonate_resources.machines.resource import GpuMachineResource
from resonate_resources.machines.tending import tend
from resonate_resources.storage.resource import StorageResource

_GPU_RUNS = {"resonate/queue": "gpu"}
"""Tags of runs that need a GPU."""
_WAITING = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING]
"""A run that was handed to workers is "starting" until one takes it."""
_WORKING = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def gpu_need(instance: dg.DagsterInstance) -> Need:
    """Runs with the tag for GPU work that wait, and those in progress."""
    waiting, working = (
        instance.get_runs_count(dg.RunsFilter(statuses=statuses, tags=_GPU_RUNS))
        for statuses in (_WAITING, _WORKING)
    )
    return Need(waiting, working)


@dg.sensor(
    minimum_interval_seconds=30,
    default_status=(
        dg.DefaultSensorStatus.RUNNING
        if os.environ.get("RESONATE_GPU_MACHINE")
        else dg.DefaultSensorStatus.STOPPED
    ),
    description="Starts and stops the machine for GPU runs. Off, unless RESONATE_GPU_MACHINE names one.",
)
def gpu_machine(
    context: dg.SensorEvaluationContext, storage: StorageResource, gpu: GpuMachineResource
) -> dg.SkipReason:
    """See resonate_resources.machines.deciding. What was decided, and what it cost, stands in the database."""
    machine = gpu.machine()
    if machine is None:
        return dg.SkipReason("no machine is set (RESONATE_GPU_MACHINE)")
    told = tend(storage.database, machine, lambda: gpu_need(context.instance), gpu.day_cap)
    if told.new_trouble:
        context.log.warning(told.line)
    return dg.SkipReason(told.line)
