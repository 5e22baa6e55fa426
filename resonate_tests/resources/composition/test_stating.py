from __future__ import annotations

import pytest

from resonate_resources.composition.request import Asked, Reading, Understanding
from resonate_resources.composition.stating import state
from resonate_resources.recordings.recording import AudioError

UNDERSTOOD = Understanding(
    asked=Asked(genre="house", key="C minor"),
    readings=(
        Reading(field="genre", value="house", how="stated", words="house"),
        Reading(field="key", value="C minor", how="stated", words="C minor"),
    ),
    contradictory=("bpm",),
)


def test_what_is_said_beside_the_words_counts_and_is_told() -> None:
    stated = state(UNDERSTOOD, {"key": "F# major", "bpm": [124, 124]})
    assert stated.asked == Asked(genre="house", key="F# major", bpm=(124, 124))
    assert {(reading.field, reading.value, reading.words) for reading in stated.readings} == {
        ("genre", "house", "house"),
        ("key", "F# major", "said beside the prompt"),
        ("bpm", "124", "said beside the prompt"),
    }
    assert stated.contradictory == ()


def test_what_is_left_to_be_assumed_is_told_as_said_by_nobody() -> None:
    stated = state(UNDERSTOOD, {"key": None, "mood": []})
    assert stated.asked == Asked(genre="house")
    assert [reading.field for reading in stated.readings] == ["genre"]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ({"bpm": [118, 122]}, "118 to 122"),
        ({"mood": ["happy", "calm"]}, "happy, calm"),
        ({"swing": True}, "yes"),
        ({"bars": 16}, "16"),
        (
            {
                "sections": [
                    {"name": "intro", "bars": 4, "energy": 0.25},
                    {"name": "drop", "bars": 8, "energy": 1},
                ]
            },
            "intro 4 0.25, drop 8 1",
        ),
        ({"players": [{"instrument": "piano", "role": "melody"}]}, "piano melody"),
    ],
)
def test_what_is_said_beside_is_told_as_what_the_words_say_is(said: dict[str, object], shown: str) -> None:
    assert state(UNDERSTOOD, said).readings[-1].value == shown  # type: ignore[arg-type]


def test_nothing_said_changes_nothing() -> None:
    assert state(UNDERSTOOD, {}) == UNDERSTOOD


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"key": "H sharp"}, "key: 'H sharp' is no key"),
        ({"bpm": [0, 0]}, "bpm: "),
        ({"bpm": [999, 999]}, "bpm: "),
        ({"bpm": [float("nan"), float("nan")]}, "bpm: "),
        ({"duration_s": 10_800}, "duration_s: "),
        ({"bpm": 120}, "bpm: should be a list"),
        ({"loud": True}, "loud: there is no such field"),
        ({"sections": [{"name": "verse", "bars": 0, "energy": 0.5}]}, "sections.0.bars: should be greater"),
        ({"sections": [{"name": "verse", "energy": 0.5}]}, "sections.0.bars: is missing"),
        (
            {"players": [{"instrument": "flute", "role": "melody"}] * 17},
            "players: has 17, and 16 is the most",
        ),
    ],
)
def test_what_can_not_be_is_refused_in_one_line(said: dict[str, object], told: str) -> None:
    with pytest.raises(AudioError) as refused:
        state(UNDERSTOOD, said)  # type: ignore[arg-type]
    assert str(refused.value).startswith(told)
    assert "\n" not in str(refused.value)


def test_what_a_whole_form_or_whole_players_replace_is_told_no_more() -> None:
    told = [Reading(field=name, value="x", how="stated", words="x") for name in ("bars", "without", "key")]
    understood = UNDERSTOOD.model_copy(update={"readings": tuple(told), "contradictory": ("structure",)})
    said = {
        "bars": 64,
        "sections": [{"name": "verse", "bars": 8, "energy": 0.5}],
        "players": [{"instrument": "piano", "role": "melody"}],
    }
    stated = state(understood, said)  # type: ignore[arg-type]
    assert [reading.field for reading in stated.readings] == ["key", "sections", "players"]
    assert stated.contradictory == ()
