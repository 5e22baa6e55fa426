"""What a library of many tracks costs at every look.

`python -m resonate_tests.benchmarks.bench_library sqlite 1000 10000 100000`
`python -m resonate_tests.benchmarks.bench_library postgresql 1000 10000 100000`

Simulated tracks, of which every stage is made and nothing is to do: see simulated_library. The inbox has a file for
each. Then a thousand of them (or all, of fewer) change: their files, the code of a stage, their briefs. Seconds,
and those of this process's own processor; a page is asked of a web server of its own, over HTTP, with the questions
of an asset's page: partitions and their states, and the latest materialisations.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import requests
import soundfile as sf
import sqlalchemy as sa
from dagster._core.definitions.asset_daemon_cursor import AssetDaemonCursor
from dagster._core.definitions.automation_tick_evaluation_context import AutomationTickEvaluationContext
from dagster._core.definitions.data_version import DATA_VERSION_TAG

from resonate_assets.definitions import TRACK_ASSETS, build_defs
from resonate_assets.jobs import STAGES
from resonate_assets.sensors import inbox_folder, reconcile_sensor
from resonate_assets.settings import Settings
from resonate_resources.ingestion.track_key import content_of
from resonate_resources.storage.catalogue import build_catalogue
from resonate_resources.storage.database import tables, transaction
from resonate_resources.storage.inbox import FolderInbox, fingerprint
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.sources import Source
from resonate_resources.storage.taken_in import TakenIn, enter_tracks
from resonate_studio.library_status import library_status
from resonate_tests.benchmarks.simulated_library import fill_dagster, fill_index, track_names
from resonate_tests.postgresql_server import postgresql_server

REPOSITORY = Path(__file__).parents[2]
ASSET = "mix"
CHANGED = 1000
PAGE = """
query Page($asset: AssetKeyInput!) {
  assetNodeOrError(assetKey: $asset) { ... on AssetNode {
    partitionKeysByDimension { partitionKeys }
    partitionStats { numMaterialized numPartitions numFailed numMaterializing }
    assetPartitionStatuses { ... on DefaultPartitionStatuses {
      materializedPartitions failedPartitions materializingPartitions unmaterializedPartitions } }
    assetMaterializations(limit: 100) { runId timestamp partition metadataEntries { label description } }
  } }
}
"""

Row = tuple[str, float, float]


def measured(what: str, work: Callable[[], object]) -> Row:
    start, own = time.perf_counter(), time.process_time()
    work()
    return what, time.perf_counter() - start, time.process_time() - own


def make_inbox(folder: Path, storage: StorageResource, names: list[str]) -> None:
    """A file for each track, all of them dealt with and registered, and the manifests that `status` looks for."""
    folder.mkdir()
    exports = Path(storage.root) / "artefacts" / STAGES[-1]
    (Path(storage.root) / "tracks").mkdir(parents=True)
    for number, name in enumerate(names):
        path = folder / f"song {number:06d}.wav"
        path.touch()
        # Past `Sources.register`, which waits for the disk each time.
        source = Source(name, str(path), 0, f"{number:064x}", "Band", f"Song {number}")
        (Path(storage.root) / "tracks" / f"{name}.json").write_text(
            f'{{"track": "{name}", "uri": "{path}", "size": 0, "sha256": "{source.sha256}"}}'
        )
        (exports / name).mkdir(parents=True)
        (exports / name / "manifest.json").touch()
    inbox = FolderInbox(folder)
    TakenIn(storage.database, inbox.uri).enter({seen.uri: fingerprint(seen) for seen in inbox.look()})
    enter_tracks(storage.database, {content_of(name): name for name in names})


def looks(instance: dg.DagsterInstance, settings: Settings, names: list[str]) -> Iterator[Row]:
    defs = build_defs(settings)
    resources = {name: defs.resources[name] for name in ("storage", "inbox")}  # type: ignore[index]
    storage: StorageResource = resources["storage"]

    def tick(sensor: Any, wanted: dict[str, Any]) -> None:
        with dg.build_sensor_context(instance, resources=wanted) as context:
            assert not sensor(context).run_requests

    yield measured("inbox tick", lambda: tick(inbox_folder, resources))
    yield measured("reconcile tick", lambda: tick(reconcile_sensor(TRACK_ASSETS), {"storage": storage}))
    yield measured("`status`", lambda: library_status(settings, instance))
    yield measured("catalogue, new", lambda: build_catalogue(storage.store, storage.database, STAGES))
    fill_index(storage.database, names[:10])
    yield measured("catalogue, 10 changed", lambda: build_catalogue(storage.store, storage.database, STAGES))


def changed_looks(instance: dg.DagsterInstance, settings: Settings, names: list[str]) -> Iterator[Row]:
    defs = build_defs(settings)
    resources = {name: defs.resources[name] for name in ("storage", "inbox")}  # type: ignore[index]
    storage: StorageResource = resources["storage"]
    changed = names[:CHANGED]
    for number, _ in enumerate(changed):
        path = Path(settings.inbox) / f"song {number:06d}.wav"
        sf.write(path, np.random.default_rng(number).uniform(-0.5, 0.5, 4410), 44100)
    fill_index(storage.database, changed, old=["exports"])

    def tick(sensor: Any, wanted: dict[str, Any], cursor: str | None = None) -> Any:
        with dg.build_sensor_context(instance, resources=wanted, cursor=cursor) as context:
            return sensor(context)

    def inbox() -> None:
        assert len(tick(inbox_folder, resources, seen.cursor).run_requests) == min(20, len(changed))

    def reconcile() -> None:
        asked = tick(reconcile_sensor(TRACK_ASSETS), {"storage": storage}).run_requests
        assert len(asked) == min(100, len(changed))

    seen = tick(inbox_folder, resources)  # unchanged in two looks is what makes a file whole

    yield measured("inbox tick, 1,000 changed", inbox)
    yield measured("reconcile tick, 1,000 behind", reconcile)
    yield measured("`status`, 1,000 behind", lambda: library_status(settings, instance))
    yield measured(
        "catalogue, 1,000 changed", lambda: build_catalogue(storage.store, storage.database, STAGES)
    )


def automation(instance: dg.DagsterInstance, defs: dg.Definitions, names: list[str]) -> Iterator[Row]:
    """As the daemon evaluates it; the first tick has no cursor yet."""
    cursor = AssetDaemonCursor.empty()
    graph = defs.resolve_asset_graph()

    def tick(wanted: int = 0) -> None:
        nonlocal cursor
        requests_made, cursor, _ = AutomationTickEvaluationContext(
            evaluation_id=cursor.evaluation_id + 1,
            instance=instance,
            asset_graph=graph,
            cursor=cursor,
            materialize_run_tags={},
            observe_run_tags={},
            emit_backfills=False,
            auto_observe_asset_keys=set(),
            asset_selection=dg.AssetSelection.assets(*STAGES),
            logger=logging.getLogger("bench"),
        ).evaluate()
        assert len({request.partition_key for request in requests_made}) == wanted

    yield measured("automation, first tick", tick)
    yield measured("automation tick", tick)
    for name in names[:CHANGED]:
        new = dg.AssetMaterialization("brief", partition=name, tags={DATA_VERSION_TAG: "another"})
        instance.report_runless_asset_event(new)
    wanted = len(names[:CHANGED])
    yield measured("automation tick, 1,000 briefs changed", lambda: tick(wanted))
    yield "automation cursor, MB", len(dg.serialize_value(cursor)) / 1e6, 0.0


@contextmanager
def web_server(port: int) -> Iterator[str]:
    program = Path(sys.executable).with_name("dagster-webserver")
    arguments = ["-m", "resonate_assets.definitions", "-h", "127.0.0.1", "-p", str(port)]
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen([program, *arguments], stdout=log, stderr=log, cwd=REPOSITORY)
        address = f"http://127.0.0.1:{port}"
        try:
            end = time.monotonic() + 600
            while True:
                with suppress(requests.ConnectionError):
                    requests.get(f"{address}/server_info", timeout=10)
                    break
                if time.monotonic() > end:
                    raise TimeoutError("the web server did not start")
                time.sleep(0.5)
            yield f"{address}/graphql"
        finally:
            server.terminate()
            server.wait(30)


def page(count: int, port: int) -> Iterator[Row]:
    with web_server(port) as address:

        def ask() -> None:
            question: dict[str, Any] = {"query": PAGE, "variables": {"asset": {"path": [ASSET]}}}
            answer = requests.post(address, json=question, timeout=600).json()
            node = answer["data"]["assetNodeOrError"]
            assert node["partitionStats"]["numMaterialized"] == count, node["partitionStats"]
            assert len(node["assetMaterializations"]) == 100

        yield measured("asset's page, first", ask)
        yield measured("asset's page", ask)


def measure(kind: str, count: int, port: int) -> Iterator[Row]:
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="resonate-bench-")))
        dagster_home = home / "dagster_home"
        dagster_home.mkdir()
        database = ""
        if kind == "postgresql":
            environment = stack.enter_context(postgresql_server(port + 1))
            os.environ.update(environment)
            database = "postgresql+psycopg2://{}:{}@127.0.0.1:{}/{}".format(
                *(
                    environment[f"RESONATE_POSTGRES_{name}"]
                    for name in ("USER", "PASSWORD", "PORT", "DATABASE")
                )
            )
        source = "docker" if kind == "postgresql" else "dagster_home"
        shutil.copy(REPOSITORY / source / "dagster.yaml", dagster_home)
        os.environ |= {
            "DAGSTER_HOME": str(dagster_home),
            "RESONATE_HOME": str(home),
            "RESONATE_DATABASE": database,
        }
        settings = Settings(home, str(home / "storage"), str(home / "inbox"), "", None, database)
        storage: StorageResource = build_defs(settings).resources["storage"]  # type: ignore[index]
        names = track_names(count)
        with dg.DagsterInstance.from_config(str(dagster_home)) as instance:
            yield measured("filled: Dagster", lambda: fill_dagster(instance, names))
            yield measured("filled: index", lambda: fill_index(settings.database_url, names))
            yield measured("filled: inbox", lambda: make_inbox(home / "inbox", storage, names))
            with transaction(settings.database_url) as db:  # there are no manifests to walk
                db.execute(sa.update(tables.tables["current_changes"]).values(walked=True))
            yield from looks(instance, settings, names)
            yield from changed_looks(instance, settings, names)
            yield from automation(instance, build_defs(settings), names)
        yield from page(count, port)


def main() -> None:
    kind, *counts = sys.argv[1:]
    logging.disable(logging.INFO)
    for count in map(int, counts):
        print(
            f"| {kind}, {count} tracks | s | own processor, s | ms a track |\n|---|---|---|---|", flush=True
        )
        for what, seconds, own in measure(kind, count, 21000 + os.getpid() % 5000):
            print(f"| {what} | {seconds:.2f} | {own:.2f} | {1000 * seconds / count:.3f} |", flush=True)


if __name__ == "__main__":
    main()
