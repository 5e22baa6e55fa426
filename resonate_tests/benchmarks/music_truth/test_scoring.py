from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from resonate_tests.benchmarks.music_truth.composing import compose
from resonate_tests.benchmarks.music_truth.scoring import (
    Estimate,
    Judged,
    calibration,
    judged,
    notes_f,
    scores,
    table,
)


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    """Of a steady song with drums, in a room and pumped."""
    song = next(
        song
        for song in map(compose, range(200))
        if song.steady and song.sound.pump_db is not None and song.sound.rt60_s and song.sound.voice
    )
    told = song.truth() | {"bandwidth_hz": 8000.0}
    told["sound"]["rt60_s"] = {
        str(octave): time for octave, time in song.sound.rt60_s.items()
    }  # as JSON has it
    return told


def of_truth(truth: dict[str, Any]) -> Estimate:
    return {
        "tempo_bpm": truth["tempo_bpm"],
        "beats_s": truth["beats_s"],
        "downbeats_s": truth["downbeats_s"],
        "time_signature": truth["metre"],
        "key": truth["key"],
        "chords": truth["chords"],
        "sections": truth["sections"],
        "notes": truth["notes"],
        "rt60_s": truth["sound"]["rt60_s"],
        "bandwidth_hz": truth["bandwidth_hz"],
        "pump_db": truth["sound"]["pump_db"],
    }


def test_the_truth_is_right_in_everything(truth: dict[str, Any]) -> None:
    found = scores(truth, of_truth(truth))
    assert set(found) >= {
        "beats",
        "tempo",
        "metre",
        "key",
        "chords, sevenths",
        "boundaries, 3 s",
        "drums",
        "RT60",
    }
    assert found == pytest.approx(dict.fromkeys(found, 1.0))


def test_an_octave_of_tempo_is_an_error_and_two_percent_are_not(truth: dict[str, Any]) -> None:
    tempo = truth["tempo_bpm"]
    for told, right in (
        (tempo, 1),
        (1.019 * tempo, 1),
        (1.021 * tempo, 0),
        (2 * tempo, 0),
        (tempo / 2, 0),
        (None, 0),
    ):
        assert scores(truth, {"tempo_bpm": told})["tempo"] == right


@pytest.mark.parametrize(
    ("told", "weighted"),
    [
        ("Eb major", 1.0),
        ("D# major", 1.0),
        ("Bb major", 0.5),
        ("C minor", 0.3),
        ("Eb minor", 0.2),
        ("A major", 0),
        (None, 0),
    ],
)
def test_keys_are_weighted_as_in_mirex(truth: dict[str, Any], told: str | None, weighted: float) -> None:
    """Fifth 0.5, relative 0.3, parallel 0.2."""
    found = scores(truth | {"key": "Eb major"}, {"key": told})
    assert found["key, weighted"] == weighted
    assert found["key"] == (weighted == 1.0)


def test_a_seventh_that_is_missed_counts_among_sevenths_alone(truth: dict[str, Any]) -> None:
    true = truth | {"chords": [{"start_s": 0.0, "end_s": 4.0, "value": "C:7"}]}
    found = scores(
        true,
        {
            "chords": [
                {"start_s": 0.0, "end_s": 3.0, "value": "C:maj"},
                {"start_s": 3.0, "end_s": 4.0, "value": "A:min"},
            ]
        },
    )
    assert found["chords, majmin"] == pytest.approx(0.75)
    assert found["chords, sevenths"] == 0.0


def test_boundaries_are_found_within_three_seconds(truth: dict[str, Any]) -> None:
    edges = [0.0, 20.0, 40.0, 60.0]
    late = [0.0, 22.9, 43.1, 60.0]
    true, told = (
        [{"start_s": a, "end_s": b, "value": "A"} for a, b in pairwise(times)] for times in (edges, late)
    )
    assert scores(truth | {"sections": true}, {"sections": told})["boundaries, 3 s"] == pytest.approx(0.5)


def test_notes_where_nobody_plays_are_wrong_and_silence_there_is_not_judged(truth: dict[str, Any]) -> None:
    silent = truth | {"notes": truth["notes"] | {"vocals": []}}
    assert scores(silent, {"notes": {"vocals": [(1.0, 2.0, 60, 90)]}})["notes, vocals"] == 0.0
    assert "notes, vocals" not in scores(silent, {"notes": {"vocals": []}})


def test_a_note_counts_within_fifty_milliseconds_at_its_own_pitch() -> None:
    true = [(1.0, 1.5, 60, 90), (2.0, 2.5, 62, 90)]
    assert notes_f(true, [(1.049, 1.2, 60, 1), (2.051, 2.5, 62, 90)]) == pytest.approx(0.5)
    assert notes_f(true, [(1.0, 1.5, 72, 90), (2.0, 2.5, 62, 90)]) == pytest.approx(0.5)


def test_open_and_closed_hats_are_one_class_and_a_snare_is_another(truth: dict[str, Any]) -> None:
    true = truth | {"notes": {"drums": [(1.0, 1.1, 42, 90), (2.0, 2.1, 46, 90), (3.0, 3.1, 38, 90)]}}
    found = scores(true, {"notes": {"drums": [(1.0, 1.1, 46, 90), (2.0, 2.1, 42, 90), (3.0, 3.1, 36, 90)]}})
    assert found["drums, hat"] == 1.0
    assert found["drums, snare"] == found["drums, open hat"] == 0.0
    assert found["drums"] == pytest.approx(2 * 2 / 6)


def test_what_was_not_looked_for_is_not_judged(truth: dict[str, Any]) -> None:
    assert scores(truth, {}) == {}


def test_of_ten_that_are_ninety_percent_sure_nine_are_right() -> None:
    estimates = [Judged("key", 0.9, number != 0) for number in range(10)] + [Judged("key", 0.6, True)]
    unsure, sure = calibration(estimates)
    assert (sure.low, sure.high, sure.estimates, sure.right) == (0.85, 0.95, 10, 0.9)
    assert (unsure.estimates, unsure.right) == (1, 1.0)


def test_a_confidence_is_judged_where_its_measure_is(truth: dict[str, Any]) -> None:
    told: Estimate = {
        "key": truth["key"],
        "tempo_bpm": None,
        "confidence": {"key": 0.9, "tempo": 0.4, "metre": 0.8},
    }
    assert judged(told, scores(truth, told)) == [Judged("key", 0.9, True), Judged("tempo", 0.4, False)]


def test_the_table_has_a_column_for_every_analysis() -> None:
    lines: list[str] = []
    table({"ours": {"tempo": [1.0, 0.0]}, "theirs": {"key": [1.0]}}, lines.append)
    assert lines == [
        "| measure | asked | ours | songs | theirs | songs |",
        "|---|---|---|---|---|---|",
        "| tempo | 0.95 | 0.500 | 2 | | 0 |",
        "| key | 0.90 | | 0 | 1.000 | 1 |",
    ]
