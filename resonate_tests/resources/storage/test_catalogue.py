"""The catalogue: one row a track, read again only where something changed."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.storage.artefacts import Artefact, Artefacts, Read
from resonate_resources.storage.catalogue import (
    CATALOGUE,
    build_catalogue,
    next_stale,
    read_catalogue,
    stale_stages,
    stale_tracks,
)
from resonate_resources.storage.current import Versions, rebuild, record
from resonate_resources.storage.sources import Source, Sources
from resonate_resources.storage.store import LocalStore, new_directory
from resonate_resources.storage.tracks import describe

STAGES = ("raw_track", "profile")
SONG, SILENCE = "song-0123456789ab", "silence-ba9876543210"


class CountingStore(LocalStore):
    """Remembers what was read."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.reads: list[str] = []
        self.url = f"sqlite:///{root / 'resonate.sqlite'}"

    def read(self, key: str) -> bytes | None:
        self.reads.append(key)
        return super().read(key)


@pytest.fixture
def store(tmp_path: Path) -> CountingStore:
    return CountingStore(tmp_path)


def publish(
    store: CountingStore,
    stage: str,
    track: str,
    measures: Mapping[str, float | str],
    source: str = "s",
    tags: Mapping[str, str] | None = None,
) -> Artefact:
    """As the graph does. The tags are those of the track's source."""
    artefacts, sources = Artefacts(store), Sources(store)
    known = sources.find(track)
    tags = {"artist": known.artist, "title": known.title, **(tags or {})} if known else {}
    texts = {
        "raw_track": {"track.wav": source, "track.json": json.dumps({"tags": tags})},
        "profile": {"profile.json": json.dumps({"fingerprint": None, "made_of": source})},
    }.get(stage, {"a.json": source})
    with new_directory(store, stage) as into:
        for name, text in texts.items():
            (into / name).write_text(text)
        made = artefacts.keep(
            Product({name: into / name for name in texts}, measures),
            stage=stage,
            track=track,
            recipe=Recipe(Engine("test")),
            reads=[Read("source", source, {"sha256": source})],
            seconds=0.0,
        )
    artefacts.publish(made)
    record(store.url, made.manifest)
    describe(store.url, made, sources)
    return made


def test_a_track_is_one_row_with_its_source_and_measures(store: CountingStore) -> None:
    Sources(store).register(Source(SONG, "/music/song.wav", 5, "ab" * 32, "Björk", "Jóga"))
    made = publish(store, "raw_track", SONG, {"duration_s": 2.5, "sample_rate_hz": 44100})
    publish(store, "profile", SONG, {"tempo_bpm": 120.0, "key": "F# minor", "beats": 11})
    [row] = build_catalogue(store, store.url, STAGES).to_dict("records")
    assert (row["track"], row["source"], row["artist"], row["title"]) == (
        SONG,
        "/music/song.wav",
        "Björk",
        "Jóga",
    )
    assert (row["duration_s"], row["sample_rate_hz"], row["tempo_bpm"], row["key"]) == (
        2.5,
        44100,
        120.0,
        "F# minor",
    )
    assert json.loads(row["made"])["raw_track"] == {
        "data_version": made.data_version,
        "code_version": made.manifest.code_version,
        "made_from": {"source": "s"},
    }


def test_silence_and_music_stand_in_one_catalogue(store: CountingStore) -> None:
    publish(store, "profile", SONG, {"loudness_lufs": -14.0})
    publish(store, "profile", SILENCE, {"loudness_lufs": -math.inf})
    build_catalogue(store, store.url, STAGES)
    frame = read_catalogue(store)
    assert frame is not None
    assert dict(zip(frame["track"], frame["loudness_lufs"], strict=True)) == {SONG: -14.0, SILENCE: -math.inf}


def test_a_source_whose_name_is_no_text_is_still_a_row(store: CountingStore) -> None:
    Sources(store).register(Source(SONG, os.fsdecode(b"/music/\xff.wav"), 5, "ab" * 32))
    publish(store, "raw_track", SONG, {})
    build_catalogue(store, store.url, STAGES)
    frame = read_catalogue(store)
    assert frame is not None
    assert list(frame["source"]) == ["/music/\ufffd.wav"]


def test_only_tracks_that_changed_are_read_again(store: CountingStore) -> None:
    for track in (SONG, SILENCE):
        publish(store, "raw_track", track, {"duration_s": 1.0})
    build_catalogue(store, store.url, STAGES)
    store.reads.clear()
    build_catalogue(store, store.url, STAGES)
    assert store.reads == [CATALOGUE]
    publish(store, "raw_track", SONG, {"duration_s": 2.0}, source="s2")
    store.reads.clear()
    frame = build_catalogue(store, store.url, STAGES)
    assert not [key for key in store.reads if SILENCE in key]
    assert dict(zip(frame["track"], frame["duration_s"], strict=True)) == {SONG: 2.0, SILENCE: 1.0}


def test_a_stage_that_is_made_later_enters_the_row(store: CountingStore) -> None:
    publish(store, "raw_track", SONG, {"duration_s": 1.0})
    build_catalogue(store, store.url, STAGES)
    publish(store, "profile", SONG, {"tempo_bpm": 99.0})
    [row] = build_catalogue(store, store.url, STAGES).to_dict("records")
    assert (row["duration_s"], row["tempo_bpm"]) == (1.0, 99.0)


def test_a_track_that_has_gone_from_storage_goes_from_the_catalogue(store: CountingStore) -> None:
    publish(store, "raw_track", SONG, {})
    publish(store, "raw_track", SILENCE, {})
    build_catalogue(store, store.url, STAGES)
    store.delete(f"artefacts/raw_track/{SONG}")
    rebuild(store.url, store)
    assert list(build_catalogue(store, store.url, STAGES)["track"]) == [SILENCE]


def test_a_library_of_before_there_was_an_index_is_in_the_catalogue(store: CountingStore) -> None:
    publish(store, "raw_track", SONG, {"duration_s": 3.0})
    store.url = store.url.replace("resonate", "another")
    frame = build_catalogue(store, store.url, STAGES)
    assert dict(zip(frame["track"], frame["duration_s"], strict=True)) == {SONG: 3.0}


def test_a_catalogue_of_a_database_that_was_lost_is_made_anew(store: CountingStore) -> None:
    for track in (SONG, SILENCE):
        publish(store, "raw_track", track, {"duration_s": 1.0})
    build_catalogue(store, store.url, STAGES)
    store.delete(f"artefacts/raw_track/{SILENCE}")
    store.url = store.url.replace("resonate", "another")
    publish(store, "raw_track", SONG, {"duration_s": 2.0}, source="k2")
    frame = build_catalogue(store, store.url, STAGES)
    assert dict(zip(frame["track"], frame["duration_s"], strict=True)) == {SONG: 2.0}


def test_a_file_of_which_only_the_wishes_are_known_is_no_row(store: CountingStore) -> None:
    stages = ("brief", *STAGES)
    publish(store, "brief", SILENCE, {})
    publish(store, "brief", SONG, {})
    publish(store, "raw_track", SONG, {"duration_s": 1.0})
    assert list(build_catalogue(store, store.url, stages)["track"]) == [SONG]
    publish(store, "raw_track", SILENCE, {"duration_s": 2.0})
    assert sorted(build_catalogue(store, store.url, stages)["track"]) == sorted([SONG, SILENCE])


def test_an_empty_library_has_an_empty_catalogue(store: CountingStore) -> None:
    assert read_catalogue(store) is None
    build_catalogue(store, store.url, STAGES)
    frame = read_catalogue(store)
    assert frame is not None
    assert len(frame) == 0


MADE = {
    "raw_track": Versions("k", "r1", "1", {"source": "s"}, 0.0),
    "stems": Versions("k", "s1", "3", {"raw_track": "r1"}, 0.0),
    "mix": Versions("k", "m1", "2", {"stems": "s1"}, 0.0),
}
CODE = {"raw_track": "1", "stems": "3", "mix": "2"}


def test_nothing_is_stale_where_all_is_as_it_was_made() -> None:
    assert stale_stages(MADE, CODE) == []


def test_a_missing_stage_is_stale() -> None:
    assert stale_stages({name: MADE[name] for name in ("raw_track", "stems")}, CODE) == ["mix"]


def test_a_stage_of_other_code_is_stale() -> None:
    assert stale_stages(MADE, CODE | {"stems": "4"}) == ["stems"]


def test_a_stage_made_from_what_has_changed_since_is_stale() -> None:
    assert stale_stages(MADE | {"raw_track": Versions("k", "r2", "1", {}, 1.0)}, CODE) == ["stems"]


def test_the_state_of_a_stale_track_has_a_name_that_changes_with_it_and_with_the_code(
    store: CountingStore,
) -> None:
    code = dict.fromkeys(("raw_track", "profile"), Recipe(Engine("test")).code_version)
    publish(store, "raw_track", SONG, {})
    [first] = stale_tracks(store.url, code)
    assert (first.track, first.stages) == (SONG, ["profile"])
    assert [each.state for each in stale_tracks(store.url, code)] == [first.state]
    [other_code] = stale_tracks(store.url, code | {"profile": "2"})
    publish(store, "raw_track", SONG, {}, source="k2")
    [other_input] = stale_tracks(store.url, code)
    assert len({first.state, other_code.state, other_input.state}) == 3
    publish(store, "profile", SONG, {})
    assert list(stale_tracks(store.url, code)) == []


def test_a_library_is_gone_through_in_parts_that_leave_nothing_out(store: CountingStore) -> None:
    code = dict.fromkeys(("raw_track", "profile"), Recipe(Engine("test")).code_version)
    names = [f"song-{number:012d}" for number in range(7)]
    for name in names:
        publish(store, "raw_track", name, {})
    publish(store, "profile", names[1], {})
    parts, after = [], ""
    for _ in range(3):
        stale, after = next_stale(store.url, code, after, 3)
        parts.append(([each.track for each in stale], after))
    assert parts == [([names[0], names[2]], names[2]), (names[3:6], names[5]), ([names[6]], "")]


def test_other_criteria_judge_every_track_anew(store: CountingStore) -> None:
    publish(store, "raw_track", SONG, {"duration_s": 1.0})
    for criteria, verdict in (("long", False), ("short", True), ("short", True)):
        build_catalogue(store, store.url, STAGES, lambda _, verdict=verdict: (verdict, "short"), criteria)
        frame = read_catalogue(store)
        assert frame is not None
        assert list(frame["accepted"]) == [verdict]


def test_a_catalogue_with_other_columns_is_made_anew(store: CountingStore) -> None:
    publish(store, "raw_track", SONG, {"duration_s": 1.0})
    build_catalogue(store, store.url, STAGES)
    table = pq.read_table(store.root / CATALOGUE)
    pq.write_table(table.drop_columns(["accepted", "duration_s"]), store.root / CATALOGUE)
    frame = build_catalogue(store, store.url, STAGES)
    assert list(frame["duration_s"]) == [1.0]
    assert "accepted" in frame
