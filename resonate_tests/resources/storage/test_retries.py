"""Tracks that fail are tried again a bounded number of times, and keep no other from its turn."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.storage.retries import Tries, due, hopeless, note_tries, tries_of_tracks

DAY = 86_400.0


def nights(lost: set[str], count: int, limit: int = 1000, code: str = "c") -> dict[str, list[int]]:
    """Track → the nights on which it is asked for, where none ever succeeds."""
    known: dict[str, Tries] = {}
    asked: dict[str, list[int]] = {track: [] for track in lost}
    for night in range(count):
        for track in due(lost, known, 1e9 + night * DAY, code, limit):
            before = known[track].tries if track in known else 0
            known[track] = Tries(before + 1, 1e9 + night * DAY, code)
            asked[track].append(night)
    return asked


def test_a_track_that_never_succeeds_is_tried_after_one_two_four_and_eight_days_and_then_left_in_peace() -> (
    None
):
    assert nights({"a"}, 400)["a"] == [0, 1, 3, 7, 15]


def test_a_thousand_hopeless_tracks_do_not_keep_the_others_from_their_turn() -> None:
    tracks = {f"{number:04}" for number in range(2500)}
    asked = nights(tracks, 4)
    assert all(asked[track] for track in tracks)
    assert max(first for first, *_ in asked.values()) <= 2


def test_a_tick_that_is_evaluated_twice_asks_for_the_same() -> None:
    assert due({"a"}, {"a": Tries(3, 1e9, "c")}, 1e9, "c", 10) == ["a"]


@given(count=st.integers(1, 12), limit=st.integers(1, 5))
def test_no_night_asks_for_more_than_its_limit_and_every_track_gets_its_tries(count: int, limit: int) -> None:
    asked = nights({str(number) for number in range(count)}, 250, limit)
    for night in range(40):
        assert sum(night in of_track for of_track in asked.values()) <= limit
    assert all(len(of_track) == 5 for of_track in asked.values())


@given(
    st.dictionaries(
        st.sampled_from("abcdef"),
        st.builds(
            Tries, st.integers(1, 5), st.floats(1e9, 2e9), st.sampled_from(["c", "old"]), st.booleans()
        ),
    ),
    st.floats(1e9, 2e9),
    st.integers(0, 6),
)
def test_what_is_asked_for_is_lost_and_was_asked_for_no_later_than_what_must_wait(
    known: dict[str, Tries], moment: float, limit: int
) -> None:
    lost = set("abcd")
    asked = due(lost, known, moment, "c", limit)
    assert set(asked) <= lost
    assert len(asked) == len(set(asked)) <= limit
    everything = due(lost, known, moment, "c", 100)
    last = [known[track].last_at if track in known else 0.0 for track in everything]
    assert last == sorted(last)
    assert asked == everything[:limit]
    assert not set(everything) & set(hopeless(lost, known, moment, "c"))


def test_new_code_gives_a_track_that_was_given_up_all_its_tries_again() -> None:
    known = {"a": Tries(5, 1e9, "old", given_up=True)}
    assert due({"a"}, known, 1e9 + 1, "old", 10) == []
    assert due({"a"}, known, 1e9 + 1, "new", 10) == ["a"]


def test_a_track_is_given_up_once_and_not_before_its_last_try_had_its_time() -> None:
    known = {"a": Tries(5, 1e9, "c"), "b": Tries(5, 1e9, "c", given_up=True), "c": Tries(4, 1e9, "c")}
    assert hopeless({"a", "b", "c"}, known, 1e9 + 15 * DAY, "c") == []
    assert hopeless({"a", "b", "c"}, known, 1e9 + 16 * DAY, "c") == ["a"]


def test_tries_are_kept_until_a_track_is_made(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'resonate.sqlite'}"
    note_tries(url, {"a": Tries(1, 5.0, "c"), "b": Tries(2, 6.0, "c")})
    note_tries(url, {"a": Tries(2, 7.0, "c", given_up=True)}, forgotten=["b", "never-known"])
    assert tries_of_tracks(url) == {"a": Tries(2, 7.0, "c", given_up=True)}
