from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from resonate_resources.recordings.music import Music
from resonate_resources.recordings.recording import AudioError
from resonate_resources.recordings.tempo_map import Grid, TimeSignature
from resonate_resources.remixing.brief import RemixingBrief
from resonate_resources.remixing.keys import moved_key, semitones_between
from resonate_resources.remixing.move import move_for
from resonate_resources.signal.spelling import ALL_KEYS, camelot, spelt


def music(beats: list[float], tempo_bpm: float | None) -> Music:
    return Music(tempo_bpm, Grid(beats, beats[::4], [TimeSignature(0, 4, 4)] if beats else []))


STEADY = music([0.5 * number for number in range(64)], 120.0)
DRIFTING = music(np.cumsum(0.5 * (1 + 0.03 * np.sin(np.arange(128) / 9))).tolist(), 120.0)
SPEECH = music([], None)


@pytest.mark.parametrize(("key", "wanted", "semitones"), [
    ("C major", "8A", 0), ("A minor", "8B", 0), ("A minor", "8A", 0), ("A minor", "9A", -5), ("A minor", "3A", 1),
    ("B minor", "8A", -2), ("G minor", "8A", 2), ("C# minor", "8A", -4), ("A minor", "D# minor", -6),
    ("E major", "Db major", -3),
])  # fmt: skip
def test_a_key_is_reached_the_shortest_way_and_relative_keys_are_one(
    key: str, wanted: str, semitones: int
) -> None:
    assert semitones_between(key, spelt(wanted)) == semitones


@given(st.sampled_from(ALL_KEYS), st.sampled_from(ALL_KEYS))
def test_what_was_moved_is_at_the_wanted_number_of_the_camelot_wheel(key: str, wanted: str) -> None:
    moved = moved_key(key, semitones_between(key, wanted))
    assert moved is not None
    assert camelot(moved)[:-1] == camelot(wanted)[:-1]


def test_between_keys_there_is_none() -> None:
    assert moved_key("A minor", 0.5) is None


def test_to_a_tempo_everything_becomes_as_long_as_their_quotient() -> None:
    move = move_for(RemixingBrief(tempo_bpm=150), STEADY, None)
    assert move.time_map(10.0) == pytest.approx(8.0)
    assert move.tempo.second(4 * 960) == pytest.approx(4 * 0.4)
    assert (move.tempo_bpm, move.semitones) == (150, 0)


def test_straightened_beats_lie_on_a_clock_as_far_as_the_tempo_map_tells_them() -> None:
    beats = np.array(DRIFTING.grid.beats_s)
    assert np.abs(beats - beats[0] - 0.5 * np.arange(128)).max() > 0.1
    move = move_for(RemixingBrief(tempo_bpm=128, straighten=True), DRIFTING, None)
    gone = move.time_map(beats)
    clock = 60 / 128 * np.arange(128)
    assert np.abs(gone - clock - (gone - clock).mean()).max() < 0.008 * 1.05  # beats are heard to 8 ms
    assert move.tempo.anchors[-1].tempo == 468_750
    assert len(move.tempo.anchors) == 1


def test_straightened_without_a_tempo_is_straightened_to_its_own() -> None:
    move = move_for(RemixingBrief(straighten=True), DRIFTING, None)
    assert move.tempo_bpm == 120
    assert np.diff(move.time_map(np.array(DRIFTING.grid.beats_s))) == pytest.approx(0.5, abs=0.01)


IN_SIX = Music(
    75.0, Grid([0.8 * n for n in range(40)], [1.6 * n for n in range(20)], [TimeSignature(0, 6, 8)])
)


@pytest.mark.parametrize("straighten", [False, True])
def test_beats_of_six_eighths_are_dotted_quarters(straighten: bool) -> None:
    move = move_for(RemixingBrief(tempo_bpm=100, straighten=straighten), IN_SIX, None)
    assert np.diff(move.time_map(np.array(IN_SIX.grid.beats_s))) == pytest.approx(0.6, abs=1e-4)
    assert move.tempo.second(1440) == pytest.approx(0.6, abs=1e-4)
    assert (move.tempo_bpm, move.quarters_bpm) == (100, 150)


@pytest.mark.parametrize("asked", [{"tempo_bpm": 120}, {"straighten": True}, {"semitones": 0}, {"key": "8B"}])
def test_what_is_there_already_changes_nothing(asked: dict[str, object]) -> None:
    assert move_for(RemixingBrief.model_validate(asked), STEADY, "A minor").changes_nothing


@pytest.mark.parametrize(("asked", "of", "key", "words"), [
    ({"tempo_bpm": 128}, SPEECH, None, "no tempo was found"),
    ({"straighten": True}, SPEECH, None, "no tempo was found"),
    ({"key": "8A"}, STEADY, None, "no key was found"),
    ({"tempo_bpm": 300}, STEADY, None, "60.0 to 240.0"),
    ({"tempo_bpm": 50}, STEADY, None, "0.5 to 2 can be had"),
])  # fmt: skip
def test_what_cannot_be_had_is_one_line(
    asked: dict[str, object], of: Music, key: str | None, words: str
) -> None:
    with pytest.raises(AudioError, match=words) as error:
        move_for(RemixingBrief.model_validate(asked), of, key)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("asked", "command", "option"), [
    ({"key": "8A"}, "`resonate brief set TRACK profile.key=Am`", "--semitones"),
    ({"tempo_bpm": 128}, "`resonate brief set TRACK profile.tempo_bpm=120`", "--stretch"),
])  # fmt: skip
def test_what_was_not_found_can_be_said_of_tracks_and_of_files_there_is_an_option(
    asked: dict[str, object], command: str, option: str
) -> None:
    for of_track in (True, False):
        with pytest.raises(AudioError) as error:
            move_for(RemixingBrief.model_validate(asked), SPEECH, None, of_track=of_track)
        assert (command in str(error.value)) == of_track
        assert option in str(error.value)


@pytest.mark.parametrize("asked", [
    {"stretch": 3}, {"stretch": 0.49}, {"stretch": float("nan")}, {"key": "H#"}, {"semitones": 13}, {"loops": [3]},
    {"tempo_bpm": 0}, {"tempo_bpm": 120, "stretch": 1.1}, {"key": "8A", "semitones": 1},
    {"stretch": 1.1, "straighten": True}, {"tempo_bpm": "fast"},
])  # fmt: skip
def test_briefs_that_make_no_sense_are_refused(asked: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        RemixingBrief.model_validate(asked)


def test_nothing_is_asked_unless_it_is() -> None:
    assert not RemixingBrief().asks
    assert RemixingBrief(chops=True).asks
    assert not RemixingBrief(chops=True).moves
    assert RemixingBrief(semitones=0).moves
