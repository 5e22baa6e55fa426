from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from resonate_resources.recordings.recording import Recording, Samples, Stems, write_samples
from resonate_resources.remixing.brief import RemixingBrief
from resonate_resources.remixing.resource import REMIX, RemixingResource

RATE = 44_100
SECONDS = 24


def profile(**told: Any) -> dict[str, Any]:
    beats = [0.5 * number for number in range(2 * SECONDS)]
    known: dict[str, Any] = {
        "tempo_bpm": 120.0,
        "beats_s": beats,
        "downbeats_s": beats[::4],
        "time_signatures": [{"start_s": 0.0, "numerator": 4, "denominator": 4}],
        "swing": None,
        "key": "A minor",
        "keys": [],
        "sections": [
            {"start_s": 0.0, "end_s": 8.0, "label": "A"},
            {"start_s": 8.0, "end_s": 24.0, "label": "B"},
        ],
    }
    return known | told


def voice() -> Samples:
    """A note of A4 on every second beat, 30 ms early."""
    audio = np.zeros(SECONDS * RATE)
    time = np.arange(round(0.4 * RATE)) / RATE
    note = sum(np.sin(2 * np.pi * 440 * partial * time) / partial for partial in range(1, 9))
    note = 0.1 * note * np.minimum(1, np.minimum(time / 0.005, (time[-1] - time) / 0.02))
    for beat in range(2, 2 * SECONDS - 2, 2):
        first = round((0.5 * beat - 0.03) * RATE)
        audio[first : first + len(note)] += note
    return np.stack([audio, audio]).astype(np.float32)


@pytest.fixture
def recordings(tmp_path: Path) -> Stems:
    drums = np.random.default_rng(0).standard_normal((2, SECONDS * RATE)).astype(np.float32)
    drums *= np.exp(-20 * (np.arange(SECONDS * RATE) / RATE % 0.5)).astype(np.float32) * 0.2
    audio = {"vocals": voice(), "drums": drums, "bass": np.zeros_like(drums), "master": voice() + drums}
    return {name: write_samples(tmp_path / f"{name}.wav", each, RATE) for name, each in audio.items()}


def remixed(recordings: Stems, into: Path, told: dict[str, Any], **asked: Any) -> Any:
    into.mkdir()
    return RemixingResource().remix(recordings, told, RemixingBrief.model_validate(asked), into)


@pytest.mark.parametrize("asked", [{"stretch": 1.0}, {"semitones": 0.0}, {"tempo_bpm": 120.0}, {"key": "8B"}])
def test_what_neither_tempo_nor_pitch_changes_is_the_same_to_the_sample(
    tmp_path: Path, recordings: Stems, asked: dict[str, Any]
) -> None:
    product = remixed(recordings, tmp_path / "remix", profile(), **asked)
    for name, recording in recordings.items():
        np.testing.assert_array_equal(sf.read(product.files[f"{name}.wav"])[0], sf.read(recording.path)[0])


def test_stems_and_master_are_as_long_as_the_tempo_makes_them(tmp_path: Path, recordings: Stems) -> None:
    product = remixed(recordings, tmp_path / "remix", profile(), tempo_bpm=128)
    frames = {Recording.open(product.files[f"{name}.wav"]).frames for name in recordings}
    assert frames == {round(SECONDS * RATE * 120 / 128)}
    told = json.loads(product.files[REMIX].read_text())
    assert (told["tempo_bpm"], told["ratio"], told["key"]) == (128, 0.9375, "A minor")


def test_chops_of_what_was_moved_are_placed_on_the_new_grid(tmp_path: Path, recordings: Stems) -> None:
    product = remixed(recordings, tmp_path / "remix", profile(), tempo_bpm=128, semitones=-2, chops=True)
    index = json.loads(product.files["chops/chops.json"].read_text())
    assert len(index) == product.measures["chops"] == SECONDS - 2
    assert {chop["pitch"] for chop in index} == {"G4"}
    for number, chop in enumerate(index):
        assert chop["step_s"] == pytest.approx((number + 1) * 2 * 60 / 128, abs=1e-3)
        assert chop["ahead_ms"] == pytest.approx(30 * 120 / 128, abs=8)
        assert Recording.open(product.files[f"chops/{chop['file']}"]).channels == 2


def test_loops_are_cut_from_all_that_plays_and_told_with_their_frames(
    tmp_path: Path, recordings: Stems
) -> None:
    product = remixed(recordings, tmp_path / "remix", profile(), loops=[1, 4])
    index = json.loads(product.files["loops/loops.json"].read_text())
    assert {loop["source"] for loop in index} == {"vocals", "drums", "master"}
    assert {(loop["section"], loop["bar"], loop["bars"]) for loop in index} == {
        ("A", 1, 1), ("B", 5, 1), ("A", 1, 4), ("B", 5, 4),
    }  # fmt: skip
    for loop in index:
        assert loop["frames"] == loop["bars"] * 2 * RATE
        assert Recording.open(product.files[f"loops/{loop['file']}"]).frames == loop["frames"]


def test_why_there_are_no_loops_is_told_as_it_is(tmp_path: Path, recordings: Stems) -> None:
    short = [{"start_s": 4.0 * number, "end_s": 4.0 * number + 4, "label": "A"} for number in range(6)]
    product = remixed(recordings, tmp_path / "short", profile(sections=short), loops=[2, 4])
    assert product.measures["loops"] == 3
    assert product.notes == ("no loops of 4 bars: no section is so long",)
    beats = profile()["beats_s"]
    odd = profile(downbeats_s=[beats[at] for at in (0, 4, 7, 11, 14, 18, 21, 25, 28, 32, 35, 39, 42, 46)])
    product = remixed(recordings, tmp_path / "odd", odd, loops=[2])
    assert product.notes == ("no loops of 2 bars: nowhere are so many whole bars in a row",)


def test_what_passes_full_scale_is_told_with_its_peak(tmp_path: Path) -> None:
    time = np.arange(4 * RATE) / RATE
    sources = {
        name: write_samples(
            tmp_path / f"{name}.wav",
            (peak * np.sin(2 * np.pi * 100 * time))[np.newaxis].astype(np.float32),
            RATE,
        )
        for name, peak in (("drums", 0.5), ("track", 2.0))
    }
    product = remixed(sources, tmp_path / "remix", profile(), stretch=1.0)
    assert product.notes == (
        "over full scale, turn it down before it becomes 16 or 24 bits: track.wav (peak +6.0 dBFS)",
    )


def test_in_six_eighths_a_note_tells_quarter_notes_too(tmp_path: Path, recordings: Stems) -> None:
    beats = [0.5 * number for number in range(2 * SECONDS)]
    told = profile(
        downbeats_s=beats[::2], time_signatures=[{"start_s": 0.0, "numerator": 6, "denominator": 8}]
    )
    product = remixed({"drums": recordings["drums"]}, tmp_path / "remix", told, tempo_bpm=128, loops=[1])
    assert product.measures["tempo_bpm"] == 128
    names = [name for name in product.files if name.endswith("bpm.wav")]
    assert names
    assert all(name.endswith("_1bar_128.00bpm.wav") for name in names)
    assert product.notes == (
        "a beat is 3/8: 128.0 beats are 192.0 quarter notes a minute, which is what a DAW counts",
    )


def test_a_track_without_tempo_gives_chops_without_bars_and_no_loops(
    tmp_path: Path, recordings: Stems
) -> None:
    nothing = profile(tempo_bpm=None, beats_s=[], downbeats_s=[], time_signatures=[])
    product = remixed(recordings, tmp_path / "remix", nothing, chops=True, loops=[2])
    index = json.loads(product.files["chops/chops.json"].read_text())
    assert all(chop["bar"] is None for chop in index)
    assert product.measures["loops"] == 0
    assert any("no bars were found" in note for note in product.notes)


def test_a_tempo_that_cannot_be_had_is_a_note_and_nothing_is_made(tmp_path: Path, recordings: Stems) -> None:
    nothing = profile(tempo_bpm=None, beats_s=[], downbeats_s=[], time_signatures=[])
    product = remixed(recordings, tmp_path / "remix", nothing, tempo_bpm=128, chops=True)
    assert [*product.files] == [REMIX]
    assert "no tempo was found" in product.notes[0]


def test_a_track_whose_voice_is_silent_gives_no_chops_and_says_so(tmp_path: Path, recordings: Stems) -> None:
    silent = {**recordings, "vocals": recordings["bass"]}
    for number, sources in enumerate((silent, {"drums": recordings["drums"]})):
        product = remixed(sources, tmp_path / f"remix{number}", profile(), chops=True)
        assert product.measures["chops"] == 0
        assert "no chops" in product.notes[0]


def test_the_same_brief_is_the_same_recipe_and_another_one_another() -> None:
    recipe = RemixingResource().recipe
    assert recipe(RemixingBrief(chops=True)) == recipe(RemixingBrief(chops=True))
    assert recipe(RemixingBrief()).keyed() != recipe(RemixingBrief(semitones=1)).keyed()
    assert "pedalboard" in recipe(RemixingBrief()).libraries
