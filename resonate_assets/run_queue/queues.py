"""Which queue a run waits in, and how urgent it is there."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from typing import Final, Literal, get_args
from urllib.parse import urlsplit

import dagster as dg
from sqlalchemy.exc import SQLAlchemyError

from resonate_assets.runs import PARTITION_TAG, PRIORITY_TAG
from resonate_assets.settings import ESCAPED, SettingsError
from resonate_resources.recordings.recording import AudioError
from resonate_resources.separation.engines import offers

Queue = Literal["cpu", "gpu", "cloud"]
QUEUES: Final[tuple[Queue, ...]] = get_args(Queue)

QUEUE_TAG: Final = "resonate/queue"
VERSION_TAG: Final = "resonate/version"
VERSION: Final = version("resonate-studio")
"""Of a run: which Resonate asked for it. A worker that is older leaves it to others."""
HIGHEST: Final = 10
"""RabbitMQ's documentation ("Classic Queues Support Priorities") advises up to 10: each is a queue of its own."""
_LOWEST_RUN: Final = -16
"""See `resonate_resources.ingestion.priority`: files of libraries have −16 to −1, and what somebody drops has 0."""

_SCHEMES: Final = ("amqp", "amqps", "pyamqp")

_log = logging.getLogger(__name__)

Engine = Callable[[str], str]
"""Key of a track → the separation engine that its brief asks for: a name, name:model, or auto."""


def served() -> frozenset[Queue]:
    """RESONATE_QUEUES: the queues that this installation has workers for, `cpu` always among them, `gpu` also where
    its machines come on demand. Raises SettingsError."""
    named = {each.strip() for each in os.environ.get("RESONATE_QUEUES", "cpu").split(",") if each.strip()}
    if unknown := sorted(named.difference(QUEUES)):
        raise SettingsError(
            f"RESONATE_QUEUES: {', '.join(unknown)}: is no queue; there are {', '.join(QUEUES)}"
        )
    return frozenset(queue for queue in QUEUES if queue in named or queue == "cpu")


def broker_url(told: str) -> str:
    """RabbitMQ's address, as it was given. Raises SettingsError: of what can't be read any part may be a password,
    and none is told."""
    try:
        address = urlsplit(told)
        # A "/" or "#" that is not escaped ends what is taken for the host, and the rest would be told everywhere.
        behind = address.path + address.query + address.fragment
        fits = address.scheme in _SCHEMES and address.hostname and address.port != 0 and "@" not in behind
    except ValueError:
        fits = False
    if not fits or told != told.strip():
        raise SettingsError(
            "RESONATE_BROKER: is to be RabbitMQ's address, as in amqp://user:password@host:5672//, with special "
            f"characters of a password as {ESCAPED}"
        )
    return told


def queue_of(run: dg.DagsterRun, engine: Engine) -> Queue:
    """Where a run is to wait. What separates a track by a model goes to `gpu`, what has a service separate it to
    `cloud`, as far as these are served; all else to `cpu`, where every engine runs, if slowly.

    One run is one track, from its file to its exports, so that a model that is loaded stays so for the next.
    """
    there = served()
    track = run.tags.get(PARTITION_TAG)
    if len(there) == 1 or track is None or not _separates(run):
        return "cpu"
    try:
        wanted = engine(track)
    except (
        AudioError,
        OSError,
        SQLAlchemyError,
    ) as error:  # the run itself tells what is wrong with its brief
        _log.warning("%s: its brief can't be read (%s); it waits in cpu", track, error)
        return "cpu"
    queue: Queue = "gpu" if wanted == "auto" else _queues_of_engines().get(wanted, "cpu")
    return queue if queue in there else "cpu"


def broker_priority(run: dg.DagsterRun) -> int:
    """0 to 10, by Dagster's priority: −16 to −1 (files of libraries) become 0 to 9, what is more urgent 10."""
    try:
        priority = int(run.tags.get(PRIORITY_TAG, "0"))
    except ValueError:
        priority = 0
    steps = math.floor((priority - _LOWEST_RUN) * HIGHEST / -_LOWEST_RUN)
    return max(0, min(HIGHEST, steps))


def _separates(run: dg.DagsterRun) -> bool:
    """Whether `stems` is among what it makes: all of it is where nothing is chosen."""
    chosen = run.asset_selection
    return run.job_name == "process_track" if not chosen else dg.AssetKey("stems") in chosen


@cache
def _queues_of_engines() -> dict[str, Queue]:
    queues: dict[str, Queue] = {}
    for offer in offers(""):
        queue: Queue = "cpu" if offer.pool == "cores" else offer.pool
        queues |= {offer.name: queue, offer.label: queue}
    return queues
