"""What waits, works and went wrong, as `status` tells it, of runs that are only written down."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from resonate_assets.settings import Settings
from resonate_studio.home import open_instance, settings_for
from resonate_studio.library_status import WORST_FIRST, library_status

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
