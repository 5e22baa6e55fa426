"""When stages are rebuilt: once for each reason, and for no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.asset_graph_view.asset_graph_view import AssetGraphView
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run

from resonate_assets.automation import rebuild, redecode
from resonate_assets.partitions import tracks

TRACK = "song-0123456789ab"


class World:
    """What the next runs will find: data versions, the outcome of the check, and whether stages fail."""

    def __init__(self) -> None:
        self.versions = {"raw_track": "a", "stems": "b"}
        self.check_passes = True
        self.stems_fail = False


def graph(world: World, stems_code: str = "1", raw_code: str = "1") -> dg.Definitions:
    """Stages of the real shape: a source that the sensors fill, what is rebuilt from it, and the last of all."""

    @dg.asset(partitions_def=tracks, code_version=raw_code, automation_condition=redecode)
    def raw_track() -> dg.MaterializeResult[None]:
        return dg.MaterializeResult(data_version=dg.DataVersion(world.versions["raw_track"]))

    @dg.asset(partitions_def=tracks)
    def composition() -> None: ...

    @dg.asset(partitions_def=tracks, deps=[composition])
    def generated_stems() -> None:
        """Of tracks older than composing, nothing was ever made."""

    @dg.asset(
        partitions_def=tracks,
        code_version=stems_code,
        automation_condition=rebuild,
        deps=[raw_track, generated_stems],
    )
    def stems() -> dg.MaterializeResult[None]:
        if world.stems_fail:
            raise RuntimeError("out of luck")
        return dg.MaterializeResult(data_version=dg.DataVersion(world.versions["stems"]))

    @dg.asset(partitions_def=tracks, deps=[stems])
    def exports() -> None: ...

    @dg.asset_check(asset=raw_track, partitions_def=tracks, blocking=True)
    def has_audio() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=world.check_passes)

    jobs = [
        dg.define_asset_job(f"make_{name}", dg.AssetSelection.assets(name))
        for name in ("raw_track", "stems", "exports")
    ]
    return dg.Definitions(
        [composition, generated_stems, raw_track, stems, exports],
        asset_checks=[has_audio],
        jobs=jobs,
        executor=dg.in_process_executor,
    )


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        ephemeral.add_dynamic_partitions(str(tracks.name), [TRACK])
        yield ephemeral


class Ticks:
    """Evaluates the conditions tick by tick, as the daemon does, and runs stages for real."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.world = World()
        self.instance = instance
        self.defs = graph(self.world)
        self.cursor: dg.AssetDaemonCursor | None = None

    def tick(self) -> dict[str, set[str]]:
        """Stage → tracks that are asked for."""
        result = dg.evaluate_automation_conditions(self.defs, self.instance, cursor=self.cursor)
        self.cursor = result.cursor
        requested = {key: result.get_requested_partitions(dg.AssetKey(key)) for key in ("raw_track", "stems")}
        return {key: {str(track) for track in found} for key, found in requested.items() if found}

    def run(self, stage: str, version: str | None = None) -> None:
        """A run of a stage, which gives that data version."""
        if version is not None:
            self.world.versions[stage] = version
        job = self.defs.resolve_job_def(f"make_{stage}")
        job.execute_in_process(instance=self.instance, partition_key=TRACK, raise_on_error=False)


@pytest.fixture
def ticks(instance: dg.DagsterInstance) -> Ticks:
    started = Ticks(instance)
    started.tick()
    return started


def test_a_stage_is_made_once_its_source_is_there_and_not_again(ticks: Ticks) -> None:
    ticks.run("raw_track", "a")
    assert ticks.tick() == {"stems": {TRACK}}
    ticks.run("stems", "b")
    assert [ticks.tick() for _ in range(10)] == [{}] * 10


def test_a_source_made_again_with_equal_content_rebuilds_nothing(ticks: Ticks) -> None:
    test_a_stage_is_made_once_its_source_is_there_and_not_again(ticks)
    ticks.run("raw_track", "a")
    assert ticks.tick() == {}


def test_a_source_with_other_content_rebuilds_the_stage_once(ticks: Ticks) -> None:
    test_a_stage_is_made_once_its_source_is_there_and_not_again(ticks)
    ticks.run("raw_track", "c")
    assert ticks.tick() == {"stems": {TRACK}}
    ticks.run("stems", "d")
    assert [ticks.tick() for _ in range(3)] == [{}] * 3


def test_new_code_rebuilds_the_stage_once(ticks: Ticks) -> None:
    test_a_stage_is_made_once_its_source_is_there_and_not_again(ticks)
    ticks.defs = graph(ticks.world, stems_code="2")
    assert ticks.tick() == {"stems": {TRACK}}
    ticks.run("stems", "b2")
    assert [ticks.tick() for _ in range(3)] == [{}] * 3


def test_new_decoder_code_decodes_again_what_was_decoded(ticks: Ticks) -> None:
    test_a_stage_is_made_once_its_source_is_there_and_not_again(ticks)
    ticks.defs = graph(ticks.world, raw_code="2")
    assert ticks.tick()["raw_track"] == {TRACK}


def test_a_track_without_a_decoded_source_is_left_to_the_sensors(ticks: Ticks) -> None:
    ticks.instance.add_dynamic_partitions(str(tracks.name), ["other-0123456789ab"])
    assert [ticks.tick() for _ in range(3)] == [{}] * 3


def test_a_failed_blocking_check_stops_what_is_made_from_the_asset(ticks: Ticks) -> None:
    ticks.world.check_passes = False
    ticks.run("raw_track", "a")
    assert [ticks.tick() for _ in range(3)] == [{}] * 3


def test_a_stage_that_failed_is_tried_once_more_and_not_for_ever(ticks: Ticks) -> None:
    ticks.run("raw_track")
    ticks.world.stems_fail = True
    requests = 0
    for _ in range(10):
        if ticks.tick():
            requests += 1
            ticks.tick()  # the daemon goes on ticking while the run is under way
            ticks.run("stems")
    assert requests == 2


def test_a_stage_that_fails_for_ever_is_not_asked_for_for_ever_though_ticks_see_its_runs_under_way(
    tmp_path: Path,
) -> None:
    """As the daemon goes on: a tick while the run waits, and one after it has failed, on an instance on disk."""
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        instance.add_dynamic_partitions(str(tracks.name), [TRACK])
        ticks = Ticks(instance)
        ticks.tick()
        ticks.run("raw_track")
        ticks.world.stems_fail = True
        job = ticks.defs.resolve_job_def("make_stems")
        requests = 0
        for _ in range(10):
            if ticks.tick():
                requests += 1
                run = instance.create_run_for_job(job, tags={"dagster/partition": TRACK})
                assert ticks.tick() == {}
                assert not execute_run(InMemoryJob(job), run, instance, raise_on_error=False).success
                ticks.tick()
        assert requests == 1  # the nights try it again, a bounded number of times


@pytest.mark.parametrize("ticks_saw_it_under_way", [True, False])
def test_a_stage_that_was_made_while_a_tick_looked_is_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ticks_saw_it_under_way: bool
) -> None:
    with dg.DagsterInstance.local_temp(
        str(tmp_path)
    ) as instance:  # looks at runs as the daemon's instance does
        ticks = Ticks(instance)
        ticks.tick()
        instance.add_dynamic_partitions(str(tracks.name), [TRACK])
        if ticks_saw_it_under_way:
            ticks.tick()
        job = ticks.defs.resolve_job_def("make_stems")
        under_way = [instance.create_run_for_job(job, tags={"dagster/partition": TRACK})]
        ticks.run("raw_track", "a")
        if ticks_saw_it_under_way:
            assert ticks.tick() == {}
        else:  # what the run of a new track is still to make
            rest = ticks.defs.resolve_job_def("make_exports")
            instance.create_run_for_job(rest, tags={"dagster/partition": TRACK})

        # The run ends when the tick has read what was updated, and not yet what is under way.
        look = AssetGraphView.compute_missing_subset

        async def end_runs_and_look(view: AssetGraphView, **arguments: Any) -> Any:
            while under_way:
                assert execute_run(InMemoryJob(job), under_way.pop(), instance).success
            return await look(view, **arguments)

        monkeypatch.setattr(AssetGraphView, "compute_missing_subset", end_runs_and_look)
        assert [ticks.tick() for _ in range(4)] == [{}] * 4
        assert not under_way


def test_what_a_tick_keeps_in_mind_does_not_grow_with_the_tracks_that_are_made(
    instance: dg.DagsterInstance,
) -> None:
    def kept(count: int) -> int:
        """Bytes of the cursor, when so many tracks have been made and there is nothing to do."""
        names = [f"song-{number:012d}" for number in range(count)]
        instance.add_dynamic_partitions(str(tracks.name), names)
        ticks = Ticks(instance)
        for name in names:
            for stage in ("raw_track", "stems"):
                made = dg.AssetMaterialization(stage, partition=name, tags={"dagster/data_version": "a"})
                instance.report_runless_asset_event(made)
        ticks.tick()
        ticks.tick()
        return len(dg.serialize_value(ticks.cursor))

    few = kept(20)
    assert kept(120) < few + 500  # 100 keys in a single set would be 1700 bytes
