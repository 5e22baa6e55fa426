"""The index of what is current: what was published, in the order of its changes, and mended from the store."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from resonate_resources.recipe import Engine
from resonate_resources.storage import current
from resonate_resources.storage.database import transaction
from resonate_resources.storage.manifest import Manifest, StoredFile
from resonate_resources.storage.store import LocalStore
from resonate_resources.storage.tracks import bring_up_to_date
from resonate_tests import manifests

SONG, OTHER = "song-0123456789ab", "other-ba9876543210"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'resonate.sqlite'}"


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path)


def manifest(track: str = SONG, stage: str = "stems", version: str = "s1", key: str = "k1") -> Manifest:
    return manifests.manifest(
        stage,
        track,
        key=key,
        data_version=version,
        code_version="3",
        engine=Engine("masks"),
        made_from={"raw_track": "r1"},
        files={"vocals.wav": StoredFile(5, "ab")},
        measures={"sdr_db": 9.5, "stems": 4, "key": "F# minor"},
    )


def publish(store: LocalStore, made: Manifest) -> None:
    """What publishing leaves in the store."""
    store.write(f"artefacts/{made.stage}/{made.track}/manifest.json", made.to_json())
    store.write(f"artefacts/{made.stage}/{made.track}/{made.key}/manifest.json", made.to_json())


def test_what_was_recorded_is_found_with_all_that_a_listing_tells(url: str) -> None:
    current.record(url, manifest())
    found = current.current_of(url, [SONG, OTHER])[SONG]["stems"]
    assert (found.key, found.data_version, found.code_version, found.engine) == ("k1", "s1", "3", "masks")
    assert found.made_from == {"raw_track": "r1"}
    assert found.measures == {"sdr_db": 9.5, "stems": 4, "key": "F# minor"}
    assert OTHER not in current.current_of(url, [SONG, OTHER])


def test_lists_are_told_measures_of_the_stages_they_ask_about_and_of_all_whether_they_are_generated(
    url: str,
) -> None:
    told = {"loudness_lufs": -14.0, "generated": True}
    current.record_all(
        url,
        [
            manifests.manifest("stems", "a", measures={"loudness_lufs": -20.0}, made_from={"raw_track": "1"}),
            manifests.manifest("regenerated_stems", "a", measures=told),
            manifests.manifest("profile", "b", measures={"key": '"generated":false'}),
        ],
    )
    found = dict(current.listed_of(url, ["a", "b", "nobody"], ["stems"]))
    assert sorted(found) == ["a", "b"]
    assert found["a"]["stems"].measures == {"loudness_lufs": -20.0}
    assert found["a"]["stems"].versions.made_from == {"raw_track": "1"}
    assert found["a"]["regenerated_stems"].measures == {}
    generated = {(track, stage) for track, made in found.items() for stage in made if made[stage].generated}
    assert generated == {("a", "regenerated_stems")}


def test_a_later_artefact_takes_the_place_of_the_earlier(url: str) -> None:
    current.record(url, manifest(version="s1"))
    current.record(url, manifest(version="s2", key="k2"))
    assert current.current_of(url, [SONG])[SONG]["stems"].data_version == "s2"
    assert len(list(current.all_versions(url))) == 1


def test_who_asks_for_changes_is_told_of_each_track_once(url: str) -> None:
    current.record(url, manifest(SONG))
    first = current.changed_since(url, 0)
    assert (first.tracks, first.whole) == ({SONG}, True)
    assert current.changed_since(url, first.last) == current.Changes(set(), first.last, False)
    current.record_all(url, [manifest(OTHER), manifest(OTHER, "mix")])
    second = current.changed_since(url, first.last)
    assert (second.tracks, second.whole) == ({OTHER}, False)
    assert second.last > first.last
    assert current.changed_since(url, second.last).tracks == set()


def test_a_number_of_a_database_that_was_lost_is_not_taken_for_one_of_the_new(
    url: str, tmp_path: Path
) -> None:
    current.record(url, manifest(SONG))
    lost = current.changed_since(url, 0).last
    new = f"sqlite:///{tmp_path / 'new.sqlite'}"
    assert current.changed_since(new, lost).whole
    current.record(new, manifest(OTHER))
    assert current.changed_since(new, lost) == current.Changes(
        {OTHER}, current.changed_since(new, 0).last, True
    )


def test_what_is_gone_is_listed_no_more_and_is_a_change(url: str) -> None:
    current.record_all(url, [manifest(SONG), manifest(OTHER)])
    seen = current.changed_since(url, 0).last
    current.forget(url, [("stems", SONG)])
    assert [track for track, _ in current.all_versions(url)] == [OTHER]
    assert current.tracks_with(url, "stems") == {OTHER}
    assert current.current_of(url, [SONG]) == {}
    assert current.changed_since(url, seen).tracks == {SONG}
    current.record(url, manifest(SONG))
    assert current.tracks_with(url, "stems") == {SONG, OTHER}


@pytest.mark.parametrize("page", [1, 2, 7, 2406, 5000])
def test_many_tracks_are_listed_page_by_page_and_none_is_left_out(
    url: str, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(current, "_ROWS_A_PAGE", page)
    names = [f"song-{number:012d}" for number in range(1203 if page > 100 else 5)]
    current.record_all(url, [manifest(name, stage) for name in names for stage in ("stems", "mix")])
    assert [track for track, _ in current.all_versions(url)] == names
    assert all(sorted(made) == ["mix", "stems"] for _, made in current.all_versions(url))
    assert [sorted(current.stages_made(url)[name]) for name in names] == [["mix", "stems"]] * len(names)
    assert len(current.current_of(url, names)) == len(names)


def test_processes_that_publish_together_leave_no_change_unseen(url: str) -> None:
    program = (
        "import sys\n"
        "from resonate_resources.storage import current\n"
        "from resonate_tests.resources.storage.test_current import manifest\n"
        "for number in range(40):\n"
        "    current.record(sys.argv[1], manifest(f'{sys.argv[2]}-{number:012d}'))\n"
    )
    processes = [subprocess.Popen([sys.executable, "-c", program, url, name]) for name in ("a", "b")]
    told: list[str] = []
    seen = 0
    while any(process.poll() is None for process in processes):
        changes = current.changed_since(url, seen)
        told += changes.tracks
        seen = changes.last
    told += current.changed_since(url, seen).tracks
    assert [process.returncode for process in processes] == [0, 0]
    assert sorted(told) == sorted(f"{name}-{number:012d}" for name in ("a", "b") for number in range(40))


def test_an_index_that_was_lost_is_made_anew_from_the_store(url: str, store: LocalStore) -> None:
    publish(store, manifest(SONG))
    publish(store, manifest(OTHER, "mix", "m1"))
    assert not current.was_walked(url)
    assert current.rebuild(url, store) == 2
    assert current.was_walked(url)
    assert current.current_of(url, [SONG])[SONG]["stems"].made_from == {"raw_track": "r1"}
    assert current.tracks_with(url, "mix") == {OTHER}
    assert current.rebuild(url, store) == 0


def test_an_index_that_is_behind_or_ahead_is_mended_and_the_change_is_told(
    url: str, store: LocalStore
) -> None:
    current.record_all(url, [manifest(SONG, version="old"), manifest(OTHER)])
    seen = current.changed_since(url, 0).last
    publish(store, manifest(SONG, version="new", key="k2"))
    assert current.rebuild(url, store) == 2
    assert current.current_of(url, [SONG])[SONG]["stems"].data_version == "new"
    assert current.tracks_with(url, "stems") == {SONG}
    assert current.changed_since(url, seen).tracks == {SONG, OTHER}


def test_what_is_published_while_the_store_is_walked_stays_as_it_was_recorded(
    url: str, store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(store, manifest(SONG, version="old"))
    read = store.read

    def publish_meanwhile(key: str) -> bytes | None:
        data = read(key)
        current.record(url, manifest(SONG, version="new", key="k2"))
        current.record(url, manifest(OTHER, version="new"))
        return data

    monkeypatch.setattr(store, "read", publish_meanwhile)
    current.rebuild(url, store)
    assert current.current_of(url, [SONG])[SONG]["stems"].data_version == "new"
    assert current.tracks_with(url, "stems") == {SONG, OTHER}


def test_what_is_removed_while_the_store_is_walked_does_not_come_back(
    url: str, store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(store, manifest(SONG))
    current.record(url, manifest(SONG))
    read = store.read

    def remove_meanwhile(key: str) -> bytes | None:
        data = read(key)
        store.delete(f"artefacts/stems/{SONG}")
        current.forget(url, [("stems", SONG)])
        return data

    monkeypatch.setattr(store, "read", remove_meanwhile)
    current.rebuild(url, store)
    assert current.tracks_with(url, "stems") == set()


def test_what_was_missing_and_is_made_again_while_the_store_is_walked_is_not_told_as_gone(
    url: str, store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    current.record(url, manifest(SONG))
    listing = current.all_versions

    def publish_meanwhile(told: str) -> Iterator[tuple[str, dict[str, current.Versions]]]:
        yield from listing(told)
        current.record(url, manifest(SONG, version="new"))

    monkeypatch.setattr(current, "all_versions", publish_meanwhile)
    current.rebuild(url, store)
    assert current.current_of(url, [SONG])[SONG]["stems"].data_version == "new"


@pytest.mark.parametrize("broken", ["", "{", "[]", "null", "[" * 100_000])
def test_a_row_that_somebody_broke_stops_no_listing_and_is_mended_from_the_store(
    url: str, store: LocalStore, broken: str
) -> None:
    made = manifest()
    publish(store, made)
    current.record_all(url, [made, manifest(OTHER)])
    ours = current.index.c.track == SONG
    with transaction(url) as db:
        db.execute(current.index.update().where(ours).values(measures=broken, made_from=broken))
    assert current.current_of(url, [SONG])[SONG]["stems"].measures == {}
    assert dict(current.measures_of(url, ["stems"])) == {SONG: {"stems": {}}, OTHER: {"stems": made.measures}}
    assert dict(current.listed_of(url, [SONG], ["stems"]))[SONG]["stems"].measures == {}
    assert dict(current.all_versions(url))[SONG]["stems"].made_from == {}
    bring_up_to_date(url, lambda _: (None, ""), "")
    current.rebuild(url, store)
    assert current.current_of(url, [SONG])[SONG]["stems"].measures == made.measures


def test_measures_alone_that_were_changed_are_mended_from_the_store(url: str, store: LocalStore) -> None:
    made = manifest()
    publish(store, made)
    current.record(url, made)
    with transaction(url) as db:
        db.execute(current.index.update().values(measures="{"))
    assert current.rebuild(url, store) == 1
    assert current.rebuild(url, store) == 0
