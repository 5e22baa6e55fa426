"""The library's table: every track with its verdict, the worst first, in words that are nobody's Markdown."""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg
import pandas as pd
import pytest

from resonate_assets.definitions import build_defs
from resonate_assets.jobs import update_library
from resonate_assets.rejections import let_go
from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.storage.catalogue import read_catalogue
from resonate_resources.storage.current import record
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.sources import Source
from resonate_resources.storage.store import new_directory

GOOD, BAD, WORSE, UNFINISHED = (f"{name}-0123456789ab" for name in ("good", "bad", "worse", "unfinished"))


def publish(storage: StorageResource, track: str, stage: str, measures: Mapping[str, float]) -> None:
    with new_directory(storage.store, stage) as into:
        (into / "a.json").write_text(track)
        made = storage.artefacts.keep(
            Product({"a.json": into / "a.json"}, measures),
            stage=stage,
            track=track,
            recipe=Recipe(Engine("test")),
            reads=[],
            seconds=0.0,
        )
    storage.artefacts.publish(made)
    record(storage.database, made.manifest)


def told(storage: StorageResource, instance: dg.DagsterInstance) -> Mapping[str, dg.MetadataValue]:
    defs = build_defs(resource_overrides={"storage": storage})
    run = defs.resolve_job_def(update_library.name).execute_in_process(instance=instance)
    (made,) = run.asset_materializations_for_node("library")
    return made.metadata


@pytest.fixture
def library(storage: StorageResource) -> StorageResource:
    for track, score in ((GOOD, 97.0), (BAD, 84.0), (WORSE, 60.0)):
        storage.sources.register(Source(track, f"/music/{track}.wav", 1, "ab" * 32, "A|B", f"{track} <b>"))
        publish(storage, track, "raw_track", {"duration_s": 187.0})
        publish(storage, track, "qc_scores", {"master_total": score, "regenerated_total": 50.0})
    publish(storage, UNFINISHED, "raw_track", {"duration_s": 9.6})
    return storage


def test_tracks_that_are_not_accepted_come_first_the_worst_of_them_before_all(
    library: StorageResource, instance: dg.DagsterInstance
) -> None:
    shown = told(library, instance)
    rows = str(shown["worst_first"].value).replace("\\", "").splitlines()[2:]
    assert [row.count("not accepted") for row in rows] == [1, 1, 0, 0]
    assert "worse-0123456789ab <b>" in rows[0]
    assert "scores 60.0 of 100" in rows[0]
    assert "bad-0123456789ab <b>" in rows[1]
    assert "0:10 | not judged yet" in rows[2]
    assert "3:07 | accepted, 97.0 of 100" in rows[3]
    assert (shown["tracks"].value, shown["not_accepted"].value) == (4, 2)


def test_the_catalogue_tells_programs_what_is_accepted_and_why_not(
    library: StorageResource, instance: dg.DagsterInstance
) -> None:
    told(library, instance)
    frame = read_catalogue(library.store)
    assert frame is not None
    verdicts = dict(zip(frame["track"], frame["accepted"], strict=True))
    assert verdicts == {GOOD: True, BAD: False, WORSE: False, UNFINISHED: None}
    reasons = dict(zip(frame["track"], frame["why_not"], strict=True))
    assert pd.isna(reasons[GOOD])
    assert "84.0 of 100" in reasons[BAD]


def test_a_library_without_tracks_says_so(storage: StorageResource, instance: dg.DagsterInstance) -> None:
    assert told(storage, instance)["worst_first"].value == "no tracks yet"


def test_a_track_that_an_earlier_decoder_made_stays_when_a_later_one_rejects_it(
    library: StorageResource, instance: dg.DagsterInstance
) -> None:
    instance.add_dynamic_partitions("tracks", [GOOD, "rejected-ba9876543210"])
    for track in (GOOD, "rejected-ba9876543210"):
        let_go(instance, library, track)
    assert instance.get_dynamic_partitions("tracks") == [GOOD]
