"""Runs asked for from outside Dagster's own processes: written down and put into the queue, from which the daemon
launches them in its code location. Nothing is computed here."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg

from resonate_assets.jobs import process_track
from resonate_assets.runs import PARTITION_TAG
from resonate_resources.watching.tracing import JOB_TAG

if TYPE_CHECKING:
    from dagster._core.remote_origin import RemoteRepositoryOrigin

_MODULE = "resonate_assets.definitions"
DAEMON_FRESH_SECONDS = 60.0
"""The daemon writes down every half minute that it lives."""


def ask_for_run(
    instance: dg.DagsterInstance, defs: dg.Definitions, track: str, tags: Mapping[str, str] | None = None
) -> str:
    """Ask for all stages of a track. Gives the run's id. It waits in the queue until there is a daemon."""
    from dagster._core.code_pointer import ModuleCodePointer
    from dagster._core.origin import RepositoryPythonOrigin
    from dagster._core.remote_origin import RemoteJobOrigin

    job = defs.resolve_job_def(process_track.name)
    run_id = str(uuid.uuid4())
    python = RepositoryPythonOrigin(sys.executable, ModuleCodePointer(_MODULE, "defs"))
    instance.create_run_for_job(
        job,
        run_id=run_id,
        tags={**job.tags, PARTITION_TAG: track, JOB_TAG: run_id, **(tags or {})},
        remote_job_origin=RemoteJobOrigin(repository_of(instance), job.name),
        job_code_origin=python.get_job_origin(job.name),
    )
    workspace: Any = None  # the queue has no use for it: the daemon looks into its own
    instance.submit_run(run_id, workspace)
    return run_id


def repository_of(instance: dg.DagsterInstance) -> RemoteRepositoryOrigin:
    """Under what name the daemon knows our code: as its sensors, which tick there, have it; before their first
    tick, as `dagster dev -m` and `dagster-daemon -m` call it."""
    from dagster._core.remote_origin import ManagedGrpcPythonEnvCodeLocationOrigin, RemoteRepositoryOrigin
    from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

    ticked = [
        (getattr(state.instigator_data, "last_tick_timestamp", None) or 0.0, state.origin.repository_origin)
        for state in instance.all_instigator_state()
        if state.instigator_name == "dead_runs"
    ]
    if ticked:
        return max(ticked, key=lambda each: each[0])[1]
    target = LoadableTargetOrigin(executable_path=sys.executable, module_name=_MODULE)
    return RemoteRepositoryOrigin(ManagedGrpcPythonEnvCodeLocationOrigin(target, _MODULE), "__repository__")


def runs_are_carried_out(instance: dg.DagsterInstance) -> bool:
    """Whether a daemon showed a sign of life a moment ago, without which what is asked for waits."""
    import time

    beats = instance.get_daemon_heartbeats().values()
    return any(time.time() - beat.timestamp < DAEMON_FRESH_SECONDS for beat in beats)


def runs_are_carried_out_elsewhere(instance: dg.DagsterInstance) -> bool:
    """Whether workers on many machines carry runs out. Their daemons stand by for each other, and one of the
    studio's own would be one too many."""
    from dagster._core.launcher import DefaultRunLauncher

    return not isinstance(instance.run_launcher, DefaultRunLauncher)
