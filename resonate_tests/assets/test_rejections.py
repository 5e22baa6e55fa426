"""Files that can't be used: one table that says what to do, a warning, and no partition that stays red."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from resonate_assets.definitions import build_defs
from resonate_assets.jobs import process_track, update_library
from resonate_assets.partitions import tracks
from resonate_assets.rejections import rejections, why_and_what_to_do
from resonate_assets.sensors import rejected_files
from resonate_resources.ingestion.intake import identify
from resonate_resources.storage.current import stages_made
from resonate_resources.storage.inbox import FolderInbox
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.sources import Rejection
from resonate_tests.bad_input import mono, silence, truncated_flac

NAME = str(tracks.name)
BAD, MADE = "bad-0123456789ab", "made-0123456789ab"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """On disk: the context of a sensor opens it a second time."""
    with dg.instance_for_test() as temporary:
        yield temporary


def tick(
    instance: dg.DagsterInstance, storage: StorageResource, cursor: str | None = None
) -> dg.SensorResult | dg.SkipReason:
    with dg.build_sensor_context(instance, cursor=cursor, resources={"storage": storage}) as context:
        result = rejected_files(context)
    assert isinstance(result, dg.SensorResult | dg.SkipReason)
    return result


def reject(storage: StorageResource, track: str, reason: str = "bad.wav: is cut off; copy it again") -> None:
    storage.sources.reject(Rejection("/music/bad.wav", reason, track))


def test_a_file_that_cannot_be_decoded_is_listed_and_leaves_no_partition_and_no_failed_one(
    instance: dg.DagsterInstance, storage: StorageResource, inbox: FolderInbox
) -> None:
    path = truncated_flac(inbox.folder)
    source = identify(path, str(path))
    storage.sources.register(source)
    instance.add_dynamic_partitions(NAME, [source.track])
    failure_of_run(instance, storage, source.track)
    assert instance.get_dynamic_partitions(NAME) == []
    statuses = instance.get_status_by_partition(dg.AssetKey("stems"), [source.track], tracks)
    assert not statuses or set(statuses.values()) == {None}

    defs = build_defs(resource_overrides={"storage": storage})
    listed = defs.resolve_job_def(update_library.name).execute_in_process(instance=instance)
    (told,) = listed.asset_materializations_for_node("rejections")
    table = str(told.metadata["files"].value)
    assert path.name.replace(".", "\\.") in table
    assert "copy or download it again" in table
    (checked,) = [
        check for check in listed.get_asset_check_evaluations() if check.asset_key == rejections.key
    ]
    assert (checked.passed, checked.severity) == (False, dg.AssetCheckSeverity.WARN)


def failure_of_run(instance: dg.DagsterInstance, storage: StorageResource, track: str) -> str:
    """What is told of the one step at which a run of all stages fails."""
    defs = build_defs(resource_overrides={"storage": storage})
    run = defs.resolve_job_def(process_track.name).execute_in_process(
        instance=instance, partition_key=track, raise_on_error=False
    )
    (failure,) = [event for event in run.all_node_events if event.is_step_failure]
    assert failure.step_failure_data.user_failure_data is not None
    return failure.step_failure_data.user_failure_data.description or ""


def left_of(storage: StorageResource, track: str) -> list[str]:
    """Everything in storage and in the index that is named after a track."""
    stored = [
        entry.key for top in ("artefacts", "tracks", "rejected") for entry in storage.store.entries(top)
    ]
    return [key for key in stored if track in key] + [*stages_made(storage.database).get(track, [])]


def test_a_track_whose_file_was_replaced_while_it_waited_goes_and_is_no_rejection(
    instance: dg.DagsterInstance, storage: StorageResource, inbox: FolderInbox
) -> None:
    path = silence(inbox.folder)
    old = identify(path, str(path))
    storage.sources.register(old)
    instance.add_dynamic_partitions(NAME, [old.track])
    path.write_bytes(mono(inbox.folder).read_bytes())
    told = failure_of_run(instance, storage, old.track)
    assert told.endswith("has changed since it was found; it will be taken in as a new track")
    assert storage.sources.rejections() == []
    assert instance.get_dynamic_partitions(NAME) == []
    assert left_of(storage, old.track) == []
    assert path.exists()


def test_a_track_whose_file_is_out_of_reach_stays_and_is_made_once_it_is_back(
    instance: dg.DagsterInstance, storage: StorageResource, inbox: FolderInbox, tmp_path: Path
) -> None:
    """A drive that was not mounted: its content is no worse for it."""
    path = mono(inbox.folder)
    source = identify(path, str(path))
    storage.sources.register(source)
    instance.add_dynamic_partitions(NAME, [source.track])
    away = path.rename(tmp_path / "away")
    assert "does not exist any more" in failure_of_run(instance, storage, source.track)
    assert instance.get_dynamic_partitions(NAME) == [source.track]
    assert storage.sources.rejections() == []
    away.rename(path)
    defs = build_defs(resource_overrides={"storage": storage})
    wanted = [defs.get_assets_def(key) for key in ("brief", "raw_track")]
    run = dg.materialize(wanted, instance=instance, partition_key=source.track, resources=defs.resources)
    assert run.success


def test_nothing_is_left_of_a_rejected_track_but_the_rejection(
    instance: dg.DagsterInstance, storage: StorageResource, inbox: FolderInbox
) -> None:
    path = truncated_flac(inbox.folder)
    source = identify(path, str(path))
    storage.sources.register(source)
    instance.add_dynamic_partitions(NAME, [source.track])
    failure_of_run(instance, storage, source.track)
    assert left_of(storage, source.track) == [f"rejected/{source.track}.json"]


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("/home/somebody/Music/Albums/First/bad.wav", "First/bad.wav"),
        ("s3://bucket/incoming/bad.wav", "incoming/bad.wav"),
        ("/bad.wav", "/bad.wav"),
    ],
)
def test_the_table_shows_a_file_by_its_name_and_its_folder(
    instance: dg.DagsterInstance, storage: StorageResource, uri: str, shown: str
) -> None:
    storage.sources.reject(Rejection(uri, "bad.wav: is cut off; copy it again"))
    defs = build_defs(resource_overrides={"storage": storage})
    listed = defs.resolve_job_def(update_library.name).execute_in_process(instance=instance)
    (told,) = listed.asset_materializations_for_node("rejections")
    *_, row = str(told.metadata["files"].value).splitlines()
    assert row.strip("| ").partition("|")[0].strip().replace("\\", "") == shown
    assert "copy it again" in row


def test_a_library_without_bad_files_has_nothing_to_warn_of(
    instance: dg.DagsterInstance, storage: StorageResource
) -> None:
    defs = build_defs(resource_overrides={"storage": storage})
    listed = defs.resolve_job_def(update_library.name).execute_in_process(instance=instance)
    assert all(check.passed for check in listed.get_asset_check_evaluations())


def test_the_list_is_made_anew_when_it_changes_and_only_then(
    instance: dg.DagsterInstance, storage: StorageResource
) -> None:
    assert isinstance(tick(instance, storage), dg.SkipReason)
    reject(storage, BAD)
    first = tick(instance, storage)
    assert isinstance(first, dg.SensorResult)
    assert isinstance(tick(instance, storage, first.cursor), dg.SkipReason)
    storage.sources.accept(BAD, "/music/bad.wav")
    second = tick(instance, storage, first.cursor)
    assert isinstance(second, dg.SensorResult)
    keys = [request.run_key for result in (first, second) for request in result.run_requests or []]
    assert len(set(keys)) == 2


def test_partitions_that_earlier_versions_left_red_go_at_the_first_look(
    instance: dg.DagsterInstance, storage: StorageResource
) -> None:
    instance.add_dynamic_partitions(NAME, [BAD, MADE])
    reject(storage, BAD)
    tick(instance, storage)
    assert instance.get_dynamic_partitions(NAME) == [MADE]


def test_a_rejected_track_that_is_worked_at_is_let_go_when_its_run_has_ended(
    instance: dg.DagsterInstance, storage: StorageResource
) -> None:
    instance.add_dynamic_partitions(NAME, [BAD])
    reject(storage, BAD)
    tags = {"dagster/partition": BAD}
    run = instance.add_run(
        dg.DagsterRun(job_name="process_track", run_id="r1", status=dg.DagsterRunStatus.STARTED, tags=tags)
    )
    during = tick(instance, storage)
    assert isinstance(during, dg.SensorResult)
    assert instance.get_dynamic_partitions(NAME) == [BAD]
    instance.report_run_failed(run)
    tick(instance, storage, during.cursor)
    assert instance.get_dynamic_partitions(NAME) == []


def test_a_rejected_file_that_came_through_the_page_leaves_no_copy_and_a_users_own_file_stays(
    instance: dg.DagsterInstance, storage: StorageResource, inbox: FolderInbox, tmp_path: Path
) -> None:
    copied = StorageResource(
        root=storage.root,
        s3=storage.s3,
        cache=storage.cache,
        database=storage.database,
        uploads=str(tmp_path / "uploads"),
    )
    own = truncated_flac(inbox.folder)
    upload = tmp_path / "uploads" / "of-one-upload"
    upload.mkdir(parents=True)
    shutil.copy(own, upload / own.name)
    (upload / "reference.wav").touch()
    for path, gone in ((upload / own.name, upload), (own, None)):
        source = identify(path, str(path))
        copied.sources.register(source)
        instance.add_dynamic_partitions(NAME, [source.track])
        failure_of_run(instance, copied, source.track)
        assert instance.get_dynamic_partitions(NAME) == []
        assert gone is None or not gone.exists()
    assert own.exists()


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("a.wav: is cut off; copy it again", ("a.wav: is cut off", "copy it again")),
        ("a.wav: is odd", ("a.wav: is odd", "put the right file in its place, or take it away")),
    ],
)
def test_what_to_do_is_what_the_reason_says_last(reason: str, told: tuple[str, str]) -> None:
    assert why_and_what_to_do(Rejection("/music/a.wav", reason)) == told
