"""What waits, works and went wrong, as `status` tells it, of runs that are only written down."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from resonate_assets.definitions import build_defs
from resonate_assets.jobs import STAGES
from resonate_assets.settings import Settings
from resonate_resources.storage.current import record_all
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.sources import Rejection
from resonate_studio.home import open_instance, settings_for
from resonate_studio.library_status import (
    WORST_FIRST,
    LibraryStatus,
    RunProgress,
    TrackStatus,
    library_status,
)
from resonate_studio.status_command import _span, _tell, _tell_one
from resonate_studio.terminal import console
from resonate_tests.manifests import manifest

Opened = tuple[Settings, dg.DagsterInstance]


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    for name in ("RESONATE_HOME", "RESONATE_STORAGE", "RESONATE_INBOX", "RESONATE_DATABASE", "DAGSTER_HOME"):
        monkeypatch.setenv(name, "")
    settings = settings_for(tmp_path)
    with open_instance(settings) as instance:
        yield settings, instance


def run(
    instance: dg.DagsterInstance, track: str, status: dg.DagsterRunStatus, priority: str = "0"
) -> dg.DagsterRun:
    name = f"{track}-0123456789ab"
    instance.add_dynamic_partitions("tracks", [name])
    tags = {"dagster/partition": name, "dagster/priority": priority}
    return instance.add_run(dg.DagsterRun("process_track", f"run-of-{track}", status=status, tags=tags))


def test_what_waits_has_its_place_by_priority_and_then_by_age(opened: Opened) -> None:
    settings, instance = opened
    for track, priority in (("old", "0"), ("new", "0"), ("urgent", "5")):
        run(instance, track, dg.DagsterRunStatus.NOT_STARTED, priority)
    found = library_status(settings, instance).tracks
    assert [(one.track.partition("-")[0], one.state, one.place) for one in found] == [
        ("urgent", "queued", 1),
        ("old", "queued", 2),
        ("new", "queued", 3),
    ]
    assert [one.expected_seconds for one in found] == [None] * 3  # nothing has ever gone through


def test_what_works_tells_its_stage_and_how_far_that_is(opened: Opened) -> None:
    settings, instance = opened
    at_work = run(instance, "song", dg.DagsterRunStatus.STARTED)
    begun = dg.DagsterEvent(dg.DagsterEventType.STEP_START.value, "process_track", step_key="stems")
    instance.report_dagster_event(begun, at_work.run_id)
    for line in ("raw_track: 90%", "stems: 20%", "stems: 40%", "something else"):
        event = dg.EventLogEntry(
            error_info=None, level=20, user_message=line, run_id=at_work.run_id, timestamp=0.0
        )
        instance.handle_new_event(event)
    [one] = library_status(settings, instance).tracks
    assert (one.state, one.stage, one.progress) == ("running", "stems", 0.4)


def test_what_failed_tells_the_reason_and_what_was_stopped_is_told_apart(opened: Opened) -> None:
    settings, instance = opened
    failed = run(instance, "failed", dg.DagsterRunStatus.STARTED)
    instance.report_run_failed(failed, "the power went")
    stopped = run(instance, "stopped", dg.DagsterRunStatus.STARTED)
    instance.report_run_canceled(stopped)
    run(instance, "waits", dg.DagsterRunStatus.NOT_STARTED)
    found = {one.track.partition("-")[0]: one for one in library_status(settings, instance).tracks}
    assert {name: one.state for name, one in found.items()} == {
        "failed": "failed",
        "stopped": "stopped",
        "waits": "queued",
    }
    assert list(found) == sorted(found, key=lambda name: WORST_FIRST.index(found[name].state))
    assert found["failed"].reason == "the power went"
    assert found["stopped"].reason is None


def test_a_track_that_was_tried_again_since_it_failed_is_told_as_it_is_now(opened: Opened) -> None:
    settings, instance = opened
    instance.report_run_failed(run(instance, "song", dg.DagsterRunStatus.STARTED), "once")
    tags = {"dagster/partition": "song-0123456789ab"}
    instance.add_run(
        dg.DagsterRun("process_track", "again", status=dg.DagsterRunStatus.NOT_STARTED, tags=tags)
    )
    assert [one.state for one in library_status(settings, instance).tracks] == ["queued"]


def test_a_run_that_is_asked_for_while_one_looks_is_seen(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, instance = opened
    instance.add_dynamic_partitions("tracks", ["song-0123456789ab"])

    ask = instance.get_run_records
    answers = iter([[]])

    def nothing_at_first(filters: dg.RunsFilter | None = None, **more: Any) -> Sequence[dg.RunRecord]:
        answer: Sequence[dg.RunRecord] | None = next(answers, None)
        if answer is None:
            return ask(filters, **more)
        run(instance, "song", dg.DagsterRunStatus.NOT_STARTED)
        return answer

    monkeypatch.setattr(instance, "get_run_records", nothing_at_first)
    [one] = library_status(settings, instance).tracks
    assert (one.state, one.place) == ("queued", 1)


def test_a_command_to_copy_is_whole_on_its_line(opened: Opened, capsys: pytest.CaptureFixture[str]) -> None:
    settings, instance = opened
    key = "second-stream-is-the-one-that-is-marked-default"
    instance.report_run_canceled(run(instance, key, dg.DagsterRunStatus.STARTED))
    _tell(console(quiet=False), library_status(settings, instance))
    assert f"resonate retry {key}-0123456789ab" in [
        line.strip() for line in capsys.readouterr().out.splitlines()
    ]


# Tracks are tracks, and files are files


def storage_of(settings: Settings) -> StorageResource:
    storage: StorageResource = build_defs(settings).resources["storage"]  # type: ignore[index]
    return storage


def make(
    settings: Settings,
    track: str,
    *stages: str,
    measures: Mapping[str, float | str] = {"master_total": 90.0},
) -> None:
    """Artefacts without files, as they stand in the store and in the index."""
    storage = storage_of(settings)
    made = [manifest(stage, track, measures=dict(measures)) for stage in stages]
    for each in made:
        storage.store.write(f"artefacts/{each.stage}/{track}/manifest.json", each.to_json())
    record_all(storage.database, made)


def test_a_track_without_a_run_waits_and_one_that_has_begun_without_its_run_is_unfinished(
    opened: Opened,
) -> None:
    settings, instance = opened
    instance.add_dynamic_partitions("tracks", ["fresh-0123456789ab", "begun-0123456789ab"])
    make(settings, "begun-0123456789ab", "brief", "raw_track")
    found = library_status(settings, instance).tracks
    assert {one.track.partition("-")[0]: one.state for one in found} == {
        "fresh": "waiting",
        "begun": "unfinished",
    }


def test_a_track_that_cant_be_judged_says_why_and_not_that_it_is_going_to_be(
    opened: Opened, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, instance = opened
    track = "silence-0123456789ab"
    run(instance, "silence", dg.DagsterRunStatus.SUCCESS)
    make(settings, track, *STAGES, measures={"loudness_lufs": "-inf", "master_total": 100.0})
    [found] = library_status(settings, instance, track).tracks
    assert found.accepted is None
    assert found.reason == "too short or too silent to be judged"
    details = {"artist": None, "title": None, "source": None, "exports": None, "stages": {}}
    _tell_one(console(quiet=False), found, details)
    told = capsys.readouterr().out
    assert "can't be judged" in told
    assert "yet" not in told


def test_what_is_no_partition_is_no_track_whatever_the_index_has_of_it(opened: Opened) -> None:
    settings, instance = opened
    library_status(settings, instance)
    make(settings, "ghost-0123456789ab", "brief")
    assert library_status(settings, instance).tracks == []


def test_a_track_whose_artefacts_are_gone_is_not_done(opened: Opened) -> None:
    settings, instance = opened
    library_status(settings, instance)  # walks the store
    track = "song-0123456789ab"
    instance.add_dynamic_partitions("tracks", [track])
    make(settings, track, *STAGES)
    [before] = library_status(settings, instance).tracks
    assert len(before.made) == len(STAGES)
    storage_of(settings).store.delete("artefacts")
    for asked in (None, track):
        [after] = library_status(settings, instance, asked).tracks
        assert (after.made, after.state) == ([], "waiting")


@pytest.mark.parametrize("made", [(), ("brief",)])
def test_a_rejected_file_is_told_once_and_as_a_file(
    opened: Opened, capsys: pytest.CaptureFixture[str], made: tuple[str, ...]
) -> None:
    settings, instance = opened
    failed = run(instance, "bad", dg.DagsterRunStatus.STARTED)
    instance.report_run_failed(failed, "bad.wav: is cut off; copy it again")
    make(settings, "bad-0123456789ab", *made)
    rejection = Rejection("/music/bad.wav", "bad.wav: is cut off; copy it again", "bad-0123456789ab")
    storage_of(settings).sources.reject(rejection)
    found = library_status(settings, instance)
    assert found == LibraryStatus([], [rejection])
    _tell(console(quiet=False), found)
    told = capsys.readouterr().out.splitlines()
    assert told == ["rejected bad.wav: is cut off; copy it again", "0 tracks, 1 file rejected"]


def test_a_track_that_an_earlier_decoder_made_stays_one_though_its_file_is_rejected_now(
    opened: Opened, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, instance = opened
    failed = run(instance, "old", dg.DagsterRunStatus.STARTED)
    make(settings, "old-0123456789ab", *STAGES)
    instance.report_run_failed(failed, "old.wav: is cut off; copy it again")
    storage_of(settings).sources.reject(
        Rejection("/music/old.wav", "old.wav: is cut off; copy it again", "old-0123456789ab")
    )
    found = library_status(settings, instance)
    assert [(one.track, one.state) for one in found.tracks] == [("old-0123456789ab", "failed")]
    _tell(console(quiet=False), found)
    assert capsys.readouterr().out.count("is cut off") == 1


@pytest.mark.parametrize(("number", "told"), [(1, "1 track (1 done)"), (2, "2 tracks (2 done)")])
def test_one_track_is_told_in_the_singular(
    capsys: pytest.CaptureFixture[str], number: int, told: str
) -> None:
    _tell(
        console(quiet=False),
        LibraryStatus([TrackStatus(f"t{each}", [], 11, "done") for each in range(number)], []),
    )
    assert capsys.readouterr().out.splitlines()[-1] == f"{told}, 0 files rejected"


@pytest.mark.parametrize(
    ("seconds", "told"), [(5, "a minute"), (62, "a minute"), (119, "2 min"), (7200, "2 h"), (9000, "2 h")]
)
def test_a_time_is_told_in_one_form(seconds: float, told: str) -> None:
    assert _span(seconds) == told


@pytest.mark.parametrize("by", ["", "audio-separator: "], ids=["by itself", "in a worker"])
def test_what_comes_from_a_hub_is_told_until_it_has_come(opened: Opened, by: str) -> None:
    """Through the log of a run, as dagster.yaml has it taken in."""
    _, instance = opened
    seen: list[str | None] = []

    @dg.op
    def work() -> None:
        progress = RunProgress(instance, dg.OpExecutionContext.get().run_id)
        log = logging.getLogger("resonate_resources.models.download")
        for line in (
            "one.bin: 0 of 95 MB",
            "one.bin: 12 of 95 MB",
            "one.bin: 95 of 95 MB",
            "other.bin: 7 MB",
        ):
            log.info("%sfetching %s", by, line)
            seen.append(progress.look().fetching)
        log.warning("%sfetching other.bin: given up", by)
        seen.append(progress.look().fetching)

    @dg.job
    def process() -> None:
        work()

    assert process.execute_in_process(instance=instance).success
    assert seen == ["one.bin, 0 of 95 MB", "one.bin, 12 of 95 MB", None, "other.bin, 7 MB", None]
