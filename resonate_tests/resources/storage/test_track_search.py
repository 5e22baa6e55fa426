"""Tracks are found in the catalogue's tables, as DJs look for them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.recipe import Engine
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.current import forget, record_all
from resonate_resources.storage.manifest import StoredFile
from resonate_resources.storage.sources import Source, Sources
from resonate_resources.storage.store import LocalStore
from resonate_resources.storage.track_search import (
    Wanted,
    checks_failed,
    compatible,
    count,
    find,
    tracks_beginning,
)
from resonate_resources.storage.tracks import (
    bring_up_to_date,
    describe,
    describe_missing,
    record_checks,
    rows_of,
    undescribed,
)
from resonate_tests.manifests import manifest

TRACKS: dict[str, dict[str, Any]] = {
    "joga-000000000001": {
        **{"artist": "Björk", "title": "Jóga", "album": "Homogenic", "genre": "Art Pop"},
        **{"tempo_bpm": 83.0, "key": "A minor", "camelot": "8A", "loudness_lufs": -9.5, "master_total": 91.0},
    },
    "strobe-000000000002": {
        **{"artist": "deadmau5", "title": "Strobe", "genre": "Progressive House"},
        **{
            "tempo_bpm": 128.0,
            "key": "C major",
            "camelot": "8B",
            "loudness_lufs": -11.0,
            "master_total": 84.0,
        },
    },
    "half-000000000003": {
        **{"artist": "100%", "title": "Half_Time", "genre": "Deep House"},
        **{"tempo_bpm": 64.0, "key": "E minor", "camelot": "9A", "loudness_lufs": "-inf"},
    },
    "noise-000000000004": {"title": "Noise"},
}
WORDS = ("artist", "title", "album", "genre")


def judge(made: Any) -> tuple[bool | None, str]:
    """By the score, at 85 of 100."""
    score = made.get("qc_scores", {}).get("master_total")
    return (None, "") if score is None else (score >= 85, "" if score >= 85 else f"scores {score}")


def publish(store: LocalStore, url: str, track: str, told: dict[str, Any]) -> None:
    """What ingestion, the profile and QC leave, and the graph records."""
    numbers = {name: value for name, value in told.items() if name not in (*WORDS, "master_total")}
    scores = {"master_total": told["master_total"]} if "master_total" in told else None
    tags = json.dumps({"tags": {name: told[name] for name in WORDS if name in told}}).encode()
    raw = manifest(
        "raw_track",
        track,
        data_version=f"sound of {track}",
        files={
            "track.wav": StoredFile(5, f"wav of {track}"),
            "track.json": StoredFile(len(tags), sha256(tags).hexdigest()),
        },
        measures={"duration_s": 200.0 + len(track), "sample_rate_hz": 44100, "channels": 2},
        engine=Engine("decoder", "libsndfile", "LGPL"),
        seconds=1.5,
    )
    Sources(store).register(Source(track, f"/music/{track}.flac", 5, track[-12:], registered_at="2026-11-01"))
    store.write(f"artefacts/raw_track/{track}/k/a/track.json", tags)
    store.write(f"artefacts/raw_track/{track}/manifest.json", raw.to_json())
    made = [raw, manifest("profile", track, measures=numbers)]
    record_all(url, made + ([manifest("qc_scores", track, measures=scores)] if scores else []))
    describe(url, Artefact(raw, store), Sources(store))


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path)


@pytest.fixture
def url(tmp_path: Path, store: LocalStore) -> str:
    url = f"sqlite:///{tmp_path / 'resonate.sqlite'}"
    for track, told in TRACKS.items():
        publish(store, url, track, told)
    record_checks(url, "strobe-000000000002", "mix", ["mix_does_not_clip", "mix_stays_in_phase"])
    bring_up_to_date(url, judge, "score")
    return url


def found(url: str, wanted: Wanted, **order: Any) -> list[str]:
    names = [row["title"] for row in find(url, wanted, order.pop("sort", "title"), **order)]
    assert count(url, wanted) == len(names) or order
    return names


@pytest.mark.parametrize(
    ("wanted", "titles"),
    [
        (Wanted(), ["Half_Time", "Jóga", "Noise", "Strobe"]),
        (Wanted(words=("bjork",)), ["Jóga"]),
        (Wanted(words=("BJÖRK", "joga")), ["Jóga"]),
        (Wanted(words=("björk", "strobe")), []),
        (Wanted(words=("homogenic",)), ["Jóga"]),
        (Wanted(words=("100%",)), ["Half_Time"]),  # neither % nor _ stands for anything else
        (Wanted(words=("f_t",)), ["Half_Time"]),
        (Wanted(words=("o_a",)), []),
        (Wanted(genre="house"), ["Half_Time", "Strobe"]),
        (Wanted(bpm=(120.0, 130.0)), ["Strobe"]),
        (Wanted(bpm=(120.0, 130.0), half_or_double=True), ["Half_Time", "Strobe"]),
        (Wanted(bpm=(64.0, 64.0), half_or_double=True), ["Half_Time", "Strobe"]),
        (Wanted(camelot=("8A",)), ["Jóga"]),
        (Wanted(camelot=compatible("8A")), ["Half_Time", "Jóga", "Strobe"]),
        (Wanted(camelot=compatible("9A")), ["Half_Time", "Jóga"]),
        (Wanted(least_score=84.0), ["Jóga", "Strobe"]),
        (Wanted(least_score=84.5), ["Jóga"]),
        (Wanted(accepted=True), ["Jóga"]),
        (Wanted(accepted=False), ["Strobe"]),
        (Wanted(failed_check="mix_does_not_clip"), ["Strobe"]),
        (Wanted(genre="house", bpm=(60.0, 70.0)), ["Half_Time"]),
    ],
)
def test_tracks_are_found_by_what_they_are(url: str, wanted: Wanted, titles: list[str]) -> None:
    assert found(url, wanted) == titles


def test_keys_that_mix_on_the_camelot_wheel_are_neighbours_and_the_relative() -> None:
    # Mixed In Key, "Harmonic mixing guide": the same, one up, one down, and the other letter
    assert set(compatible("8A")) == {"8A", "7A", "9A", "8B"}
    assert set(compatible("12B")) == {"12B", "11B", "1B", "12A"}
    assert set(compatible("1A")) == {"1A", "12A", "2A", "1B"}


@given(st.integers(1, 12), st.sampled_from("AB"), st.integers(1, 12), st.sampled_from("AB"))
def test_of_two_keys_each_mixes_with_the_other_or_neither_does(a: int, x: str, b: int, y: str) -> None:
    assert (f"{a}{x}" in compatible(f"{b}{y}")) == (f"{b}{y}" in compatible(f"{a}{x}"))


def test_tracks_are_sorted_with_what_is_unknown_last_either_way(url: str) -> None:
    assert found(url, Wanted(), sort="bpm") == ["Half_Time", "Jóga", "Strobe", "Noise"]
    assert found(url, Wanted(), sort="bpm", descending=True) == ["Strobe", "Jóga", "Half_Time", "Noise"]
    assert found(url, Wanted(), sort="loudness")[0] == "Half_Time"  # of silence: −∞


def test_keys_are_sorted_as_they_stand_on_the_wheel_and_names_without_their_case(url: str) -> None:
    for number, camelot in enumerate(("10A", "2B")):
        record_all(url, [manifest("profile", f"more-{number}", measures={"camelot": camelot})])
    bring_up_to_date(url, judge, "score")
    keys = [row["camelot"] for row in find(url, Wanted(), "key")]
    assert keys == ["2B", "8A", "8B", "9A", "10A", None]
    artists = [row["artist"] for row in find(url, Wanted(), "artist")]
    assert artists == ["100%", "Björk", "deadmau5", None, None, None]


def test_pages_are_parts_of_the_whole(url: str) -> None:
    pages = [found(url, Wanted(), limit=3, skipped=skipped) for skipped in (0, 3, 6)]
    assert pages == [["Half_Time", "Jóga", "Noise"], ["Strobe"], []]


def test_a_track_is_told_with_its_tags_its_source_its_measures_its_verdict_and_what_failed(url: str) -> None:
    [row] = find(url, Wanted(words=("strobe",)), "title")
    told = {
        **{"track": "strobe-000000000002", "source": "/music/strobe-000000000002.flac", "artist": "deadmau5"},
        **{"sha256": "000000000002", "added_at": "2026-11-01", "duration_s": 219.0, "sample_rate_hz": 44100},
        **{"tempo_bpm": 128.0, "key": "C major", "camelot": "8B", "album": None, "accepted": False},
        **{"why_not": "scores 84.0", "failed_checks": ["mix_does_not_clip", "mix_stays_in_phase"]},
    }
    assert {name: row[name] for name in told} == told
    assert checks_failed(url, "strobe-000000000002") == ["mix_does_not_clip", "mix_stays_in_phase"]


def test_checks_that_pass_now_have_not_failed(url: str) -> None:
    record_checks(url, "strobe-000000000002", "mix", ["mix_stays_in_phase"])
    assert found(url, Wanted(failed_check="mix_does_not_clip")) == []
    record_checks(url, "strobe-000000000002", "mix", [])
    assert checks_failed(url, "strobe-000000000002") == []


def test_a_stage_that_is_made_anew_is_taken_over_and_nothing_else_is_touched(url: str) -> None:
    before = rows_of(url, TRACKS)
    record_all(url, [manifest("qc_scores", "strobe-000000000002", measures={"master_total": 99.0})])
    bring_up_to_date(url, judge, "score")
    after = rows_of(url, TRACKS)
    assert after.pop("strobe-000000000002")["accepted"] is True
    before.pop("strobe-000000000002")
    assert after == before


def test_by_other_criteria_every_track_is_judged_anew(url: str) -> None:
    bring_up_to_date(url, lambda _: (False, "nothing will do"), "stern")
    assert found(url, Wanted(accepted=False)) == ["Half_Time", "Jóga", "Noise", "Strobe"]


def test_what_changes_in_many_pages_is_taken_over_whole(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resonate_resources.storage.tracks._PAGE", 2)
    bring_up_to_date(url, lambda _: (True, ""), "mild")
    assert found(url, Wanted(accepted=True)) == ["Half_Time", "Jóga", "Noise", "Strobe"]


def test_a_track_that_is_removed_is_found_no_more_nor_what_was_told_of_it(url: str) -> None:
    forget(url, [(stage, "strobe-000000000002") for stage in ("raw_track", "profile", "qc_scores")])
    bring_up_to_date(url, judge, "score")
    assert found(url, Wanted()) == ["Half_Time", "Jóga", "Noise"]
    assert checks_failed(url, "strobe-000000000002") == []


def test_a_file_of_which_only_the_wishes_are_known_is_no_track(url: str) -> None:
    record_all(url, [manifest("brief", "new-000000000009")])
    bring_up_to_date(url, judge, "score")
    assert tracks_beginning(url, "new") == []


def test_what_an_earlier_version_recorded_is_described_from_storage_and_only_that(
    url: str, store: LocalStore, tmp_path: Path
) -> None:
    later = f"sqlite:///{tmp_path / 'later.sqlite'}"
    record_all(later, [manifest("raw_track", track, data_version=f"sound of {track}") for track in TRACKS])
    bring_up_to_date(later, judge, "score")
    assert undescribed(later) == len(TRACKS)
    assert sorted(describe_missing(later, store)) == sorted(TRACKS)
    assert undescribed(later) == 0
    assert describe_missing(later, store) == []
    assert found(later, Wanted(words=("bjork",))) == ["Jóga"]


def test_of_a_track_whose_files_are_damaged_the_source_is_known_and_it_is_counted(
    url: str, store: LocalStore, tmp_path: Path
) -> None:
    later = f"sqlite:///{tmp_path / 'later.sqlite'}"
    record_all(later, [manifest("raw_track", "joga-000000000001", data_version="sound of joga-000000000001")])
    store.write("artefacts/raw_track/joga-000000000001/k/a/track.json", b"no JSON")
    assert describe_missing(later, store) == []
    assert undescribed(later) == 1
    assert rows_of(later, ["joga-000000000001"])["joga-000000000001"]["sha256"] == "000000000001"


def test_a_track_is_named_by_any_beginning(url: str) -> None:
    publish_two: Iterable[str] = ("joga-00000000000a", "joga-00000000000a0")
    for track in publish_two:
        record_all(url, [manifest("raw_track", track)])
    bring_up_to_date(url, judge, "score")
    assert tracks_beginning(url, "str") == ["strobe-000000000002"]
    assert tracks_beginning(url, "joga") == ["joga-000000000001", *publish_two]
    assert tracks_beginning(url, "joga-00000000000a") == ["joga-00000000000a"]
    assert tracks_beginning(url, "%") == []
