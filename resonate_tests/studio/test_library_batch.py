"""A music library worked through: in which order, what is done again, and what stops it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from resonate_assets.jobs import STAGES
from resonate_resources.exporting.folder import Outgoing, export
from resonate_resources.exporting.names import folder_name
from resonate_resources.ingestion.intake import identify
from resonate_resources.ingestion.scanning import is_of_a_library, scan
from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.recordings.recording import AudioError
from resonate_resources.storage.current import forget, record
from resonate_resources.storage.inbox import FolderInbox
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.scanned import ScannedLibrary
from resonate_resources.storage.store import new_directory
from resonate_studio import library_batch
from resonate_studio.library_batch import LibraryBatch
from resonate_studio.outcome import Processed
from resonate_studio.registering import register
from resonate_studio.stopping import Stopping
from resonate_tests.dj_libraries import put_crate
from resonate_tests.homes import storage
from resonate_tests.tiny_music import music

__all__ = ["storage"]


class OneStage:
    """Files into tracks as the graph does it, but that all that is made of one is a copy, exported."""

    def __init__(self, storage: StorageResource, instance: dg.DagsterInstance) -> None:
        self.storage, self.instance = storage, instance
        self.made: list[str] = []
        """Names of files, in the order in which something was made of them."""
        self.fails: set[str] = set()

    def process(self, file: Path, stage_done: Any, *, uri: str, finished: Collection[str]) -> Processed:
        done = Processed(uri)
        try:
            source = register(self.storage, self.instance, identify(file, uri))
        except AudioError as error:
            done.error, done.broken = str(error), True
            return done
        done.track = source.track
        if source.track in finished:
            done.found = True
            return done
        self.made.append(file.name)
        if file.name in self.fails:
            done.error = f"stems: {file.name} can't be separated"
            return done
        with new_directory(self.storage.store, "exports") as into:
            shutil.copyfile(file, into / "track.wav")
            made = self.storage.artefacts.keep(
                Product({"track.wav": into / "track.wav"}),
                stage=STAGES[-1],
                track=source.track,
                recipe=Recipe(Engine("copy"), {"sha256": source.sha256}),
                reads=[],
                seconds=0.0,
            )
        self.storage.artefacts.publish(made)
        record(self.storage.database, made.manifest)
        folder = folder_name(source.artist, source.title, source.sha256)
        export(self.storage.store, source.track, folder, {"track.wav": Outgoing(made, "track.wav")}, {})
        stage_done(uri, STAGES[-1])
        return done

    def cancel(self) -> None:
        pass

    def update_library(self) -> None:
        pass


@pytest.fixture
def processor(storage: StorageResource) -> Iterator[OneStage]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield OneStage(storage, instance)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "music").mkdir()
    return tmp_path / "music"


def drop(folder: Path, name: str, content: bytes | None = None) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(music(name.encode() if content is None else content))
    return path


def work(processor: OneStage, output: Path, *folders: Path, chosen: tuple[str, ...] = ()) -> LibraryBatch:
    """The command's own steps."""
    libraries = []
    for folder in folders:
        place = FolderInbox(folder, is_of_a_library)
        libraries.append((place, ScannedLibrary(processor.storage.database, place.uri)))
    batch = LibraryBatch(processor, libraries, output, chosen, 0.0, as_json=True)  # type: ignore[arg-type]
    output.mkdir(exist_ok=True)
    batch.scans += [scan(place, library, [output]) for place, library in libraries]
    stopping = Stopping()
    batch.carry_out(stopping)
    stopping.close()
    return batch


def handed_out(output: Path) -> list[str]:
    return sorted(path.name.rpartition("_")[0] for path in output.iterdir())


def test_a_library_is_worked_through_in_order_of_priority_into_its_own_folder(
    processor: OneStage, folder: Path
) -> None:
    for name in ("a.wav", "b (Vocal Mix).wav", "c.wav"):
        drop(folder, name)
    put_crate(folder, "Mine", folder / "c.wav")
    output = folder / "out"
    batch = work(processor, output, folder)
    assert processor.made == ["c.wav", "b (Vocal Mix).wav", "a.wav"]
    assert (batch.exit_code, len(batch.done), dict(batch.left)) == (0, 3, {})
    assert handed_out(output) == [f"Unknown Artist - {name}" for name in ("a", "b (Vocal Mix)", "c")]
    again = work(processor, output, folder)
    assert (again.before, again.done, again.scans[0].files) == (3, [], 3)
    assert len(processor.made) == 3


def test_renamed_copied_and_touched_files_are_found_again(
    processor: OneStage, folder: Path, tmp_path: Path
) -> None:
    path = drop(folder, "a.wav")
    work(processor, tmp_path / "out", folder)
    shutil.copy(path, folder / "copy.wav")
    path.rename(folder / "renamed.wav")
    touched = drop(folder, "b.wav")
    work(processor, tmp_path / "out", folder)
    os.utime(touched, (1, 1))
    (folder / "renamed.wav").rename(folder / "again.wav")
    batch = work(processor, tmp_path / "out", folder)
    assert processor.made == ["a.wav", "b.wav"]
    assert sorted(Path(each["source"]).name for each in batch.found_again) == ["again.wav", "b.wav"]
    assert (batch.before, len(list((tmp_path / "out").iterdir()))) == (1, 2)


def test_a_broken_file_is_gone_round_told_again_and_tried_again_when_it_changes(
    processor: OneStage, folder: Path, tmp_path: Path
) -> None:
    (folder / "a.wav").write_bytes(b"no music")
    drop(folder, "b.wav")
    for made in (["b.wav"], ["b.wav"]):
        batch = work(processor, tmp_path / "out", folder)
        assert processor.made == made
        assert list(batch.failed) == [str(folder / "a.wav")]
        assert batch.exit_code == 1
    drop(folder, "a.wav")
    assert work(processor, tmp_path / "out", folder).exit_code == 0
    assert processor.made == ["b.wav", "a.wav"]


def test_a_broken_file_is_tried_again_when_the_code_changes(
    processor: OneStage, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.wav").write_bytes(b"no music")
    tried: list[str] = []
    process = processor.process

    def noted(file: Path, *arguments: Any, **named: Any) -> Processed:
        tried.append(file.name)
        return process(file, *arguments, **named)

    monkeypatch.setattr(processor, "process", noted)
    work(processor, tmp_path / "out", folder)
    work(processor, tmp_path / "out", folder)
    assert tried == ["a.wav"]
    monkeypatch.setattr(library_batch, "code_of_stages", lambda: "other")
    work(processor, tmp_path / "out", folder)
    assert tried == ["a.wav", "a.wav"]


def test_a_track_that_failed_for_another_reason_is_tried_again_next_time(
    processor: OneStage, folder: Path, tmp_path: Path
) -> None:
    drop(folder, "a.wav")
    drop(folder, "b.wav")
    processor.fails.add("a.wav")
    assert work(processor, tmp_path / "out", folder).exit_code == 1
    processor.fails.clear()
    batch = work(processor, tmp_path / "out", folder)
    assert (batch.exit_code, processor.made) == (0, ["a.wav", "b.wav", "a.wav"])


def test_a_file_that_went_after_the_scan_is_told_and_made_when_it_is_back(
    processor: OneStage, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = drop(folder, "b.wav")
    drop(folder, "a.wav")
    process = processor.process

    def meanwhile(file: Path, *arguments: Any, **named: Any) -> Processed:
        gone.rename(tmp_path / "away.wav")
        return process(file, *arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(processor, "process", meanwhile)
        batch = work(processor, tmp_path / "out", folder)
    assert batch.failed == {str(gone): "b.wav: is not there any more"}
    assert processor.storage.sources.rejections() == []
    (tmp_path / "away.wav").rename(gone)
    assert work(processor, tmp_path / "out", folder).exit_code == 0
    assert processor.made == ["a.wav", "b.wav"]


def test_another_output_gets_what_was_done_before(processor: OneStage, folder: Path, tmp_path: Path) -> None:
    drop(folder, "a.wav")
    work(processor, tmp_path / "out", folder)
    batch = work(processor, tmp_path / "other", folder)
    assert (batch.before, processor.made) == (1, ["a.wav"])
    assert handed_out(tmp_path / "other") == handed_out(tmp_path / "out")


def test_an_export_that_its_owner_has_tidied_up_is_made_again_for_another_output(
    processor: OneStage, folder: Path, tmp_path: Path
) -> None:
    drop(folder, "a.wav")
    work(processor, tmp_path / "out", folder)
    shutil.rmtree(tmp_path / "storage" / "exports")
    assert work(processor, tmp_path / "out", folder).before == 1
    batch = work(processor, tmp_path / "other", folder)
    assert (len(batch.done), batch.before) == (1, 0)
    assert handed_out(tmp_path / "other") == handed_out(tmp_path / "out")


def test_a_track_that_was_removed_stays_so(processor: OneStage, folder: Path, tmp_path: Path) -> None:
    drop(folder, "a.wav")
    [made] = work(processor, tmp_path / "out", folder).done
    forget(processor.storage.database, [(STAGES[-1], made["track"])])
    batch = work(processor, tmp_path / "other", folder)
    assert (batch.before, processor.made) == (1, ["a.wav"])


@pytest.mark.parametrize("pattern", ["House/*", "house/deep"])
def test_only_chosen_crates_are_worked_on_where_that_is_asked(
    processor: OneStage, folder: Path, tmp_path: Path, pattern: str
) -> None:
    for name in ("a.wav", "b.wav", "c.wav"):
        drop(folder, name)
    put_crate(folder, "House%%Deep", folder / "b.wav")
    put_crate(folder, "Techno", folder / "c.wav")
    work(processor, tmp_path / "out", folder, chosen=(pattern,))
    assert processor.made == ["b.wav"]


def test_an_output_that_can_not_be_written_to_ends_all_and_what_was_made_is_handed_out_next_time(
    processor: OneStage, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Patched, as nothing is read-only to root."""
    drop(folder, "a.wav")
    drop(folder, "b.wav")
    with monkeypatch.context() as patch:

        def denied(*_: object) -> None:
            raise OSError(30, "Read-only file system", str(tmp_path / "out"))

        patch.setattr(library_batch, "copy_export", denied)
        batch = work(processor, tmp_path / "out", folder)
    assert batch.exit_code == 1
    assert "read-only file system" in str(batch.obstacle)
    assert [Path(source).name for source in batch.left] == ["a.wav", "b.wav"]
    batch = work(processor, tmp_path / "out", folder)
    assert processor.made == ["a.wav", "b.wav"]
    assert (batch.exit_code, len(handed_out(tmp_path / "out"))) == (0, 2)


def test_a_full_disk_ends_all_before_the_next_file(
    processor: OneStage, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(folder, "a.wav")
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(library_batch.shutil, "disk_usage", lambda _: usage._replace(free=-1))
    batch = work(processor, tmp_path / "out", folder)
    assert (processor.made, batch.exit_code, len(batch.left)) == ([], 1, 1)
    assert "free" in str(batch.obstacle)


def test_several_libraries_are_one_queue(processor: OneStage, tmp_path: Path) -> None:
    for library, name in (("one", "a.wav"), ("two", "b.wav"), ("one", "c.wav")):
        drop(tmp_path / library, name)
    put_crate(tmp_path / "two", "Mine", tmp_path / "two" / "b.wav")
    work(processor, tmp_path / "out", tmp_path / "one", tmp_path / "two")
    assert processor.made == ["b.wav", "a.wav", "c.wav"]


def test_programs_get_what_came_of_each_and_people_a_summary_by_reason(
    processor: OneStage, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drop(folder, "a.wav")
    for name in ("b.wav", "c.wav"):
        (folder / name).write_bytes(b"no music")
    batch = work(processor, tmp_path / "out", folder)
    capsys.readouterr()
    batch.tell()
    told = json.loads(capsys.readouterr().out)
    assert [Path(each["source"]).name for each in told["done"]] == ["a.wav"]
    assert Path(told["done"][0]["folder"]).is_dir()
    assert [Path(each["source"]).name for each in told["failed"]] == ["b.wav", "c.wav"]
    batch.as_json = False
    batch.tell()
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("done 1, found again 0, done before 0, failed 2, left 0")
    assert second.startswith("failed 2: ")
    assert second.endswith(": b.wav, c.wav")
