"""Which files of a library come first: as the requirement orders it, whatever stands in tags."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.ingestion.priority import doubts, priority, says_vocals
from resonate_resources.recordings.believed import believed_bpm
from resonate_resources.recordings.tag_reading import tags_of
from resonate_resources.recordings.tags import Tags

MINE = ("Mine",)
PLAIN = Tags("Somebody", "Something")


def test_chosen_crates_come_before_house_before_what_is_fast_before_vocals() -> None:
    falling = [
        priority(Tags(title="Song (Vocal Mix)", genre="House", bpm=124.0), MINE),
        priority(PLAIN, MINE),
        priority(Tags(title="Song (Vocal Mix)", genre="House", bpm=124.0)),
        priority(Tags(genre="House")),
        priority(Tags(title="Song (Vocal Mix)", genre="Techno", bpm=130.0)),
        priority(Tags(genre="Techno", bpm=130.0)),
        priority(Tags(title="Song (Vocal Mix)", genre="Pop", bpm=100.0)),
        priority(Tags(genre="Pop", bpm=100.0)),
    ]
    assert all(sooner > later for sooner, later in pairwise(falling))


def test_what_somebody_drops_into_the_inbox_goes_before_a_whole_library() -> None:
    # 0 is what Dagster takes for a run without the tag (docs.dagster.io, "Run priority").
    assert priority(Tags(title="Song (Vocal Mix)", genre="House", bpm=124.0), MINE) < 0


@pytest.mark.parametrize(
    "genre",
    ["House", "deep house", "TECH-HOUSE", "Deep_House", "Electro; Afro House", "House/Techno", "(House)"],
)
def test_house_counts_as_a_word_of_the_genre(genre: str) -> None:
    assert priority(Tags(genre=genre)) > priority(Tags(genre="Techno"))


@pytest.mark.parametrize("genre", ["Warehouse Techno", "Housewives' Choice", "Hous", "", None])
def test_a_word_that_only_holds_house_does_not(genre: str | None) -> None:
    assert priority(Tags(genre=genre)) == priority(Tags(genre="Techno"))


@pytest.mark.parametrize(("bpm", "fast"), [("120", False), ("120.01", True), ("128", True), ("119,9", False)])
def test_fast_is_what_has_more_than_120_beats_a_minute(bpm: str, fast: bool) -> None:
    assert (priority(tags_of({"bpm": bpm})) > priority(PLAIN)) == fast


@pytest.mark.parametrize(
    "bpm", ["fast", "0", "-128", "999", "nan", "inf", "1e9", "12800", "128 or so", "0x80"]
)
def test_a_tempo_that_none_can_be_counts_as_none_and_is_told(bpm: str) -> None:
    tags = tags_of({"bpm": bpm})
    assert believed_bpm(tags) is None
    assert priority(tags) == priority(PLAIN)
    [told] = doubts({"bpm": bpm}, tags)
    assert bpm in told
    assert "\n" not in told


@pytest.mark.parametrize("bpm", ["128", "174.00", "87,5", ""])
def test_of_a_tempo_that_may_be_nothing_is_told(bpm: str) -> None:
    assert doubts({"bpm": bpm}, tags_of({"bpm": bpm})) == ()


@pytest.mark.parametrize("key", ["8A", "12b", "1m", "10d", "Am", "A minor", "F#", "Bb maj", "o", ""])
def test_a_key_in_any_notation_is_one(key: str) -> None:
    assert doubts({"key": key}, tags_of({"key": key})) == ()


@pytest.mark.parametrize("key", ["H#", "13A", "0m", "A sharp", "\udcff", "128"])
def test_what_is_no_key_is_told(key: str) -> None:
    [told] = doubts({"key": key}, tags_of({"key": key}))
    assert told.startswith("key ")
    assert told.isprintable()


@pytest.mark.parametrize(
    ("tags", "vocals"),
    [
        (Tags(title="Finally (Vocal Mix)"), True),
        (Tags(title="Finally (Acapella)"), True),
        (Tags(title="Finally (A Cappella)"), True),
        (Tags(title="Finally feat. Somebody"), True),
        (Tags("Band ft. Somebody", "Finally"), True),
        (Tags(title="Finally", genre="Vocal House"), True),
        (Tags(title="Finally (Instrumental)"), False),
        (Tags("Band feat. Somebody", "Finally (Instrumental Mix)"), False),
        (Tags(title="Finally", genre="Instrumental"), False),
        (Tags(title="Finally (Original Mix)"), None),
        (Tags(title="Left of Features"), None),
        (Tags(), None),
    ],
)
def test_titles_and_genres_say_whether_somebody_sings(tags: Tags, vocals: bool | None) -> None:
    assert says_vocals(tags) is vocals


_TEXTS = st.dictionaries(
    st.sampled_from(["artist", "title", "genre", "bpm", "key", "isrc", "album"]), st.text(max_size=30)
)


@given(_TEXTS)
def test_whatever_tags_say_there_is_a_priority_and_being_chosen_raises_it_above_all_that_is_not(
    texts: dict[str, str],
) -> None:
    tags = tags_of(texts)
    assert -16 <= priority(tags) < -8 <= priority(tags, MINE) < 0
    assert all(line.isprintable() for line in doubts(texts, tags))
