"""What `resonate process` tells at its end, of files that were not really processed."""

from __future__ import annotations

import json

import pytest

from resonate_studio.batch import Batch, names_of
from resonate_studio.outcome import Check, Processed, Stage

POOR = "scores 81.6 of 100, under 85; poor vocals (predicted at -0.4 dB)"


def told(capsys: pytest.CaptureFixture[str], done: Processed, as_json: bool = False) -> str:
    Batch([done.source], as_json, done=[done]).tell("/home")
    return capsys.readouterr().out


def song(accepted: bool | None, why_not: str = "", *failed: tuple[str, str]) -> Processed:
    checks = [Check(asset, name, False, "warn") for asset, name in failed]
    return Processed(
        "/music/song.wav", "song-0123456789ab", accepted=accepted, why_not=why_not, checks=checks
    )


def test_why_a_track_is_not_accepted_is_told_in_words_and_other_checks_keep_a_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    done = song(
        False,
        POOR,
        ("qc_scores", "quality_is_accepted"),
        ("stems", "stems_are_good"),
        ("midi", "has_notes"),
    )
    lines = [line.rstrip() for line in told(capsys, done).splitlines()]
    assert f"not accepted: {POOR}" in lines
    assert [line for line in lines if "did not pass" in line] == ["check midi: has_notes did not pass"]


def test_an_accepted_track_is_told_to_be_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert "accepted" in told(capsys, song(True)).splitlines()


def test_how_like_the_original_the_rebuilt_track_is_stands_beside_the_verdict(
    capsys: pytest.CaptureFixture[str],
) -> None:
    scores = {"regenerated_total": 77.5, "regenerated_accepted": False, "seconds": 1.0}
    for accepted, lines in ((True, 1), (None, 0)):
        done = song(accepted)
        done.assets["qc_scores"] = Stage([], "panel", scores, False)
        output = told(capsys, done).splitlines()
        told_so = "the rebuilt track scores 77.5 of 100: a likeness, not accepted"
        assert output.count(told_so) == lines


def test_without_a_verdict_every_failed_check_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    output = told(capsys, song(None, "", ("stems", "stems_are_good")))
    assert "check stems: stems_are_good did not pass" in output
    assert "accepted" not in output


def test_programs_get_the_verdict_and_its_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    [track] = json.loads(told(capsys, song(False, POOR), as_json=True))["tracks"]
    assert (track["accepted"], track["why_not"]) == (False, POOR)
    [track] = json.loads(told(capsys, song(True), as_json=True))["tracks"]
    assert (track["accepted"], track["why_not"]) == (True, "")


def test_files_of_a_stage_are_told_by_where_they_lie_in_its_folder() -> None:
    folder = "s3://bucket/artefacts/midi/song/0123/4567"
    files = [f"{folder}/quantised/bass.mid", f"{folder}/bass.mid"]
    assert names_of(files) == "quantised/bass.mid, bass.mid"
    assert names_of([]) == ""
    many = ["/home/remix.json", *(f"/home/chops/Chop_{number:03d}.wav" for number in range(75))]
    assert names_of(many) == "remix.json, chops/ (75 files)"
