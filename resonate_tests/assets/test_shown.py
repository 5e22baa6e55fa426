"""What a person is shown: text as text, numbers as exact as can be heard, what is asked for most first."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from resonate_assets.jobs import STAGES
from resonate_assets.markdown import lines, literal, table
from resonate_assets.sentences import clock
from resonate_assets.shown import metadata, rounded
from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.storage.artefacts import Artefact, Artefacts
from resonate_resources.storage.store import LocalStore, new_directory

NASTY = [
    "![x](https://example.com/a.png)",
    "<img src=https://example.com/a.png>",
    "[click](javascript:alert(1)) *bold* _it_ `code` ~~no~~ # 1. - + > | \\ & &amp; {x}",
    "<script>alert(1)</script>",
    "a``b`c\\`d\\",
]


def rendered(markdown: str) -> Any:
    """As CommonMark with tables and raw HTML has it: the most that a renderer may make of it."""
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(markdown)


def words(tokens: Any) -> tuple[set[str], str]:
    """Kinds of what stands in the lines, and their text."""
    inner = [child for token in tokens if token.children for child in token.children]
    return {child.type for child in inner}, "".join(child.content for child in inner)


@pytest.mark.parametrize("text", NASTY)
def test_text_of_tags_is_shown_as_its_own_characters(text: str) -> None:
    kinds, shown = words(rendered(f"before {literal(text)}"))
    assert kinds <= {"text", "text_special"}
    assert shown == f"before {text}"


@pytest.mark.parametrize("text", NASTY)
def test_a_cell_of_a_table_holds_any_text(text: str) -> None:
    tokens = rendered(table(["title", "more"], [[text, "more"]]))
    assert sum(token.type == "td_open" for token in tokens) == 2
    kinds, shown = words(tokens)
    assert kinds <= {"text", "text_special"}
    assert text in shown


def test_text_of_many_lines_and_bytes_that_are_none_stays_one_line() -> None:
    assert literal("a\n\n# b\x00\tc \udcff") == "a \\# b c \ufffd"


def test_a_long_list_says_how_much_more_there_is() -> None:
    assert lines([str(number) for number in range(60)]).endswith("- and 10 more")
    assert lines([]) == "none"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("loudness_lufs", -14.0125, -14.0),
        ("true_peak_dbtp", -1.2487, -1.2),
        ("duration_s", 9.876543, 9.88),
        ("bandwidth_hz", 19875.1465, 19875),
        ("tempo_bpm", 112.8925, 112.9),
        ("correlation", 0.573812, 0.57),
    ],
)
def test_numbers_are_rounded_to_what_can_be_heard(name: str, value: float, told: float) -> None:
    assert rounded(name, value) == told


@pytest.mark.parametrize(("seconds", "told"), [(9.6, "0:10"), (187, "3:07"), (3729.2, "1:02:09")])
def test_a_length_is_told_in_minutes(seconds: float, told: str) -> None:
    assert clock(seconds) == told


def artefact(
    tmp_path: Path, stage: str, measures: Mapping[str, Any], notes: tuple[str, ...] = ()
) -> Artefact:
    artefacts = Artefacts(LocalStore(tmp_path))
    with new_directory(artefacts.store, stage) as into:
        names = {"master": "master.wav", "exports": "exports.json"}
        file = into / names.get(stage, f"{stage}.json")
        file.write_text('{"folder": "Artist - Title_0123", "files": ["vocals.wav", "metadata.json"]}')
        return artefacts.keep(
            Product({file.name: file}, measures, notes),
            stage=stage,
            track="song-0123456789ab",
            recipe=Recipe(Engine("test")),
            reads=[],
            seconds=1.23456,
        )


def test_of_exports_the_folder_that_people_take_away_is_told_first(tmp_path: Path) -> None:
    shown = metadata(
        artefact(tmp_path, "exports", {"files_exported": 2, "folder": "exports/Artist - Title_0123"})
    )
    assert list(shown)[:3] == ["folder", "files", "verdict"]
    assert shown["folder"].value == str(tmp_path / "exports" / "Artist - Title_0123")
    assert "vocals" in str(shown["files"].value)


def test_a_master_tells_its_verdict_and_three_numbers_before_its_files(tmp_path: Path) -> None:
    measures = {
        "mp3_loudness_lufs": -14.0,
        "loudness_lufs": -14.0125,
        "limiting_db": 7.34,
        "true_peak_dbtp": -1.25,
    }
    shown = metadata(artefact(tmp_path, "master", measures, ("a <b> note",)))
    assert list(shown)[:8] == [
        "verdict",
        "loudness_lufs",
        "true_peak_dbtp",
        "limiting_db",
        "folder",
        "files",
        "notes",
        "mp3_loudness_lufs",
    ]
    assert (
        shown["verdict"].value
        == "-14.0 LUFS, peaks at -1.2 dBTP, peaks limited by 7.3 dB: over 6 dB is heard"
    )
    assert shown["notes"].value == "- a \\<b\\> note"


@pytest.mark.parametrize(
    ("stage", "measures", "sentence"),
    [
        (
            "raw_track",
            {"duration_s": 187.0, "channels": 2, "sample_rate_hz": 44100, "loudness_lufs": "-inf"},
            "3:07, stereo, 44.1 kHz, −∞ LUFS",
        ),
        (
            "profile",
            {"key": "E major", "loudness_lufs": -13.92, "quality": 91.2},
            "no steady tempo, E major, -13.9 LUFS, sounds like 91 of 100",
        ),
        (
            "stems",
            {
                "vocals_level_dbfs": -20.0,
                "other_level_dbfs": -20.0,
                "vocals_predicted_quality_db": -1.52,
                "vocals_predicted_quality_error_db": 5.68,
            },
            "2 stems, vocals predicted at -1.5 ± 5.7 dB, poor: vocals",
        ),
        ("stems", {"vocals_level_dbfs": "-inf", "other_level_dbfs": -20.0}, "2 stems, no vocals in them"),
        (
            "restored_track",
            {"bandwidth_hz": 8000.0, "steps_kept": 2, "track_dehum_kept": 1.0, "track_tone_kept": 0.4},
            "hum taken off, colour taken off",
        ),
        (
            "restored_stems",
            {
                "steps_kept": 3,
                "vocals_denoise_kept": 1.0,
                "vocals_extend_kept": 1.0,
                "other_extend_kept": 1.0,
            },
            "noise taken off in vocals, lost octaves put back in vocals and other",
        ),
        ("restored_stems", {"bandwidth_hz": 20000.0, "steps_kept": 0}, "left as it was: nothing to mend"),
        ("midi", {"tempo_bpm": 112.89, "vocals_notes": 38, "drums_notes": 2}, "40 notes, 112.9 BPM"),
        (
            "master",
            {"loudness_lufs": "-inf", "limiting_db": 0.0, "bounded": True},
            "−∞ LUFS, peaks limited by 0.0 dB, too short or too silent to be judged",
        ),
        (
            "master",
            {"loudness_lufs": -14.0, "limiting_db": 1.0, "original_quality": 71.4, "master_quality": 82.6},
            "-14.0 LUFS, peaks limited by 1.0 dB, sound quality 71 → 83 of 100",
        ),
        ("qc_scores", {"master_total": 97.0}, "the master scores 97.0 of 100"),
        (
            "qc_scores",
            {"master_total": 97.0, "regenerated_total": 77.56, "regenerated_accepted": False},
            "the master scores 97.0 of 100, the rebuilt track scores 77.5 of 100: a likeness, not accepted",
        ),
        (
            "qc_scores",
            {"master_total": 84.99},
            "the master scores 84.9 of 100, not accepted: 85 are asked for",
        ),
        (
            "qc_scores",
            {
                **{"master_total": 88.0, "master_accepted": False, "master_lowest": "kick_pattern"},
                "master_kick_pattern": 41.28,
            },
            "the master scores 88.0 of 100, not accepted: kick pattern scores 41.2 of 100, under 50",
        ),
    ],
)
def test_a_stage_is_told_in_a_sentence(
    tmp_path: Path, stage: str, measures: Mapping[str, Any], sentence: str
) -> None:
    assert metadata(artefact(tmp_path, stage, measures))["verdict"].value == sentence


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_that_measures_nothing_is_shown_all_the_same(tmp_path: Path, stage: str) -> None:
    """Another engine behind the same capability, or an artefact of an earlier version, may tell less."""
    shown = metadata(artefact(tmp_path, stage, {}))
    assert {"folder", "files", "engine"} <= shown.keys()
