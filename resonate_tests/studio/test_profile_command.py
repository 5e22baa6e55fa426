"""`resonate profile`, of a song whose music is known, and of what has none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from resonate_resources.harmony.chords import Chord
from resonate_resources.profiling.profile import Profile
from resonate_resources.signal.loudness import measure_loudness
from resonate_studio.demo_song import DemoSong
from resonate_studio.profile_command import report
from resonate_tests.studio.test_sound_commands import RATE, resonate, told


@pytest.fixture(scope="module")
def found(demo_song: DemoSong) -> dict[str, Any]:
    return told("profile", demo_song.mix.path)


def test_a_profile_tells_the_tempo_metre_key_and_chords_that_a_song_was_made_with(
    found: dict[str, Any], demo_song: DemoSong
) -> None:
    composition = demo_song.composition
    assert found["tempo_bpm"] == pytest.approx(composition.tempo_bpm, rel=0.02)
    assert found["time_signature"] == "4/4"
    assert found["key"] == "F# minor"  # composed so: tonic 6 from C, minor
    assert found["loudness"]["integrated_lufs"] == pytest.approx(
        measure_loudness(demo_song.mix).integrated_lufs
    )
    assert {"beats_s", "downbeats_s", "sections", "bandwidth_hz", "cut", "snr_db", "hum", "dc"} <= set(found)
    assert (found["rt60_s"], found["rt60_confidence"]) == (None, 0.0)  # nobody listened for a room
    assert 0 < found["quality"]["total"] <= 100
    assert min(found["quality"]["parts"].values()) <= found["quality"]["total"]
    labels = {chord["label"] for chord in found["chords"]}
    assert any(label.startswith("F#:min") for label in labels), labels
    output = resonate("profile", demo_song.mix.path).output
    assert "BPM" in output
    assert "F# minor" in output
    assert "of 100" in output
    assert "█" in output
    assert max(map(len, output.splitlines())) <= 80


def test_a_report_tells_how_sure_it_is_and_what_only_bounds_and_cuts_no_phrase(found: dict[str, Any]) -> None:
    changing = [{"start_s": 20.0 * at, "numerator": 4 - at % 2, "denominator": 4} for at in range(6)]
    known = found | {
        "time_signatures": changing,
        "metre_confidence": 0.83,
        "beats_s": (0.5, 1.0, 1.5, 2.0, 2.5),
        "beats_confidence": 0.9,
        "downbeats_s": (0.5, 2.5),
        "downbeats_confidence": 0.71,
        "cut": "brick wall",
        "bandwidth_hz": 16_000.0,
        "cut_fits": ("AAC or MP3 at 128 kbit/s", "a sample rate of 32000 Hz"),
        "dc": (-0.0123, 0.0),
        "snr_db": 41.26,
        "noise_floor_dbfs": -70.0,
    }
    labels = ["A:min", "F:maj", "N", "G:7", "Eb:min7/b3", *["C:maj"] * 6]
    chords = [
        Chord(start_s=70.0 + 2 * at, end_s=72.0 + 2 * at, label=label, confidence=0.4 if at == 1 else 0.6)
        for at, label in enumerate(labels)
    ]
    lines = report(Profile.model_validate(known), chords, [0.5] * 64)
    told = {line[:18].rstrip(): line[18:] for line in lines}
    assert told["time signature"] == "4/4 (83% sure), 3/4 from 0:20.0, 4/4 from 0:40.0, 3 more"
    assert told["beats"] == "5 (90% sure), 2 of them downbeats (71% sure)"
    assert told["bandwidth"] == "16000 Hz, brick wall, as is usual of AAC or MP3 at 128 kbit/s"
    assert told["offset"] == "-0.0123 +0.0000 of full scale"
    assert told["signal to noise"] == "at least 41.3 dB"
    assert told["noise floor"] == "at most -70.0 dBFS"
    at = lines.index("chords (?: under 50% sure)")
    assert [line.split() for line in lines[at + 1 :]] == [
        ["1:10.0", "Am", "F?", "G7", "Ebm7", "C", "C", "C", "C"],
        ["1:28.0", "C", "C"],
    ]
    assert max(map(len, lines)) <= 80


def test_a_profile_of_noise_is_unknown_where_nothing_can_be_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = tmp_path / "noise.wav"
    sf.write(path, 0.1 * rng.standard_normal((10 * RATE, 1)), RATE, subtype="PCM_24")
    found = told("profile", path)
    assert (found["tempo_bpm"], found["key"], found["time_signature"]) == (None, None, None)
    assert resonate("profile", path).output.count("unknown") >= 3


def test_a_profile_of_what_is_no_recording_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "text.mp3"
    path.write_text("no music")
    result = resonate("profile", path)
    assert result.exit_code == 1
    assert len(result.output.strip().splitlines()) == 1
